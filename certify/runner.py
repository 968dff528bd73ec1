"""One repeat of one scenario, from preflight to undo. It acts and records; it never judges.

    preflight - steady - fault - mend - recover - undo - done

Every wait is bounded. Whatever happens on the way, also Ctrl-C, every fault is undone before
`ScenarioRun.run` returns or raises.
"""

from dataclasses import dataclass, field

import msgspec

from certify.deadline import Deadline
from certify.exercise import Exercise
from certify.lab import LabError
from certify.observe import start_all, stop_all
from certify.ports import Load, Ports
from certify.scenarios.base import Break
from certify.schedule import LOOK_S, Schedule
from certify.step_checks import SCHEDULE
from fault_injectors import FaultError
from reports.record import EventKind, ScenarioPlan

TICK_S = 0.1
FLOWS_MS = 250.0
"""I/O flows when nothing of the application has been due for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The longest that each phase may take, in seconds."""

    preflight_s: float = 60.0
    fault_s: float = 180.0
    """Above the longest stall that was ever measured: 132 s with the kernel's own timers."""
    mend_s: float = 60.0
    redundancy_s: float = 90.0
    drain_s: float = 30.0


EMULATED = Caps(preflight_s=180.0, mend_s=180.0, redundancy_s=300.0)
"""For an emulated CPU, on which an engine takes 20 s to start."""

WARM_UP_S = 0.5
SETTLE_S = 1.5
"""How long a healthy state is watched before the load ends, so that a late stall shows."""


@dataclass(slots=True, kw_only=True)
class ScenarioRun:
    """The state of one repeat under way."""

    plan: ScenarioPlan
    repeat: int
    ordinal: int
    broken: Break | None
    ports: Ports
    caps: Caps = field(default_factory=Caps)
    _load: Load | None = field(init=False, default=None)
    _schedule: Schedule | None = field(init=False, default=None)
    _exercises: list[Exercise] = field(init=False, default_factory=list)
    _phase_now: str = field(init=False, default="")
    _written: list[int] = field(init=False, default_factory=list)
    _restored: bool = field(init=False, default=False)  # by the last look

    def run(self) -> list[str]:
        """Do it all; return what of the lab is not whole again, one line each.

        Errors of the lab or the suite become ERROR events, so that the judge sees them.
        """
        history = self.ports.history
        history.begin(self.plan.id, self.repeat)
        try:
            return self._run()
        except (LabError, FaultError, OSError) as error:
            history.event(EventKind.ERROR, "suite", str(error))
            return self._recovered()
        finally:
            self._undo()
            history.end()

    def _run(self) -> list[str]:
        self._phase("preflight", "Is the lab whole?")
        self._preflight()
        if self.broken is not None:
            self._schedule = self._prepared(self.broken)
        observers = self.ports.observers()
        start_all(observers, self._emit)
        try:
            self._under_load()
        finally:
            stop_all(observers)
        return self._verify()

    def _prepared(self, broken: Break) -> Schedule:
        data = {"steps": [msgspec.to_builtins(step.plan()) for step in broken.steps]}
        self.ports.history.event(EventKind.NOTE, SCHEDULE, "what is to be broken, and when", data)
        schedule = Schedule(
            broken=broken,
            ports=self.ports,
            watch=self._watch,
            wait_whole=lambda: self._wait_whole(self.caps.redundancy_s),
            mend_s=self.caps.mend_s,
        )
        schedule.prepare()
        return schedule

    def _under_load(self) -> None:
        self._load = self.ports.load(self.ordinal, self.ports.history.io)
        self._load.start()
        for exercise in self.ports.exercises(lambda: self._phase_now):
            self._exercises.append(exercise)  # before it starts: half a start needs an end too
            exercise.start()
        self._watch(WARM_UP_S)
        self._phase("steady", "Load on, nothing broken")
        self._watch(self.plan.steady_s)
        if self._schedule is None:
            self._stop_load()  # what follows costs CPU, and nothing happens that a load could see
            self._stop_exercises()
            self._look_at_redundancy()
            return
        self._break_and_mend(self._schedule)
        self._phase("recover", "Until redundancy is shown")
        self._look_at_redundancy()
        self._watch(max(self.plan.recover_s, SETTLE_S), until_flowing_s=self.caps.drain_s)
        self._stop_load()
        self._stop_exercises()

    def _break_and_mend(self, schedule: Schedule) -> None:
        what = f"{self.plan.fault} on {self.plan.subject}"
        self._phase("fault", what)
        schedule.play()
        # Where an outage is meant, nobody can expect I/O to flow before the mend.
        until_s = 0.0 if self.plan.outage else self.caps.fault_s
        self._watch(self.plan.fault_s, until_flowing_s=until_s)
        self._phase("mend", f"Undoing {what}")
        schedule.mend()

    def _verify(self) -> list[str]:
        self._phase("undo", "Reading everything back")
        ports = self.ports
        if self._restored and self.ports.problems():  # lost again: unequal arrays would be no news
            self._look_at_redundancy()
        ports.verify(ports.history, self._written)
        problems = ports.problems()
        self._phase("done", "")
        return problems

    def _preflight(self) -> None:
        problems = self._wait_whole(self.caps.preflight_s)
        if problems:
            raise LabError(f"the lab is not whole before the fault: {problems[0]}")
        self.ports.settle()

    def _look_at_redundancy(self) -> None:
        """Wait until redundancy is shown, and record whether it was."""
        problems = self._wait_whole(self.caps.redundancy_s)
        detail = problems[0] if problems else "every path active, engines and arrays say redundant"
        self._restored = not problems
        data = {"restored": self._restored, "problems": problems[:10]}
        self.ports.history.event(EventKind.REDUNDANCY, "lab", detail, data)

    def _wait_whole(self, seconds: float) -> list[str]:
        """Wait until the lab is whole; return what is not when *seconds* have passed."""
        deadline = Deadline.after(seconds, self.ports.clock)
        while True:
            problems = self.ports.problems()
            if not problems or deadline.passed:
                return problems
            self._watch(LOOK_S)

    def _watch(self, seconds: float, *, until_flowing_s: float = 0.0) -> None:
        """Let time pass: *seconds*, and up to *until_flowing_s* until the I/O flows."""
        ports = self.ports
        least = Deadline.after(seconds, ports.clock)
        most = Deadline.after(max(seconds, until_flowing_s), ports.clock)
        while not least.passed or (self._stalled() and not most.passed):
            ports.sleep(min(TICK_S, least.remaining_s or TICK_S))
            if self._load is None:
                continue
            failure = self._load.failure()
            if failure:
                raise LabError(f"a probe died: {failure}")
            ports.narrator.pulse(self._load.pulses(), self._load.paths_up())

    def _stalled(self) -> bool:
        return self._load is not None and not self._load.flowing(FLOWS_MS)

    def _stop_load(self) -> None:
        load, self._load = self._load, None
        if load is not None:
            load.stop(timeout_s=self.caps.drain_s)
            self._written = load.written()

    def _stop_exercises(self) -> None:
        """Stop every exercise, also those after one that fails; raise what failed first."""
        failed: list[LabError | FaultError | OSError] = []
        while self._exercises:
            try:
                self._exercises.pop().stop()
            except (LabError, FaultError, OSError) as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _undo(self) -> None:
        """Heal what is outstanding and stop what runs, whatever state the run is in."""
        try:
            for problem in self._schedule.undo() if self._schedule else []:
                self.ports.history.event(EventKind.ERROR, "undo", problem)
        finally:
            self._stop_load()
            self._end_exercises()

    def _end_exercises(self) -> None:
        try:
            self._stop_exercises()
        except (LabError, FaultError, OSError) as error:
            self.ports.history.event(EventKind.ERROR, "exercise", str(error))

    def _recovered(self) -> list[str]:
        """After an error: undo, then say what of the lab is not whole."""
        self._undo()
        return self._wait_whole(self.caps.redundancy_s if self._schedule else 0.0)

    def _phase(self, name: str, detail: str) -> None:
        ports = self.ports
        self._phase_now = name
        ports.history.event(EventKind.PHASE, name, detail)
        ports.narrator.phase(name, detail, left_s=seconds_left(self.plan, name))

    def _emit(
        self, kind: EventKind, subject: str, detail: str, data: dict[str, object], t_ns: int
    ) -> None:
        self.ports.history.event(kind, subject, detail, data, t_ns)


OVERHEAD_S = {"preflight": 3.0, "mend": 2.0, "recover": 4.0, "undo": 3.0}
"""What the phases take beside the times of the plan, for the display of the time left only."""


def seconds_left(plan: ScenarioPlan, phase: str = "preflight") -> float:
    """Return about how long a scenario goes on from the beginning of *phase*."""
    steps = [("preflight", 0.0), ("steady", plan.steady_s + WARM_UP_S)]
    if plan.fault:
        last_s = max((step.mend_at_s or step.at_s for step in plan.steps), default=0.0)
        fault_s = plan.fault_s + min(last_s, plan.budget_s or last_s)
        steps += [("fault", fault_s), ("mend", 0.0), ("recover", plan.recover_s)]
    steps += [("undo", 0.0), ("done", 0.0)]
    names = [name for name, _ in steps]
    rest = steps[names.index(phase) :] if phase in names else []
    return sum(seconds + OVERHEAD_S.get(name, 0.0) for name, seconds in rest)
