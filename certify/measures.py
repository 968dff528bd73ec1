"""The numbers that a judgement is made of, taken from a history. Pure."""

from dataclasses import dataclass

from certify import stall
from certify.history import APPLICATION, CONTROL, History, Window
from certify.integrity import Integrity
from certify.integrity import check as check_integrity
from certify.stall import Stall
from reports.record import IoOutcome, IoRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured in one repeat of one scenario; None where there was nothing to measure."""

    failover: Stall | None
    failback: Stall | None
    quiet: Stall | None
    noise_failover_ms: float | None
    noise_failback_ms: float | None
    gap_ms: float | None
    errors: list[IoRecord]
    never: int
    integrity: Integrity
    sound: bool  # reads and writes were seen to succeed


def measure(history: History) -> Measured:
    """Take the numbers of one repeat of one scenario."""
    application = history.of_probe(APPLICATION)
    control = history.of_probe(CONTROL)
    end = history.end_ns
    failover, failback, quiet = history.failover, history.failback, history.steady
    good = {io.op for io in application if io.outcome is IoOutcome.GOOD}
    return Measured(
        failover=stall.longest(application, failover, end_ns=end) if failover else None,
        failback=stall.longest_from(application, failback, end_ns=end) if failback else None,
        quiet=_quiet(application, quiet),
        noise_failover_ms=_noise(control, failover or quiet, end),
        noise_failback_ms=_noise(control, failback, end),
        gap_ms=stall.longest_gap_ms(application, failover) if failover else None,
        errors=[io for io in application if io.outcome in _ERRORS],
        never=sum(io.done_ns < 0 for io in application),
        integrity=check_integrity(history.ios),
        sound={"read", "write"} <= good,
    )


_ERRORS = frozenset(
    {IoOutcome.ERROR, IoOutcome.CHECK_CONDITION, IoOutcome.STATUS, IoOutcome.TRANSPORT}
)


def _quiet(application: list[IoRecord], window: Window | None) -> Stall | None:
    """The longest wait before the fault, of I/Os that ended before it."""
    if window is None:
        return None
    ended = [io for io in application if 0 <= io.done_ns < window.end_ns]
    return stall.longest(ended, window, end_ns=window.end_ns)


def _noise(control: list[IoRecord], window: Window | None, end: int) -> float | None:
    if window is None or not control:
        return None
    worst = stall.longest(control, window, end_ns=end)
    return worst.ms if worst else None
