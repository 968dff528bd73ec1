"""The steps of one repeat, each injected, proven, mended and proven mended in its time.

It acts and records; it never judges. Whatever happens on the way, `undo` heals what is left.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from certify.deadline import Deadline
from certify.ports import Injection, Ports
from certify.scenarios.base import Break, Step
from certify.step_checks import MEND, SKIPPED
from fault_injectors import FaultError, Proof
from reports.record import EventKind

PROOF_S = 5.0
LOOK_S = 0.5
"""How often it is asked whether what was mended is whole: asking costs CPU."""


@dataclass(slots=True, kw_only=True)
class StepRun:
    """One step under way. `number` is its place in the schedule, from 1."""

    number: int
    step: Step
    injection: Injection | None = None
    mend_deadline: Deadline | None = None  # set while its mend waits for a proof

    @property
    def outstanding(self) -> bool:
        """Intended, and not yet seen healed."""
        return self.injection is not None and self.injection.outstanding

    @property
    def words(self) -> str:
        """What is broken, for a human."""
        return f"{self.step.fault.kind} on {self.step.fault.subject}"


@dataclass(slots=True, kw_only=True)
class Schedule:
    """The steps of one repeat: `prepare`, `play`, `mend`, and `undo` whatever happens.

    *watch* lets that many seconds pass under load; *wait_whole* waits until the lab is whole and
    returns what is not.
    """

    broken: Break
    ports: Ports
    watch: Callable[[float], None]
    wait_whole: Callable[[], list[str]]
    mend_s: float
    runs: list[StepRun] = field(init=False)

    def __post_init__(self) -> None:
        self.runs = [
            StepRun(number=number, step=step)
            for number, step in enumerate(self.broken.steps, start=1)
        ]

    def prepare(self) -> None:
        """Look up what every fault needs, before time matters.

        A step that comes after another was mended is left for its turn: an engine that was
        started again is another process.
        """
        first_mend = min(
            (one.mend_at_s for one in self.broken.steps if one.mend_at_s is not None),
            default=float("inf"),
        )
        for run in self.runs:
            if run.step.at_s < first_mend and not run.step.whole_first:
                run.injection = self.ports.prepare(run.step)

    def play(self) -> None:
        """Inject every step in its time, and mend those that have a time for it."""
        clock = self.ports.clock
        start_ns = clock()
        deadline = Deadline.after(self.broken.budget_s or float(1 << 31), clock)
        for at_s, run, act in self._moments():
            at_ns = start_ns + int(at_s * 1e9)
            if act == self._inject and max(at_ns, clock()) >= deadline.at_ns:
                self._skip(run)
                continue
            self._wait_until(at_ns)
            if act == self._inject and run.step.whole_first:
                before_ns = clock()
                if not self._shown_whole():
                    return
                start_ns += clock() - before_ns
            act(run)

    def mend(self) -> None:
        """Mend what is still broken, in order, and wait until each is seen whole."""
        for run in self.runs:
            if run.outstanding and run.mend_deadline is None:
                self._mend(run)
        while self._look():
            self.watch(LOOK_S)

    def undo(self) -> list[str]:
        """Heal all that is outstanding, whatever state it is in; return what could not be.

        All are mended before any is waited for: an engine may need the array that is gone too.
        """
        left = [run.injection for run in self.runs if run.injection and run.outstanding]
        if len(left) > 1:
            for injection in left:
                with suppress(FaultError):  # told below, when it is tried again
                    injection.mend()
        problems = []
        for injection in left:
            try:
                injection.undo(timeout_s=self.mend_s)
            except FaultError as error:
                problems.append(str(error))
        return problems

    def _moments(self) -> Iterator[tuple[float, StepRun, Callable[[StepRun], None]]]:
        """Yield when what is to be done; at the same time, what is mended comes first."""
        moments = []
        for run in self.runs:
            step = run.step
            moments.append((step.at_s, 1, run.number, run, self._inject))
            if step.mend_at_s is not None:
                order = 2 if step.mend_at_s <= step.at_s else 0
                at_s = max(step.mend_at_s, step.at_s)
                moments.append((at_s, order, run.number, run, self._mend))
        for at_s, _, _, run, act in sorted(moments, key=lambda one: one[:3]):
            yield at_s, run, act

    def _wait_until(self, at_ns: int) -> None:
        """Let time pass until *at_ns*, looking after what was mended meanwhile."""
        while (left_s := (at_ns - self.ports.clock()) / 1e9) > 0:
            self.watch(min(LOOK_S, left_s))
            self._look()

    def _shown_whole(self) -> bool:
        """Wait until the lab is whole before the next step, and record whether it was."""
        while self._look():
            self.watch(LOOK_S)
        problems = self.wait_whole()
        detail = problems[0] if problems else "whole again before the next fault"
        data = {"restored": not problems, "problems": problems[:10]}
        self.ports.history.event(EventKind.REDUNDANCY, "lab", detail, data)
        return not problems

    def _inject(self, run: StepRun) -> None:
        history, clock = self.ports.history, self.ports.clock
        fault = run.step.fault
        if run.injection is None:
            run.injection = self.ports.prepare(run.step)
        began = clock()
        run.injection.inject()
        took_ms = round((clock() - began) / 1e6, 3)
        data = {"kind": fault.kind, "took_ms": took_ms, "step": run.number}
        history.event(EventKind.INJECTED, fault.subject, run.words, data, began)
        proof = run.injection.prove(timeout_s=PROOF_S)
        kind = EventKind.PROVEN if proof.effective else EventKind.NOT_PROVEN
        history.event(kind, fault.subject, proof.seen, {"step": run.number})

    def _mend(self, run: StepRun) -> None:
        """Begin to mend; whether it is whole is looked at later, while time passes."""
        if run.injection is None or not run.outstanding:
            return  # it was skipped
        began = self.ports.clock()
        data = {"step": run.number}
        self.ports.history.event(
            EventKind.MENDED, run.step.fault.subject, f"undoing {run.step.fault.kind}", data, began
        )
        run.injection.mend()
        run.mend_deadline = Deadline.after(self.mend_s, self.ports.clock)

    def _look(self) -> bool:
        """Look at what was mended and not yet seen whole; return whether there is more of it."""
        for run in self.runs:
            if run.injection is None or run.mend_deadline is None:
                continue
            proof = run.injection.prove_mended(timeout_s=0.0)
            if proof.effective or run.mend_deadline.passed:
                run.mend_deadline = None
                self._record_mend(run, proof)
        return any(run.mend_deadline is not None for run in self.runs)

    def _record_mend(self, run: StepRun, proof: Proof) -> None:
        history, data = self.ports.history, {"step": run.number}
        if proof.effective:
            history.event(EventKind.MEND_PROVEN, run.step.fault.subject, proof.seen, data)
        else:
            history.event(EventKind.NOT_PROVEN, MEND, proof.seen, data)

    def _skip(self, run: StepRun) -> None:
        self.ports.history.event(
            EventKind.NOTE, SKIPPED, f"{run.words}: time was over", {"step": run.number}
        )
