"""An outage that a scenario means the application to see, and what must hold all the same. Pure.

Where both engines are dead nobody can serve. Then no stall is judged and, where the plan says so,
no I/O error; but before the outage everything is judged as ever, I/O must flow again by itself
within the time of the plan, and every acknowledged write must be there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from certify.history import APPLICATION, CONTROL, PATH, History, Window
from certify.stall import NS_PER_MS, done_ns
from certify.standstill import certain_ms, late_waits, overlapping, standstills
from certify.step_checks import step_of
from certify.verdict import show_ms
from reports.record import Check, EventKind, IoOutcome, IoRecord, OutagePlan, Verdict

RETURN = "I/O flows again by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The outage of one repeat. `return_ns` is None when I/O never flowed again."""

    plan: OutagePlan
    start_ns: int
    mended_ns: int
    return_ns: int | None
    certain_return_ns: int | None  # not before this, whatever the suite missed
    before: Window | None  # from the first fault to the outage; None where it begins with it

    def excuses(self, io: IoRecord) -> bool:
        """Say whether an I/O may have failed: it was due or outstanding in the outage."""
        ended = io.done_ns < 0 or io.done_ns >= self.start_ns
        return self.plan.errors and ended and (self.return_ns is None or io.due_ns < self.return_ns)


def outage_of(history: History) -> Outage | None:
    """Return the outage that the plan means, None where it means none or it never came."""
    plan, mended, failover = history.plan.outage, history.mended_ns, history.failover
    if plan is None or mended is None or failover is None:
        return None
    injected = {step_of(event): event.t_ns for event in history.of_kind(EventKind.INJECTED)}
    start = injected.get(plan.from_step or max(injected))
    if start is None:
        return None
    before = Window(start_ns=failover.start_ns, end_ns=start)
    returned, certain = _return_ns(history, mended)
    return Outage(
        plan=plan,
        start_ns=start,
        mended_ns=mended,
        return_ns=returned,
        certain_return_ns=certain,
        before=before if start > failover.start_ns else None,
    )


def before_only(ios: Sequence[IoRecord], outage: Outage | None) -> list[IoRecord]:
    """Return the I/Os that ended before the outage: what waited into it is not judged."""
    if outage is None:
        return list(ios)
    return [io for io in ios if 0 <= io.done_ns < outage.start_ns]


def _return_ns(history: History, mended_ns: int) -> tuple[int | None, int | None]:
    """Return from when on every I/O was good and in time, and the earliest that it can have been.

    An I/O is late here when it surely waited for the system under test, not for the suite. None
    when the return never came.
    """
    limit_ms, end = history.plan.limit_failback_ms, history.end_ns
    seen = standstills(history)
    late = late_waits(history.of_probe(CONTROL), end_ns=end)
    at = certain = mended_ns
    flows = False
    for io in sorted(history.of_probe(APPLICATION), key=lambda one: done_ns(one, end)):
        done = done_ns(io, end)
        if done < mended_ns or io.outcome is IoOutcome.NOT_SENT:
            continue
        if io.outcome is IoOutcome.NEVER:
            return None, None
        begin = max(io.due_ns, mended_ns)
        sure_ms = (done - begin) / NS_PER_MS
        if sure_ms > limit_ms:
            control = overlapping(late, begin, done)
            sure_ms = certain_ms(io, start_ns=begin, done_ns=done, seen=seen, control=control)
        bad = io.outcome is not IoOutcome.GOOD
        flows = not bad
        if bad or sure_ms > limit_ms:
            at = done
            certain = done if bad else max(certain, begin + int(sure_ms * NS_PER_MS))
    return (at, certain) if flows else (None, None)


def check_outage(history: History, outage: Outage) -> list[Check]:
    """Return the lines that take the place of those about the longest stall."""
    return [_check_return(outage), *_check_answers(history, outage)]


def _check_return(outage: Outage) -> Check:
    limit_ms = outage.plan.return_ms
    expected = f"≤ {show_ms(limit_ms)} after mending began"
    if outage.return_ns is None or outage.certain_return_ns is None:
        return _check(RETURN, expected, "it never did", Verdict.FAIL)
    ms = (outage.return_ns - outage.mended_ns) / NS_PER_MS
    sure_ms = (outage.certain_return_ns - outage.mended_ns) / NS_PER_MS
    if ms <= limit_ms:
        return _check(RETURN, expected, show_ms(ms), Verdict.PASS)
    verdict = Verdict.FAIL if sure_ms > limit_ms else Verdict.INCONCLUSIVE
    return _check(RETURN, expected, f"{show_ms(ms)}, at least {show_ms(sure_ms)}", verdict)


def _check_answers(history: History, outage: Outage) -> list[Check]:
    """Where the plan asks for it: every command on a path is answered, even if it is refused."""
    limit_ms = outage.plan.answer_ms
    if limit_ms is None:
        return []
    name, expected = "Paths answer at once", f"every command within {show_ms(limit_ms)}"
    seen = [io for io in history.of_probe(PATH) if outage.start_ns <= io.sent_ns < outage.mended_ns]
    if not seen:
        return [_check(name, expected, "no path was asked", Verdict.INCONCLUSIVE)]
    slowest = max(seen, key=lambda io: done_ns(io, history.end_ns) - io.sent_ns)
    ms = (done_ns(slowest, history.end_ns) - slowest.sent_ns) / NS_PER_MS
    said = next((f", sense {io.sense}" for io in seen if io.sense), "")
    verdict = Verdict.PASS if ms <= limit_ms else Verdict.FAIL
    return [_check(name, expected, f"{len(seen)}, the slowest in {show_ms(ms)}{said}", verdict)]


def _check(name: str, expected: str, observed: str, verdict: Verdict) -> Check:
    return Check(name=name, expected=expected, observed=observed, verdict=verdict)
