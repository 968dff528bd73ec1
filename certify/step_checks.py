"""Whether every fault of a schedule was there and went away again, by what was seen. Pure.

A fault that nobody saw makes the scenario INCONCLUSIVE: then nothing was shown to be survived.
"""

from collections.abc import Sequence

import msgspec

from certify.history import History
from reports.record import Check, EventKind, EventRecord, StepPlan, Verdict

SCHEDULE = "schedule"
"""Subject of the NOTE that holds the steps of a repeat."""
SKIPPED = "step skipped"
"""Subject of the NOTE that says that time was over before a step."""
MEND = "mend"
"""Subject of a NOT_PROVEN that is about a mend."""
LINES_MAX = 3
"""Up to so many different faults have lines of their own."""
_FINE = "as expected"


def planned_steps(history: History) -> list[StepPlan]:
    """Return the steps of this repeat; old runs hold none, and had one fault each."""
    for note in history.of_kind(EventKind.NOTE):
        if note.subject == SCHEDULE:
            return msgspec.convert(note.data.get("steps", []), list[StepPlan])
    plan = history.plan
    return list(plan.steps) or [StepPlan(fault=plan.fault, subject=plan.subject)]


def step_of(event: EventRecord) -> int:
    """Return the number of the step that an event is about, from 1."""
    return int(event.data.get("step", 1))


def check_steps(history: History) -> list[Check]:
    """Return two lines per thing that was to be broken: seen broken, and seen whole again."""
    groups: dict[str, list[int]] = {}
    skipped = {step_of(note) for note in history.of_kind(EventKind.NOTE) if note.subject == SKIPPED}
    for number, step in enumerate(planned_steps(history), start=1):
        if number not in skipped:
            groups.setdefault(f"{step.fault} on {step.subject}", []).append(number)
    if not groups:
        return [_check("Fault injected and seen", "time was over", Verdict.INCONCLUSIVE)]
    if len(groups) > LINES_MAX:  # a soak: one line for all
        groups = {"": sorted(number for numbers in groups.values() for number in numbers)}
    checks = []
    for words, numbers in groups.items():
        of = f": {words}" if len(groups) > 1 else ""
        checks.append(
            _check_proofs(
                history,
                numbers,
                name=f"Fault injected and seen{of}",
                done=EventKind.INJECTED,
                proof=EventKind.PROVEN,
            )
        )
        checks.append(
            _check_proofs(
                history,
                numbers,
                name=f"Fault mended and seen{of}",
                done=EventKind.MENDED,
                proof=EventKind.MEND_PROVEN,
            )
        )
    return checks


def _check_proofs(
    history: History, numbers: Sequence[int], *, name: str, done: EventKind, proof: EventKind
) -> Check:
    """Every one of the steps *numbers* must have been done, and a proof of it seen."""
    proven = {step_of(event): event for event in history.of_kind(proof)}
    open_steps = [number for number in numbers if number not in proven]
    times = f"{len(numbers) - len(open_steps)} of {len(numbers)} times; " * (len(numbers) > 1)
    if not open_steps:
        return _check(name, times + (proven[numbers[-1]].detail or _FINE), Verdict.PASS)
    first = open_steps[0]
    if all(step_of(event) != first for event in history.of_kind(done)):
        return _check(name, f"{times}the fault was never {done}", Verdict.INCONCLUSIVE)
    refuted = [
        event.detail
        for event in history.of_kind(EventKind.NOT_PROVEN)
        if step_of(event) == first and (event.subject == MEND) is (proof is EventKind.MEND_PROVEN)
    ]
    observed = refuted[-1] if refuted else "no proof was recorded"
    return _check(name, times + observed, Verdict.INCONCLUSIVE)


def _check(name: str, observed: str, verdict: Verdict) -> Check:
    return Check(name=name, expected="proof", observed=observed, verdict=verdict)
