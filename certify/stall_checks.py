"""Whether the longest stall of a window kept its limit, for the application of any host. Pure."""

from certify.stall import Stall
from certify.verdict import NOISE_SHARE, show_ms
from reports.record import Check, Verdict

STALL = "Longest stall"
NO_IO = "no I/O was due"


def check_stall(
    name: str,
    seen: Stall | None,
    *,
    limit_ms: float,
    certain_ms: float | None,
    standstill_ms: float,
    note: str = "",
) -> Check:
    """What the suite missed can only lengthen a stall, so one within its limit passes.

    Of one above it, what surely was the system's decides: if that is within the limit, the
    measuring host may have made the rest, and nothing can be said.
    """
    expected = f"≤ {show_ms(limit_ms)}"
    if seen is None:
        return _line(name, expected, NO_IO, Verdict.INCONCLUSIVE)
    if not seen.complete:
        observed = f"at least {show_ms(seen.ms)}, never ended{note}"
        return _line(name, expected, observed, Verdict.FAIL)
    observed = show_ms(seen.ms) + note
    if seen.ms <= limit_ms:
        return _line(name, expected, observed, Verdict.PASS)
    certain = seen.ms if certain_ms is None else certain_ms
    excess_ms = seen.ms - certain
    if certain <= limit_ms and excess_ms > limit_ms * NOISE_SHARE:
        observed += f", of which noise may be {show_ms(excess_ms)}"
        if standstill_ms > limit_ms * NOISE_SHARE:
            observed += f"; the measuring process stood still for {show_ms(standstill_ms)}"
        return _line(name, expected, observed, Verdict.INCONCLUSIVE)
    return _line(name, expected, observed, Verdict.FAIL)


def _line(name: str, expected: str, observed: str, verdict: Verdict) -> Check:
    return Check(name=name, expected=expected, observed=observed, verdict=verdict)
