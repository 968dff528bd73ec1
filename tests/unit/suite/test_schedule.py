"""Every step of a schedule comes and goes in its time, and none is left behind.

Method: the runner with fakes at every port; each step has a fake of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from certify.exercise import Exercise
from certify.lab import LabError
from certify.ports import Injection
from certify.runner import ScenarioRun
from certify.scenarios import MODULES
from certify.scenarios.base import Break, Step
from certify.scenarios.soak import SEGMENT_S
from fault_injectors import FaultError, PathPull, Proof
from reports.record import EventKind, OutagePlan, ScenarioPlan

from .conftest import make_plan
from .test_scenarios import make_lab
from .world import World

STEADY_S = 3.5
"""When the fault phase of these plans begins: warm-up and steady."""


def step(name: str, at_s: float = 0.0, mend_at_s: float | None = None, **more: bool) -> Step:
    fault = PathPull(subject=name, hctl=("1:0:0:*",))
    return Step(fault=fault, reach="local", at_s=at_s, mend_at_s=mend_at_s, **more)


@dataclass
class One:
    """One step of the world, and how long it takes to be whole after its mend."""

    world: "Steps"
    name: str
    outstanding: bool = False
    mended_s: float = -1.0

    def inject(self) -> None:
        self.outstanding = True
        self.world.say(f"{self.name} broken")
        if self.name in self.world.broken_injections:
            raise FaultError(f"{self.name}: no such thing")

    def prove(self, *, timeout_s: float = 0.0) -> Proof:
        return Proof(effective=True, seen=f"{self.name} is broken")

    def mend(self) -> None:
        self.mended_s = self.world.now_s
        self.world.say(f"{self.name} mended")

    def prove_mended(self, *, timeout_s: float = 0.0) -> Proof:
        whole = self.world.now_s >= self.mended_s + self.world.heals_in_s
        self.outstanding = self.outstanding and not whole
        return Proof(effective=whole, seen=f"{self.name} looked at")

    def undo(self, *, timeout_s: float = 0.0) -> None:
        self.outstanding = False
        self.world.say(f"{self.name} undone")
        if self.name in self.world.stubborn:
            raise FaultError(f"{self.name} is not healed")


@dataclass
class Steps(World):
    """A world whose steps have a life of their own."""

    heals_in_s: float = 0.0
    broken_injections: tuple[str, ...] = ()
    stubborn: tuple[str, ...] = ()
    told: list[tuple[float, str]] = field(default_factory=list)
    exercising: list[Exercise] = field(default_factory=list)

    def say(self, what: str) -> None:
        self.told.append((round(self.now_s - STEADY_S, 1), what))

    def prepare(self, step: Step) -> Injection:
        self.say(f"{step.fault.subject} prepared")
        return One(self, step.fault.subject)

    def exercises(self, phase: Callable[[], str] | object) -> Sequence[Exercise]:
        return self.exercising

    def go(self, *steps: Step, budget_s: float | None = None, **changes: object) -> list[str]:
        return ScenarioRun(
            plan=make_plan(**changes),
            repeat=1,
            ordinal=1,
            broken=Break(steps=steps, budget_s=budget_s),
            ports=self.ports(),
        ).run()

    def acts(self) -> list[tuple[float, str]]:
        return [one for one in self.told if not one[1].endswith("prepared")]


def test_steps_are_broken_in_their_time_and_mended_in_order_at_the_end() -> None:
    world = Steps()
    world.go(step("a"), step("b", at_s=4.0))

    assert world.acts() == [
        (0.0, "a broken"),
        (4.0, "b broken"),
        (7.0, "a mended"),
        (7.0, "b mended"),
    ]


def test_flaps_are_mended_in_between() -> None:
    world = Steps()
    world.go(step("p", 0.0, 1.0), step("p", 2.0, 3.0), step("p", 4.0))

    assert [at for at, what in world.acts() if what == "p broken"] == [0.0, 2.0, 4.0]
    assert [at for at, what in world.acts() if what == "p mended"] == [1.0, 3.0, 7.0]
    assert len(world.kinds(EventKind.PROVEN)) == len(world.kinds(EventKind.MEND_PROVEN)) == 3


def test_what_is_mended_in_between_does_not_delay_the_next_step() -> None:
    world = Steps(heals_in_s=5.0)
    world.go(step("a", 0.0, 1.0), step("b", 2.0))

    assert (2.0, "b broken") in world.acts()
    assert world.kinds(EventKind.MEND_PROVEN) == ["a", "b"]


def test_step_after_a_mend_is_prepared_when_it_is_its_turn() -> None:
    world = Steps()
    world.go(step("a", 0.0, 1.0), step("b", 2.0))

    prepared = {what: at for at, what in world.told if what.endswith("prepared")}
    assert prepared["a prepared"] < 0.0
    assert prepared["b prepared"] == 2.0


def test_step_waits_until_the_lab_is_whole() -> None:
    world = Steps()
    world.whole_after_s = 0.0
    schedule = (step("a", 0.0, 1.0), step("b", 2.0, 3.0, whole_first=True), step("c", 4.0))
    original = world.look

    def look() -> list[str]:
        broken_once = any(what == "a broken" for _, what in world.told)
        if broken_once and world.now_s - STEADY_S < 9.0:
            return ["array A is resynchronising"]
        return original()

    world.look = look  # type: ignore[method-assign]
    world.go(*schedule)

    begins = {what: at for at, what in world.acts()}
    assert begins["b broken"] >= 9.0
    assert begins["b mended"] == pytest.approx(begins["b broken"] + 1.0, abs=0.2)
    assert begins["c broken"] == pytest.approx(begins["b broken"] + 2.0, abs=0.2)
    assert "whole again before the next fault" in [detail for _, _, detail in world.events]


def test_lab_that_stays_broken_gets_no_further_fault() -> None:
    world = Steps()
    world.look = lambda: (  # type: ignore[method-assign]
        ["not redundant"] if any(what == "a broken" for _, what in world.told) else []
    )
    problems = world.go(step("a", 0.0, 1.0), step("b", 2.0, 3.0, whole_first=True))

    assert problems == ["not redundant"]
    assert "b broken" not in [what for _, what in world.told]
    assert world.kinds(EventKind.REDUNDANCY) == ["lab", "lab"]


def test_no_step_begins_after_the_budget() -> None:
    world = Steps()
    world.go(step("a", 0.0, 1.0), step("b", 3.0, 4.0), step("c", 6.0, 7.0), budget_s=5.0)

    assert [what for _, what in world.acts() if "broken" in what] == ["a broken", "b broken"]
    assert world.kinds(EventKind.NOTE)[-1] == "step skipped"


def test_events_name_the_step_and_the_schedule_is_recorded() -> None:
    world = Steps()
    world.go(step("a"), step("b", at_s=1.0))

    assert world.kinds(EventKind.INJECTED) == ["a", "b"]
    assert world.kinds(EventKind.NOTE) == ["schedule"]


def test_interrupt_with_two_faults_outstanding_heals_both() -> None:
    world = Steps(interrupt_at_s=STEADY_S + 2.0)

    with pytest.raises(KeyboardInterrupt):
        world.go(step("a"), step("b", at_s=1.0))

    assert [what for _, what in world.told][-4:] == [
        "a mended",
        "b mended",
        "a undone",
        "b undone",
    ]
    assert world.calls[-2:] == ["load off", "end"]


def test_one_that_cannot_be_undone_does_not_keep_the_other() -> None:
    world = Steps(interrupt_at_s=STEADY_S + 2.0, stubborn=("a",))

    with pytest.raises(KeyboardInterrupt):
        world.go(step("a"), step("b", at_s=1.0))

    assert [what for _, what in world.told][-2:] == ["a undone", "b undone"]
    assert (EventKind.ERROR, "undo", "a is not healed") in world.events


def test_second_injection_that_fails_undoes_the_first() -> None:
    world = Steps(broken_injections=("b",))
    world.go(step("a"), step("b", at_s=1.0))

    assert "a undone" in [what for _, what in world.told]
    assert (EventKind.ERROR, "suite", "b: no such thing") in world.events


def test_outage_that_is_meant_is_not_waited_out() -> None:
    world = Steps(stalled=(STEADY_S, 1e9))
    outage = OutagePlan(why="nothing is left", return_ms=1000.0)
    world.go(step("a"), outage=outage)

    assert (3.0, "a mended") in world.acts()


def test_soak_goes_through_its_schedule_one_fault_at_a_time() -> None:
    world = Steps(heals_in_s=1.0)
    broken = MODULES["T1"].SCENARIO.schedule(make_lab(), seed=3)
    assert broken is not None
    world.go(*broken.steps, budget_s=broken.budget_s, fault_s=0.0)

    acts = [what.rpartition(" ")[2] for _, what in world.acts()]
    assert acts == ["broken", "mended"] * (len(acts) // 2)
    assert len(acts) > 40
    last_s = max(at for at, what in world.acts() if what.endswith("broken"))
    assert SEGMENT_S - 30 < last_s < SEGMENT_S
    assert len(world.kinds(EventKind.MEND_PROVEN)) == len(acts) // 2


@dataclass
class Notebook:
    """An exercise that notes what is done with it."""

    world: Steps
    name: str
    fails: str = ""

    def start(self) -> None:
        self.world.say(f"{self.name} started")
        if self.fails == "start":
            raise LabError("cannot start")

    def stop(self) -> None:
        self.world.say(f"{self.name} stopped")
        if self.fails == "stop":
            raise FaultError("cannot stop")


def test_exercises_run_from_before_the_fault_until_after_the_recovery() -> None:
    world = Steps()
    world.exercising = [Notebook(world, "x"), Notebook(world, "y")]
    world.go(step("a"))

    assert [what for _, what in world.acts()] == [
        "x started",
        "y started",
        "a broken",
        "a mended",
        "y stopped",
        "x stopped",
    ]


@pytest.mark.parametrize("fails", ["start", "stop"])
def test_exercise_that_fails_is_an_error_and_all_are_stopped(fails: str) -> None:
    world = Steps()
    world.exercising = [Notebook(world, "x"), Notebook(world, "y", fails=fails)]
    world.go(step("a"))

    stopped = [what for _, what in world.told if what.endswith("stopped")]
    assert sorted(stopped) == ["x stopped", "y stopped"]
    assert f"cannot {fails}" in [text for kind, _, text in world.events if kind is EventKind.ERROR]


def test_exercises_are_stopped_on_interrupt() -> None:
    world = Steps(interrupt_at_s=STEADY_S + 1.0)
    world.exercising = [Notebook(world, "x")]

    with pytest.raises(KeyboardInterrupt):
        world.go(step("a"))

    assert "x stopped" in [what for _, what in world.told]


def test_plan_of_a_schedule_takes_as_long_as_its_steps() -> None:
    from certify.runner import seconds_left

    one: ScenarioPlan = make_plan(steps=[step("a", 0.0, 20.0).plan()])

    assert seconds_left(one) == seconds_left(make_plan()) + 20.0
