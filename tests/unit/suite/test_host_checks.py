"""Each host is judged by the limits of the scenario, and the lines say which host it is about.

Method: the clean hand-written history with a second host in it; each test changes one thing.
"""

from typing import Any

import pytest

from certify.checker import judge
from certify.checks import untimed
from reports.language.catalogue import catalogue_of
from reports.record import (
    EventKind,
    Grade,
    IoOutcome,
    OutagePlan,
    ScenarioJudgement,
    Verdict,
)

from .conftest import MS, Story, make_clean_story, make_plan

HOST = "host2"
CLOCK = EventKind.CLOCK


def clock(
    story: Story, ms: float, error_ms: float = 1.0, drift_ms: float = 0.0, host: str = HOST
) -> None:
    data = {"used_ns": 0, "shift_ns": int(drift_ms * MS), "error_ns": int(error_ms * MS)}
    story.event(ms, CLOCK, host, **data)


def add_host(story: Story, host: str = HOST) -> Story:
    """Add a host with a write and a read every 20 ms from 1 ms on, in blocks of its own."""
    number = int(host.removeprefix("host"))
    first, lba = 5000 * number, 40 * number
    clock(story, 0.5, host=host)
    story.event(0.6, EventKind.HOST, host, state="on", first_seq=first, last_seq=first + 4999)
    for k in range(149):
        due = 20.0 * k + 1
        story.io(probe=f"host:{host}-write", k=k, due=due, tag=first + k, lba=lba)
        story.io(probe=f"host:{host}-read", k=k, due=due + 5, tag=first + k, lba=lba, op="read")
    clock(story, 2990, host=host)
    story.event(2995, EventKind.HOST, host, state="ended")
    return story


def many_hosts(count: int) -> Story:
    """Return a clean history of *count* hosts beside the measuring one."""
    names = [f"host{number}" for number in range(2, 2 + count)]
    story = make_clean_story(make_plan(hosts=names))
    for name in names:
        add_host(story, name)
    return story


def two_hosts(**changes: Any) -> Story:
    return add_host(make_clean_story(make_plan(hosts=[HOST], **changes)))


@pytest.fixture
def story() -> Story:
    return two_hosts()


def lose(story: Story, ms: float) -> None:
    """Let the host be lost: it tells nothing after that."""
    story.events = [
        event
        for event in story.events
        if event.data.get("state") != "ended" and (event.kind, event.t_ns) != (CLOCK, 2990 * MS)
    ]
    story.ios = [io for io in story.ios if HOST not in io.probe or io.done_ns < ms * MS]
    story.event(ms, EventKind.HOST, HOST, state="lost", detail="lost: its SSH connection ended")


def bad_lines(judgement: ScenarioJudgement) -> dict[str, Verdict]:
    return {
        check.name: check.verdict for check in judgement.checks if check.verdict is not Verdict.PASS
    }


def line(judgement: ScenarioJudgement, name: str) -> str:
    return next(check.observed for check in judgement.checks if check.name == name)


def test_a_clean_history_of_two_hosts_passes(story: Story) -> None:
    seen = judge(story.history())

    assert (seen.verdict, seen.grade) == (Verdict.PASS, Grade.PLATINUM)
    assert seen.reason.startswith(
        "Longest stall 1.00 ms after the fault, 1.00 ms after mending, of 2 hosts; 0 I/O errors"
    )
    (host,) = seen.hosts
    assert (host.name, host.stall_failover_ms, host.stall_failback_ms) == (HOST, 1.0, 1.0)
    assert (host.clock_error_ms, host.lost) == (1.0, "")


def test_a_stall_of_one_host_fails_and_is_named(story: Story) -> None:
    story.io(probe="host:host2-write", due=1100, done=1500, tag=10_500, lba=800)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Longest stall after the fault, host2": Verdict.FAIL}
    assert "Longest stall after the fault, host2: 400 ms (expected ≤ 250 ms)" in seen.reason
    assert (seen.stall_failover_ms, seen.grade) == (400.0, Grade.NOT_CERTIFIED)


def test_the_worst_host_decides_the_grade() -> None:
    story = two_hosts(limit_failover_ms=9000.0, limit_failback_ms=9000.0)
    story.io(probe="host:host2-write", due=1100, done=2900, tag=10_500, lba=800)

    seen = judge(story.history())

    assert seen.grade is Grade.GOLD
    assert seen.hosts[0].stall_failover_ms == 1800.0


def test_a_stall_that_the_clock_may_have_moved_out_of_the_window_counts(story: Story) -> None:
    story.io(probe="host:host2-write", due=500, done=999.5, tag=10_500, lba=800)

    assert bad_lines(judge(story.history())) == {
        "Longest stall after the fault, host2": Verdict.FAIL
    }


def test_a_stall_before_the_fault_by_any_clock_does_not(story: Story) -> None:
    story.io(probe="host:host2-write", due=500, done=900, tag=10_500, lba=800)

    assert judge(story.history()).verdict is Verdict.PASS


def test_an_io_of_a_host_that_never_ended_fails(story: Story) -> None:
    story.io(probe="host:host2-write", due=1100, done=-1, tag=10_500, lba=800)

    assert bad_lines(judge(story.history()))["I/Os that never ended"] is Verdict.FAIL


def test_an_error_at_a_host_fails_and_is_named(story: Story) -> None:
    story.io(
        probe="host:host2-read", due=1100, op="read", tag=-1, lba=80,
        outcome=IoOutcome.ERROR, errno=5,
    )  # fmt: skip

    seen = judge(story.history())

    assert (seen.verdict, seen.io_errors) == (Verdict.FAIL, 1)
    assert line(seen, "I/O errors at the application") == (
        "1; first: read at LBA 80, errno 5, by host:host2-read"
    )


def test_a_stall_in_which_the_prober_stood_still_is_inconclusive(story: Story) -> None:
    story.io(probe="host:host2-write", due=1100, sent=1500, done=1501, tag=10_500, lba=800)
    story.event(1500, EventKind.STANDSTILL, "suite", host=HOST, from_ns=1090 * MS)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Longest stall after the fault, host2": Verdict.INCONCLUSIVE}
    assert untimed(seen)


def test_a_standstill_of_one_host_is_no_excuse_for_another(story: Story) -> None:
    story.io(due=1100, sent=1500, done=1501, tag=5_000, lba=1600)
    story.event(1500, EventKind.STANDSTILL, "suite", host=HOST, from_ns=1090 * MS)

    assert bad_lines(judge(story.history())) == {"Longest stall after the fault": Verdict.FAIL}


def test_a_host_that_was_lost_is_inconclusive_with_the_reason(story: Story) -> None:
    lose(story, 1500)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Probes of host2": Verdict.INCONCLUSIVE}
    assert line(seen, "Probes of host2") == "lost: its SSH connection ended"
    assert seen.hosts[0].lost == "lost: its SSH connection ended"


def test_what_a_lost_host_had_under_way_is_not_blamed_on_the_system(story: Story) -> None:
    lose(story, 1500)
    story.io(probe="host:host2-write", due=1490, done=-1, tag=10_500, lba=800)
    story.io(probe="app-read", due=1600, op="read", tag=10_501, lba=80)

    assert bad_lines(judge(story.history())) == {"Probes of host2": Verdict.INCONCLUSIVE}


def test_a_host_that_the_plan_names_and_that_never_came_is_inconclusive() -> None:
    seen = judge(make_clean_story(make_plan(hosts=[HOST])).history())

    assert bad_lines(seen)["Probes of host2"] is Verdict.INCONCLUSIVE
    assert line(seen, "Probes of host2") == "they never began"
    assert line(seen, "Clock of host2") == "never compared"


def test_a_host_whose_end_nobody_told_is_inconclusive(story: Story) -> None:
    story.events = [event for event in story.events if event.data.get("state") != "ended"]

    assert line(judge(story.history()), "Probes of host2") == "nobody told how they ended"


def test_a_host_whose_reads_never_succeeded_is_inconclusive(story: Story) -> None:
    story.drop_probe("host:host2-read")

    assert line(judge(story.history()), "Probes of host2") == "its reads or writes never succeeded"


def test_a_host_that_goes_with_the_fault_passes() -> None:
    story = two_hosts(hosts_lost=[HOST])
    lose(story, 1010)
    story.io(probe="host:host2-write", due=995, done=-1, tag=10_500, lba=800)

    seen = judge(story.history())

    assert seen.verdict is Verdict.PASS
    assert not any("stall" in check.name and HOST in check.name for check in seen.checks)


@pytest.mark.parametrize(
    ("at_ms", "observed"),
    [
        (None, "the fault did not take it away"),
        (500, "before the fault: lost: its SSH connection ended"),
    ],
)
def test_a_host_that_should_go_with_the_fault_and_does_not(
    at_ms: float | None, observed: str
) -> None:
    story = two_hosts(hosts_lost=[HOST])
    if at_ms is not None:
        lose(story, at_ms)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Probes of host2": Verdict.INCONCLUSIVE}
    assert line(seen, "Probes of host2") == observed


def test_drift_adds_to_what_a_clock_may_be_wrong(story: Story) -> None:
    clock(story, 2991, error_ms=2.0, drift_ms=-3.0)

    assert line(judge(story.history()), "Clock of host2") == (
        "known within ±5.00 ms, compared 3 times"
    )


def test_a_read_there_is_stale_only_if_both_clocks_say_so(story: Story) -> None:
    story.io(due=1400, tag=7_001, lba=4000)
    story.io(due=1500, tag=7_002, lba=4000)
    late = {"probe": "host:host2-read", "op": "read", "tag": 7_001, "lba": 4000}
    story.io(due=1501.5, **late)
    assert judge(story.history()).mismatches == 0

    story.io(due=1503, **late)

    assert judge(story.history()).mismatches == 8


def test_a_meant_outage_has_to_end_for_every_host() -> None:
    outage = OutagePlan(why="Both engines are dead.", return_ms=600.0)
    story = two_hosts(outage=outage)
    story.io(probe="host:host2-write", due=1100, done=2300, tag=10_500, lba=800)
    assert judge(story.history()).verdict is Verdict.PASS

    story.io(probe="host:host2-write", due=1120, done=2900, tag=10_501, lba=808)

    assert bad_lines(judge(story.history())) == {"I/O flows again by itself, host2": Verdict.FAIL}


def test_a_slow_host_fails_a_baseline() -> None:
    story = two_hosts(id="B0", fault="", subject="")
    story.io(probe="host:host2-write", due=500, done=900, tag=10_500, lba=800)

    seen = judge(story.history())

    assert bad_lines(seen) == {"Longest stall without a fault, host2": Verdict.FAIL}


def test_of_many_good_hosts_the_worst_has_the_line() -> None:
    story = many_hosts(9)
    story.io(probe="host:host5-write", due=1100, done=1150, tag=29_000, lba=8000)

    seen = judge(story.history())

    names = [check.name for check in seen.checks if "host" in check.name.replace("of the host", "")]
    assert sorted(names) == [
        "Clock of host2, the worst of 9",
        "Longest stall after mending, host2, the worst of 9",
        "Longest stall after the fault, host5, the worst of 9",
        "Probes of host2, the worst of 9",
    ]
    assert line(seen, "Longest stall after the fault, host5, the worst of 9") == "50.0 ms"
    assert [host.name for host in seen.hosts] == [f"host{number}" for number in range(2, 11)]


def many_bad_hosts() -> Story:
    """Return a history of nine hosts of which six had stalls of different length."""
    story = many_hosts(9)
    for number in range(2, 8):
        due, lba = 1100 - 10 * number, 4000 + 8 * number
        tag = 5000 * number + 4000
        story.io(probe=f"host:host{number}-write", due=due, done=1500, tag=tag, lba=lba)
    return story


def test_of_many_bad_hosts_the_worst_have_lines() -> None:
    seen = judge(many_bad_hosts().history())

    assert list(bad_lines(seen)) == [
        f"Longest stall after the fault, host{number}" for number in (7, 6, 5)
    ]
    assert line(seen, "Longest stall after the fault, host5") == "450 ms; the same of 3 more"
    assert line(seen, "Longest stall after the fault, host8, the worst of 3") == "1.00 ms"


def texts_of(judgement: ScenarioJudgement) -> set[str]:
    texts = {judgement.reason}
    for check in judgement.checks:
        texts |= {check.name, check.expected, check.observed}
    return texts


def test_what_is_said_of_hosts_is_translated(story: Story) -> None:
    stories = [story, two_hosts(hosts_lost=[HOST]), two_hosts(id="B0", fault="", subject="")]
    stories += [make_clean_story(make_plan(hosts=[HOST])), many_hosts(3), many_bad_hosts()]
    for at_ms, changes in ((500, {"hosts_lost": [HOST]}), (1500, {})):
        stories.append(two_hosts(**changes))
        lose(stories[-1], at_ms)
    texts = {text for one in stories for text in texts_of(judge(one.history()))}
    ours = {text for text in texts if "host" in text or "clock" in text.lower()}

    assert len(ours) > 10
    assert [text for text in ours if catalogue_of("zh").find(text) is None] == []
