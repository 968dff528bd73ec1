"""Each part of a stall names its evidence; what nothing explains is said."""

from certify.attribution import attribute, unattributed_ms
from reports.record import AttributionPhase, EventKind, IoOutcome
from tests.unit.suite.conftest import Story

LATE_MS = 10.0


def stalled(story: Story, begin: float, end: float) -> Story:
    """Let no I/O of the application end between two times; all of them right after."""
    ios, story.ios = story.ios, []
    for io in ios:
        due, done = io.due_ns / 1e6, io.done_ns / 1e6
        held = io.probe.startswith("app-") and due < end and done > begin
        done = end if held else done
        story.io(probe=io.probe, op=io.op, k=io.k, lba=io.lba, tag=io.tag, due=due, done=done)
    return story


def parts(story: Story) -> dict[str, AttributionPhase]:
    return {one.name: one for one in attribute(story.history(), late_ms=LATE_MS)}


def test_a_failover_is_told_from_the_fault_to_the_flow_of_io(story: Story) -> None:
    stalled(story, 1005, 1400)
    story.io(probe="cross:p1", op="read", due=1010, done=1100, outcome=IoOutcome.TRANSPORT)
    story.io(probe="path:p2", op="test_unit_ready", due=1390, done=1391)
    story.event(1120, EventKind.PATH_STATE, "p1", state="failed", source="kernel")

    seen = parts(story)

    assert list(seen)[:4] == [
        "first error on a path",
        "path marked failed",
        "I/O flows again",
        "last late I/O done",
    ]
    assert seen["first error on a path"].evidence.startswith("cross:p1: read ended with transport")
    assert seen["path marked failed"].evidence == "kernel: p1 failed"
    flows = seen["I/O flows again"]
    assert (flows.from_ms, flows.to_ms) == (120.0, 400.0)
    assert flows.evidence.endswith("p2 answered")


def test_a_failback_has_parts_of_its_own(story: Story) -> None:
    stalled(story, 2050, 2200)
    story.event(2150, EventKind.PATH_STATE, "p1", state="active")

    seen = parts(story)

    assert list(seen) == [
        "fault mended",
        "last path usable again",
        "I/O flows again after mending",
        "last late I/O after mending",
        "redundancy restored",
    ]
    assert seen["last late I/O after mending"].to_ms == 1200.0


def test_redundancy_that_was_told_before_the_mend_ends_nothing(story: Story) -> None:
    story.event(1500, EventKind.REDUNDANCY, "lab", restored=True, detail="not yet broken")

    assert parts(story)["redundancy restored"].to_ms == 1800.0


def test_stall_with_a_path_event_is_explained(story: Story) -> None:
    stalled(story, 1005, 1400)
    story.event(1120, EventKind.PATH_STATE, "p1", state="failed")

    assert unattributed_ms(story.history(), late_ms=LATE_MS) == 0.0


def test_stall_that_nothing_explains_is_said_to_be(story: Story) -> None:
    stalled(story, 1005, 1400)

    rest = unattributed_ms(story.history(), late_ms=LATE_MS)

    assert rest is not None
    assert rest > 380
    assert "is not attributed: no path reported it" in parts(story)["last late I/O done"].evidence


def test_slow_array_explains_as_much_as_it_was_slow(story: Story) -> None:
    stalled(story, 1005, 1400)
    story.io(probe="array:B", op="read", due=1100, done=1350, tag=-1)

    whole = unattributed_ms(stalled(story, 1005, 1400).history(), late_ms=LATE_MS)

    assert whole is not None
    assert 130 < whole < 150
    evidence = parts(story)["last late I/O done"].evidence
    assert "array B's leg, read directly, took up to 250 ms" in evidence


def test_standstill_of_the_suite_is_named(story: Story) -> None:
    stalled(story, 1005, 1400)
    story.event(1400, EventKind.STANDSTILL, "suite", from_ns=1_005_000_000)

    assert "the suite itself stood still for 395 ms" in parts(story)["last late I/O done"].evidence


def test_without_a_stall_there_is_nothing_to_attribute(story: Story) -> None:
    assert unattributed_ms(story.history(), late_ms=LATE_MS) is None
    assert "last late I/O done" not in parts(story)
