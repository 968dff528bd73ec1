"""Figures of each plane in each window, each from a history in which they can be counted."""

import pytest

from certify.checker import judge
from certify.confidence import failure_share_max, summaries_of
from certify.latency import plane_of
from reports.record import IoOutcome, ScenarioJudgement, Statistic, Verdict
from tests.unit.suite.conftest import Story, make_clean_story, make_plan


def figures(story: Story, window: str, plane: str, op: str) -> Statistic:
    (found,) = [
        one
        for one in judge(story.history()).statistics
        if (one.window, one.plane, one.op) == (window, plane, op)
    ]
    return found


def stalled(story: Story) -> Story:
    """Hold the writes that were due from 1000 to 1300 ms back until then, one burst."""
    kept = [io for io in story.ios if not (io.op == "write" and 1_000e6 <= io.due_ns < 1_300e6)]
    story.ios = kept
    for k in range(30):
        story.io(k=100 + k, due=1000 + 10 * k, done=1300 + k, tag=101 + k)
    return story


def test_reads_and_writes_of_every_window_are_told_apart(story: Story) -> None:
    found = judge(story.history()).statistics

    assert {(one.window, one.plane, one.op) for one in found} == {
        (window, plane, op)
        for window in ("before", "failover", "failback")
        for plane, op in (("application", "read"), ("application", "write"), ("control", "read"))
    }
    assert all((one.p50_ms, one.max_ms) == (1.0, 1.0) for one in found)
    assert figures(story, "failover", "application", "write").count == 100


def test_percentiles_are_of_the_waits_from_when_they_were_due(story: Story) -> None:
    seen = figures(stalled(story), "failover", "application", "write")

    assert (seen.count, seen.good) == (100, 100)
    assert (seen.p50_ms, seen.max_ms) == (1.0, 300.0)
    assert seen.p90_ms == pytest.approx(300 - 9 * 10)
    assert seen.p99_ms == pytest.approx(300 - 9)
    assert seen.p999_ms == 300.0


def test_silence_gap_and_burst(story: Story) -> None:
    seen = figures(stalled(story), "failover", "application", "write")

    assert seen.gap_ms == 300.0
    assert seen.silent_ms == 300.0
    assert seen.burst_per_s == 400.0  # 30 that were held back and 10 that were due


def test_steady_again_after_the_last_second_that_was_not() -> None:
    story = make_clean_story(make_plan())
    for k in range(250):
        story.io(k=k, due=2000 + 10 * k, done=2000 + 10 * k + (9 if k < 30 else 1), tag=1000 + k)
    story.events = [one for one in story.events if one.subject not in ("undo", "done")]
    story.event(4500, kind=story.events[0].kind, subject="undo")
    story.event(4600, kind=story.events[0].kind, subject="done")

    seen = figures(story, "failback", "application", "write")

    assert seen.steady_after_ms == 300.0


def test_io_that_stays_slow_is_never_steady(story: Story) -> None:
    for k in range(100):
        story.io(k=k, due=1000 + 10 * k, done=1005 + 10 * k, tag=1000 + k)

    assert figures(story, "failover", "application", "write").steady_after_ms is None


def test_sparse_probes_say_nothing_about_tenths_of_a_second(story: Story) -> None:
    story.io(probe="cross:p1", op="read", due=1100, tag=1)
    story.io(probe="cross:p1", op="read", due=1500, done=1600, outcome=IoOutcome.TRANSPORT)

    seen = figures(story, "failover", "path p1", "read")

    assert (seen.count, seen.good, seen.silent_ms, seen.burst_per_s) == (2, 1, None, None)


@pytest.mark.parametrize(
    ("probe", "plane"),
    [
        ("app-write", "application"),
        ("app-fill", ""),
        ("path:p1", "path p1"),
        ("cross:p1", "path p1"),
        ("array:A", "array A"),
        ("host:esx-2-read", "esx-2"),
        ("control", "control"),
        ("readback:p1", ""),
    ],
)
def test_plane_of_a_probe(probe: str, plane: str) -> None:
    assert plane_of(probe) == plane


@pytest.mark.parametrize(
    ("failed", "repeats", "bound"),
    # Exact binomial bounds, one-sided 95 %: 1 - 0.05^(1/n) for none; 0.0516 is the usual table's
    # two-sided-90 % upper limit of 1/90.
    [(0, 1, 0.95), (0, 3, 0.6316), (0, 30, 0.0950), (0, 300, 0.00994), (1, 90, 0.0516), (3, 3, 1)],
)
def test_bound_of_the_chance_of_a_failure(failed: int, repeats: int, bound: float) -> None:
    assert failure_share_max(failed, repeats) == pytest.approx(bound, rel=0.005)


def test_nothing_is_known_without_a_repeat() -> None:
    assert failure_share_max(0, 0) is None


def test_summary_counts_what_was_judged(story: Story) -> None:
    clean = judge(story.history())
    failed = judge(stalled(make_clean_story(make_plan(limit_failover_ms=100.0))).history())
    left_out = judge(make_clean_story(make_plan(not_run="no")).history())
    seen: list[ScenarioJudgement] = [clean, failed, left_out]

    (summary,) = summaries_of(seen)

    assert [one.verdict for one in seen] == [Verdict.PASS, Verdict.FAIL, Verdict.NOT_RUN]
    assert (summary.id, summary.repeats, summary.failed) == ("E1k", 2, 1)
    assert summary.worst_failover_ms == 300.0
    assert summary.failure_share_max == pytest.approx(0.9747, rel=0.001)
