"""A scenario goes through its phases in order, is bounded whatever happens, and always undoes.

Method: the runner with fakes at every port and a clock that only moves when somebody sleeps.
"""

import pytest

from certify.lab import LabError
from certify.runner import Caps, ScenarioRun, seconds_left
from fault_injectors import FaultError, Proof
from reports.record import EventKind

from .conftest import make_plan
from .world import BREAK, World


def test_phases_come_in_order() -> None:
    world = World()

    assert world.run() == []
    assert world.kinds(EventKind.PHASE) == [
        "preflight", "steady", "fault", "mend", "recover", "undo", "done",
    ]  # fmt: skip
    assert [call for call in world.calls if not call.startswith("phase")] == [
        "begin E1k 1", "settle", "load on", "inject", "mend", "load off", "verify [8, 16]", "end",
    ]  # fmt: skip


def test_baseline_breaks_nothing() -> None:
    world = World()
    world.run(fault="", subject="")

    assert "inject" not in world.calls
    assert world.kinds(EventKind.PHASE) == ["preflight", "steady", "undo", "done"]
    assert world.kinds(EventKind.REDUNDANCY) == ["lab"]


def test_fault_is_recorded_with_its_proof() -> None:
    world = World()
    world.run()

    kinds = [kind for kind, _, _ in world.events]
    order = [EventKind.INJECTED, EventKind.PROVEN, EventKind.MENDED, EventKind.MEND_PROVEN]
    assert [kind for kind in kinds if kind in order] == order


def test_fault_that_is_not_seen_is_recorded_as_such() -> None:
    world = World(proof=Proof(effective=False, seen="process 7 still runs"))
    world.run()

    assert (EventKind.NOT_PROVEN, "engine1", "process 7 still runs") in world.events
    assert not world.kinds(EventKind.PROVEN)


def test_fault_phase_lasts_until_io_flows_again() -> None:
    world = World(stalled=(4.0, 137.0))
    world.run()

    assert world.now_s > 137.0
    assert world.kinds(EventKind.ERROR) == []


def test_stall_without_end_is_left_after_the_cap() -> None:
    world = World(stalled=(4.0, 1e9))
    world.run()

    caps = Caps()
    assert caps.fault_s < world.now_s < caps.fault_s + caps.drain_s + 30
    assert "done" in world.kinds(EventKind.PHASE)


def test_lab_that_is_not_whole_is_not_broken() -> None:
    world = World(whole_after_s=1e9)

    assert world.run() == ["path p1 is failed"]
    assert "inject" not in world.calls
    assert world.kinds(EventKind.ERROR) == ["suite"]


def test_redundancy_that_takes_its_time_is_awaited() -> None:
    world = World()
    plan = make_plan()
    world.whole_after_s = 0.0
    ports = world.ports()
    looked = iter([[], *[["array A is resynchronising"]] * 9])
    ports = type(ports)(
        **{name: getattr(ports, name) for name in ports.__slots__ if name != "looks"},
        looks=[lambda: next(looked, [])],
    )
    ScenarioRun(plan=plan, repeat=1, ordinal=1, broken=BREAK, ports=ports).run()

    redundancy = [detail for kind, _, detail in world.events if kind is EventKind.REDUNDANCY]
    assert redundancy == ["every path active, engines and arrays say redundant"]
    assert world.now_s > 9 * 0.5


def test_failed_injection_is_undone_and_recorded() -> None:
    world = World(inject_fails=FaultError("no such process"))
    world.run()

    assert "undo" in world.calls
    assert "load off" in world.calls
    assert (EventKind.ERROR, "suite", "no such process") in world.events


def test_fault_that_does_not_mend_is_undone_at_the_end() -> None:
    world = World(mended=Proof(effective=False, seen="not ready"))
    world.run()

    assert (EventKind.NOT_PROVEN, "mend", "not ready") in world.events
    assert world.calls[-2:] == ["undo", "end"]


def test_probe_that_dies_ends_the_scenario() -> None:
    world = World(probe_failure="app-write: OSError(5)")
    world.run()

    assert "undo" not in world.calls
    assert world.calls[-2:] == ["load off", "end"]
    (text,) = [detail for kind, _, detail in world.events if kind is EventKind.ERROR]
    assert "app-write: OSError(5)" in text


def test_interrupt_heals_before_it_goes_on() -> None:
    world = World(interrupt_at_s=4.0)

    with pytest.raises(KeyboardInterrupt):
        world.run()

    assert world.calls[-3:] == ["undo", "load off", "end"]


def test_error_while_reading_back_is_recorded() -> None:
    world = World()

    def fail(history: object, lbas: list[int]) -> None:
        raise LabError("no path left")

    world.verify = fail  # type: ignore[method-assign]
    world.run()

    assert (EventKind.ERROR, "suite", "no path left") in world.events
    assert "done" not in world.kinds(EventKind.PHASE)


def test_time_left_shrinks_with_the_phases() -> None:
    plan = make_plan()
    left = [seconds_left(plan, phase) for phase in ("preflight", "steady", "fault", "recover")]

    assert left == sorted(left, reverse=True)
    assert seconds_left(plan, "done") == 0.0
