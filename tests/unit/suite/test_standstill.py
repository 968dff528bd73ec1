"""A pause of the suite itself is never blamed on the system, and never hides a stall of it.

Method: histories in which nobody could send or see anything for a while, as a stopped process
leaves them: what was under way ends when it wakes up, what was due is sent in a burst.
"""

import pytest

from certify.checker import judge
from certify.heartbeat import Heartbeat
from certify.history import Window
from certify.standstill import certain_ms, of_spans
from reports.record import EventKind, ScenarioJudgement, Verdict
from tests.unit.suite.conftest import MS, Story, make_clean_story, make_io, make_plan

BURST_MS = 0.05
"""How long after one another a waking probe's I/Os end."""


def pause(story: Story, begin: float, end: float, *, noticed: bool = True) -> None:
    """Let the suite stand still: whatever it would have done then is done afterwards."""
    ios, story.ios = story.ios, []
    behind = 0
    for io in ios:
        due, done = io.due_ns / MS, io.done_ns / MS
        if begin <= due < end or begin <= done < end:
            behind += 1
            done = max(done, end + behind * BURST_MS)
            sent = io.sent_ns / MS if due < begin else end + behind * BURST_MS / 2
            io = make_io(
                probe=io.probe, op=io.op, k=io.k, lba=io.lba, tag=io.tag,
                due=due, sent=sent, done=done,
            )  # fmt: skip
        story.ios.append(io)
    if noticed:
        story.event(end, EventKind.STANDSTILL, "suite", from_ns=int(begin * MS))


def check(seen: ScenarioJudgement, name: str) -> tuple[Verdict, str]:
    (found,) = [one for one in seen.checks if one.name.startswith(name)]
    return found.verdict, found.observed


def test_pause_above_the_limit_is_inconclusive_and_says_so(story: Story) -> None:
    pause(story, 1200, 1700)

    seen = judge(story.history())

    assert seen.verdict is Verdict.INCONCLUSIVE
    assert seen.standstill_ms == 500
    assert "stood still for 500 ms" in seen.reason


def test_pause_after_a_pass_within_the_limit_is_told(story: Story) -> None:
    pause(story, 1200, 1300)

    seen = judge(story.history())

    assert seen.verdict is Verdict.PASS
    verdict, observed = check(seen, "Suite kept running")
    assert verdict is Verdict.PASS
    assert "stood still for 100 ms; the stall is at most what was measured" in observed


def test_short_standstill_is_no_news(story: Story) -> None:
    pause(story, 1200, 1220)

    assert [one for one in judge(story.history()).checks if one.name == "Suite kept running"] == []


@pytest.mark.parametrize("pause_at", [1000.5, 1300, 1799, 2300])
def test_stall_of_the_system_fails_whatever_pause_there_was(story: Story, pause_at: float) -> None:
    story.io(due=1001, done=1800, lba=800, tag=9000)
    pause(story, pause_at, pause_at + 100)

    seen = judge(story.history())

    assert seen.verdict is Verdict.FAIL
    assert check(seen, "Longest stall after the fault")[0] is Verdict.FAIL


def test_noise_at_another_time_excuses_no_stall(story: Story) -> None:
    story.io(due=1001, done=1500, lba=800, tag=9000)
    story.io(probe="control", op="read", due=1600, done=1999, lba=8, tag=-1)

    assert judge(story.history()).verdict is Verdict.FAIL


def test_noise_at_the_time_of_a_stall_leaves_it_open(story: Story) -> None:
    story.io(due=1001, done=1500, lba=800, tag=9000)
    story.io(probe="control", op="read", due=1001, done=1498, lba=8, tag=-1)

    assert judge(story.history()).verdict is Verdict.INCONCLUSIVE


def test_short_noise_all_the_time_excuses_no_long_stall(story: Story) -> None:
    story.io(due=1001, done=1800, lba=800, tag=9000)
    for at in range(1000, 1900, 15):
        story.io(probe="control", op="read", due=at, done=at + 15, lba=8, tag=-1)

    assert judge(story.history()).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("starved_until", "verdict"), [(1300, Verdict.INCONCLUSIVE), (1070, Verdict.FAIL)]
)
def test_a_host_that_is_starved_again_and_again_accuses_nobody(
    story: Story, starved_until: int, verdict: Verdict
) -> None:
    """None of the control disk's waits is as long as the stall; together they may be."""
    story.io(due=1001, done=1600, lba=800, tag=9000)
    for at in range(1000, starved_until, 10):
        story.io(probe="control", op="read", due=at, done=at + 60 - at % 50, lba=8, tag=-1)

    assert judge(story.history()).verdict is verdict


@pytest.mark.parametrize(
    ("due", "sent", "done", "certain"),
    [
        (0, 0, 50, 50),  # before it all
        (90, 90, 201, 10),  # under way when it began; may have ended at once
        (90, 90, 900, 810),  # still under way long after the hole: was so throughout
        (120, 200, 210, 0),  # due and sent because of it
        (120, 200, 900, 550),  # that was sent late and then waited on: what is beyond the hole
        (600, 600, 700, 100),
    ],
)
def test_what_is_certain_beside_a_standstill(
    due: float, sent: float, done: float, certain: float
) -> None:
    seen = of_spans([Window(start_ns=100 * MS, end_ns=200 * MS)])  # its hole ends at 350 ms
    io = make_io(due=due, sent=sent, done=done)

    assert certain_ms(io, start_ns=0, done_ns=io.done_ns, seen=seen, control=[]) == certain


def test_two_standstills_close_together_leave_one_hole() -> None:
    seen = of_spans(
        [Window(start_ns=0, end_ns=100 * MS), Window(start_ns=240 * MS, end_ns=300 * MS)]
    )

    assert seen.holes == [Window(start_ns=0, end_ns=410 * MS)]
    assert seen.longest_ms(Window(start_ns=50 * MS, end_ns=260 * MS)) == 50


def beats(*ms: float) -> list[tuple[EventKind, str, float, int]]:
    """Beat at these times; return what was told."""
    told: list[tuple[EventKind, str, float, int]] = []
    clock = iter(int(one * MS) for one in ms)
    heartbeat = Heartbeat(beat_s=0.01, clock=lambda: next(clock))
    for _ in ms:
        heartbeat.beat(lambda kind, subject, detail, data, t_ns: told.append(
            (kind, detail, data["ms"], t_ns)
        ))  # fmt: skip
    return told[1:]  # its clock began at 0 when it was made; the first beat only starts it


def test_beat_that_is_late_is_told_with_its_length() -> None:
    assert beats(50, 60, 70, 1075, 1085) == [
        (EventKind.STANDSTILL, "the measuring process stood still for 1000 ms", 1000.0, 1075 * MS)
    ]


def test_beats_a_little_late_are_not_told() -> None:
    assert beats(50, 75, 100, 139) == []


def test_heartbeat_of_a_quiet_run_is_no_part_of_the_verdict() -> None:
    assert judge(make_clean_story(make_plan()).history()).standstill_ms is None
