"""What was measured of a known pause, and whether that is right. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from certify import stall
from certify.certain import Certain
from certify.dm_pause import Pause
from certify.history import APPLICATION, ARRAY, CONTROL, Window
from certify.standstill import Standstills, late_waits
from certify.verdict import show_ms
from reports.record import IoRecord, Verdict

SHARE = 0.05
"""A pause is measured within this share of it, or within one interval of the probe."""
OWN_MS = 50.0
OWN_SHARE = 0.1
"""So much may be blamed on the system while the measurer stood still: its ordinary latency."""
AFTER_NS = 2_000_000_000


class Place(StrEnum):
    """Where the pause is made."""

    PATH = "path"  # of the application's device
    ARRAY = "array"  # beneath a leg
    MEASURER = "measurer"  # the process of the probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One pause. Times in ms."""

    place: Place
    truth_ms: float
    doubt_ms: float  # of the truth
    measured_ms: float
    certain_ms: float  # what the judge would surely blame on the system under test
    tolerance_ms: float
    verdict: Verdict
    told: str

    @property
    def error_ms(self) -> float:
        """Measured minus truth."""
        return self.measured_ms - self.truth_ms


def judge_point(
    place: Place,
    pause: Pause,
    ios: Sequence[IoRecord],
    seen: Standstills,
    *,
    interval_ms: float,
) -> Point:
    """Compare what the probes of *place* show of a pause with what is known of it.

    *interval_ms* is that of the probe, or of the heartbeat where the measurer itself stood still.
    """
    window = Window(start_ns=pause.begin_ns[0], end_ns=pause.end_ns[1])
    end_ns = window.end_ns + max(AFTER_NS, window.end_ns - window.start_ns)
    wide = Window(start_ns=window.start_ns, end_ns=end_ns)
    late = late_waits(_of(ios, CONTROL), end_ns=end_ns)
    probes = _of(ios, ARRAY if place is Place.ARRAY else APPLICATION)
    certain = Certain(probes, late, seen, end_ns).longest_ms(wide, from_start=False) or 0.0
    if place is Place.MEASURER:
        measured = seen.longest_ms(Window(start_ns=window.start_ns, end_ns=end_ns))
    else:
        longest = stall.longest(probes, window, end_ns=end_ns)
        measured = longest.ms if longest else 0.0
    tolerance = max(SHARE * pause.ms, interval_ms) + pause.doubt_ms
    before = Window(start_ns=window.start_ns - AFTER_NS, end_ns=window.start_ns)
    verdict, told = _verdict(
        place, pause, measured, certain, tolerance, ambient_ms=_ambient_ms(probes, before)
    )
    return Point(
        place=place,
        truth_ms=pause.ms,
        doubt_ms=pause.doubt_ms,
        measured_ms=measured,
        certain_ms=certain,
        tolerance_ms=tolerance,
        verdict=verdict,
        told=told,
    )


def _of(ios: Iterable[IoRecord], prefix: str) -> list[IoRecord]:
    return [io for io in ios if io.probe.startswith(prefix)]


def _ambient_ms(probes: Sequence[IoRecord], before: Window) -> float:
    """Return how late the same probes were without a pause, just before it."""
    ended = [io for io in probes if 0 <= io.done_ns < before.end_ns]
    longest = stall.longest(ended, before, end_ns=before.end_ns)
    return longest.ms if longest else 0.0


def _verdict(
    place: Place,
    pause: Pause,
    measured: float,
    certain: float,
    tolerance: float,
    *,
    ambient_ms: float,
) -> tuple[Verdict, str]:
    if measured < pause.ms - tolerance:
        return Verdict.FAIL, f"too short by more than {show_ms(tolerance)}"
    own = place is Place.MEASURER
    if own and certain > max(OWN_MS, OWN_SHARE * pause.ms):
        return Verdict.FAIL, f"{show_ms(certain)} of it blamed on the system"
    if not own and certain < pause.ms / 2:
        return Verdict.INCONCLUSIVE, "the control disk was late at the same time: the host's noise"
    if measured <= pause.ms + tolerance:
        return Verdict.PASS, "flagged as the measurer's own" if own else "measured"
    if own or certain <= pause.ms + tolerance:
        return Verdict.INCONCLUSIVE, f"too long by {show_ms(measured - pause.ms)}: the host's noise"
    if measured - pause.ms <= tolerance + ambient_ms:
        return Verdict.INCONCLUSIVE, f"the lab was late by {show_ms(ambient_ms)} without a pause"
    return Verdict.FAIL, f"too long by more than {show_ms(tolerance)}"


def table_of(points: Sequence[Point]) -> list[str]:
    """Return the points as lines of text."""
    head = f"{'pause in':<10}{'truth':>10}{'measured':>10}{'error':>10}{'':>8}  verdict"
    return [head, *(_line(one) for one in points)]


def _line(one: Point) -> str:
    share = f"{100 * one.error_ms / one.truth_ms:+.1f} %"
    return (
        f"{one.place:<10}{show_ms(one.truth_ms):>10}{show_ms(one.measured_ms):>10}"
        f"{one.error_ms:>+7.1f} ms{share:>8}  {one.verdict}: {one.told}"
    )
