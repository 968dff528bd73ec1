"""Events of one repeat on the clock of its fault, and the states of its paths."""

from typing import Any

from reports.chronology import Chronology, chronology_of, lanes_of, sequence_of
from reports.record import AttributionPhase, EventKind, EventRecord
from tests.unit.reports import sample_lab

LAB = sample_lab.lab(physical=False, kernel="uml")


def event(
    ms: float, kind: EventKind, subject: str = "x", scenario: str = "P1", **data: Any
) -> EventRecord:
    t_ns = 5_000_000_000 + int(ms * 1e6)
    return EventRecord(
        t_ns=t_ns, scenario=scenario, repeat=1, kind=kind, subject=subject, data=data
    )


def course(*events: EventRecord) -> Chronology:
    when = chronology_of(events, "P1", 1)
    assert when is not None
    return when


def states(*events: EventRecord) -> list[tuple[float, float, str]]:
    when = course(event(0, EventKind.INJECTED), *events)
    lanes = lanes_of(events, LAB, when, start_ms=-100.0, end_ms=500.0)
    return [(span.start_ms, span.end_ms, span.state) for span in lanes[0].spans]


def test_zero_is_the_injection() -> None:
    when = course(
        event(-50, EventKind.PHASE, "steady"),
        event(0, EventKind.INJECTED),
        event(300, EventKind.MENDED),
    )
    assert (when.start_ms, when.mended_ms, when.injected) == (-50.0, 300.0, True)


def test_baseline_counts_from_the_fault_phase() -> None:
    when = course(event(10, EventKind.PHASE, "steady"), event(60, EventKind.PHASE, "fault"))
    assert (when.start_ms, when.mended_ms, when.injected) == (-50.0, None, False)


def test_no_events_is_no_chronology() -> None:
    assert chronology_of([event(0, EventKind.INJECTED)], "other", 1) is None


def test_lane_begins_with_the_state_reported_before() -> None:
    path = sample_lab.PATHS[0]
    early = event(-900, EventKind.PATH_STATE, path, scenario="", state="active", lu="lu0")
    failed = event(40, EventKind.PATH_STATE, path, state="failed", lu="lu0")
    assert states(early, failed) == [(-100.0, 40.0, "active"), (40.0, 500.0, "failed")]


def test_state_that_was_never_reported_is_not_invented() -> None:
    assert states() == [(-100.0, 500.0, "")]


def test_other_logical_units_do_not_disturb_a_lane() -> None:
    path = sample_lab.PATHS[0]
    assert states(event(40, EventKind.PATH_STATE, path, state="failed", lu="lu1")) == [
        (-100.0, 500.0, "")
    ]


def test_paths_that_fail_together_are_told_once() -> None:
    when = course(
        event(0, EventKind.INJECTED),
        event(40, EventKind.PATH_STATE, "a", state="failed"),
        event(45, EventKind.PATH_STATE, "b", state="failed"),
        event(400, EventKind.PATH_STATE, "a", state="active"),
    )
    moments, others = sequence_of(when, limit=9)
    assert [moment.text for moment in moments] == ["x", "a, b: failed", "a: active"]
    assert others == 0


def test_what_proves_the_fault_stays_when_room_is_short() -> None:
    chatter = [event(10 + n, EventKind.TARGET, f"engine{n}") for n in range(20)]
    when = course(
        *chatter,
        event(0, EventKind.INJECTED),
        event(5, EventKind.NOT_PROVEN),
        event(90, EventKind.MENDED),
    )
    moments, others = sequence_of(when, limit=3)
    titles = [moment.title for moment in moments]
    assert titles == ["Fault injected", "Fault not proven", "Fault mended"]
    assert others == 20


def test_redundancy_that_did_not_come_back_is_grave() -> None:
    when = course(event(0, EventKind.REDUNDANCY, restored=False))
    assert [(m.title, m.grave) for m in sequence_of(when, limit=1)[0]] == [
        ("Redundancy not restored", True)
    ]


def test_part_of_a_stall_stands_for_the_event_that_ended_it() -> None:
    when = course(
        event(0, EventKind.INJECTED),
        event(40, EventKind.PATH_STATE, "a", state="failed"),
        event(300, EventKind.MENDED),
        event(900, EventKind.REDUNDANCY, restored=True),
    )
    edges = [("path marked failed", 0.0, 40.0), ("last late I/O done", 40.0, 84.0)]
    edges += [("fault mended", 84.0, 300.0), ("redundancy restored", 300.0, 900.0)]
    explained = [
        AttributionPhase(name=name, from_ms=start, to_ms=end, evidence="")
        for name, start, end in edges
    ]
    moments, others = sequence_of(when, limit=9, explained=explained)
    assert [(moment.title, moment.direction) for moment in moments] == [
        ("Fault injected", ""),
        ("Path marked failed", "failover"),
        ("Last late I/O done", "failover"),
        ("Fault mended", ""),
        ("Redundancy restored", "failback"),
    ]
    assert others == 0


def test_paths_to_units_without_load_go_first() -> None:
    when = course(
        event(0, EventKind.INJECTED),
        event(40, EventKind.PATH_STATE, "a", state="failed", lu="lu1"),
        event(400, EventKind.PATH_STATE, "a", state="failed", lu="lu0"),
    )
    moments, _ = sequence_of(when, limit=2, units=frozenset({"lu0"}))
    assert [moment.at_ms for moment in moments] == [0.0, 400.0]


def test_states_before_the_load_are_no_moments() -> None:
    when = course(
        event(-900, EventKind.PATH_STATE, "a", state="active"),
        event(-500, EventKind.PHASE, "steady"),
        event(0, EventKind.INJECTED),
    )
    assert [moment.title for moment in sequence_of(when, limit=9)[0]] == ["Fault injected"]
