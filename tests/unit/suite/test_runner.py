"""A scenario goes through its phases in order, is bounded whatever happens, and always undoes.

Method: the runner with fakes at every port and a clock that only moves when somebody sleeps.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from certify.exercise import Exercise
from certify.lab import LabError
from certify.ports import Ports
from certify.probes import Pulse
from certify.runner import Caps, ScenarioRun, seconds_left
from certify.scenarios.base import Break
from fault_injectors import FaultError, PathPull, Proof
from reports.record import EventKind, EventRecord, IoRecord

from .conftest import make_plan

BREAK = Break.of(PathPull(subject="engine1", hctl=("1:0:0:*",)), "local")
SEEN = Proof(effective=True, seen="seen")
QUIET = Pulse(ended=1, errors=0, last_ms=1.0, worst_ms=1.0, waiting_ms=0.0)


@dataclass
class World:
    """All ports in one, and what a test wants to happen."""

    now_s: float = 0.0
    events: list[tuple[EventKind, str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    whole_after_s: float = 0.0
    stalled: tuple[float, float] = (0.0, 0.0)
    proof: Proof = SEEN
    mended: Proof = SEEN
    inject_fails: Exception | None = None
    probe_failure: str = ""
    interrupt_at_s: float = 1e9
    outstanding: bool = False

    # clock
    def clock(self) -> int:
        return int(self.now_s * 1e9)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self.interrupt_at_s:
            self.interrupt_at_s = 1e9
            raise KeyboardInterrupt

    # history
    def begin(self, scenario: str, repeat: int) -> None:
        self.calls.append(f"begin {scenario} {repeat}")

    def end(self) -> None:
        self.calls.append("end")

    def event(
        self,
        kind: EventKind,
        subject: str,
        detail: str = "",
        data: dict[str, Any] | None = None,
        t_ns: int | None = None,
    ) -> EventRecord:
        self.events.append((kind, subject, detail))
        return EventRecord(t_ns=0, scenario="", repeat=0, kind=kind, subject=subject)

    def io(self, record: IoRecord) -> None:
        raise AssertionError("the runner itself does no I/O")

    # narrator
    def phase(self, name: str, detail: str, *, left_s: float) -> None:
        self.calls.append(f"phase {name}")

    def pulse(self, pulses: dict[str, Pulse], paths_up: tuple[int, int]) -> None:
        assert (pulses, paths_up) == ({"app-write": QUIET}, (2, 2))

    # load
    def start(self) -> None:
        self.calls.append("load on")

    def pulses(self) -> dict[str, Pulse]:
        return {"app-write": QUIET}

    def paths_up(self) -> tuple[int, int]:
        return 2, 2

    def failure(self) -> str:
        return self.probe_failure

    def flowing(self, within_ms: float) -> bool:
        return not self.stalled[0] <= self.now_s < self.stalled[1]

    def stop(self, *, timeout_s: float) -> int:
        self.calls.append("load off")
        return 0

    def written(self) -> list[int]:
        return [8, 16]

    # injection
    def inject(self) -> None:
        self.outstanding = True
        self.calls.append("inject")
        if self.inject_fails:
            raise self.inject_fails

    def prove(self, *, timeout_s: float = 0.0) -> Proof:
        return self.proof

    def mend(self) -> None:
        self.calls.append("mend")

    def prove_mended(self, *, timeout_s: float = 0.0) -> Proof:
        self.outstanding = self.outstanding and not self.mended.effective
        return self.mended

    def undo(self, *, timeout_s: float = 0.0) -> None:
        self.calls.append("undo")
        self.outstanding = False

    # the rest
    def look(self) -> list[str]:
        return [] if self.now_s >= self.whole_after_s else ["path p1 is failed"]

    def verify(self, history: object, lbas: list[int]) -> None:
        self.calls.append(f"verify {lbas}")

    def exercises(self, phase: object) -> list[Exercise]:
        return []

    def ports(self) -> Ports:
        return Ports(
            history=self,
            narrator=self,
            clock=self.clock,
            sleep=self.sleep,
            observers=list,
            load=lambda ordinal, emit: self,
            prepare=lambda broken: self,
            looks=[self.look],
            verify=self.verify,
            exercises=self.exercises,
        )

    def run(self, **changes: Any) -> list[str]:
        plan = make_plan(**changes)
        return ScenarioRun(
            plan=plan,
            repeat=1,
            ordinal=1,
            broken=BREAK if plan.fault else None,
            ports=self.ports(),
        ).run()

    def kinds(self, *wanted: EventKind) -> list[str]:
        return [subject for kind, subject, _ in self.events if kind in wanted]


def test_phases_come_in_order() -> None:
    world = World()

    assert world.run() == []
    assert world.kinds(EventKind.PHASE) == [
        "preflight", "steady", "fault", "mend", "recover", "undo", "done",
    ]  # fmt: skip
    assert [call for call in world.calls if not call.startswith("phase")] == [
        "begin E1k 1", "load on", "inject", "mend", "load off", "verify [8, 16]", "end",
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
