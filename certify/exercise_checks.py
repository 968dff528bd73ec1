"""What came of the exercises of a scenario, one line each. Pure."""

from certify.history import History
from reports.record import Check, EventKind, EventRecord, Verdict


def check_exercises(history: History) -> list[Check]:
    """Return a line per result; a planned exercise that said nothing is INCONCLUSIVE."""
    told = history.of_kind(EventKind.EXERCISE)
    silent = [
        Check(
            name=name,
            expected="a result",
            observed="the exercise said nothing",
            verdict=Verdict.INCONCLUSIVE,
        )
        for name in history.plan.exercises
        if not any(_is_of(event, name) for event in told)
    ]
    return [_check(event) for event in told] + silent


def _is_of(event: EventRecord, name: str) -> bool:
    return event.subject == name or event.subject.startswith(f"{name}: ")


def _check(event: EventRecord) -> Check:
    good = event.data.get("good")
    verdict = Verdict.INCONCLUSIVE
    if isinstance(good, bool):
        verdict = Verdict.PASS if good else Verdict.FAIL
    return Check(
        name=event.subject,
        expected=str(event.data.get("expected", "")),
        observed=event.detail,
        verdict=verdict,
    )
