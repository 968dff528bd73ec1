"""What else was late or failed while an I/O of the application waited. Pure.

Evidence beside the application: the paths by SG_IO, the arrays' legs past the system under test,
the control disk, and the suite's own heartbeat.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from certify.history import ARRAY, CONTROL, CROSS, PATH, History, Window
from certify.standstill import standstills
from certify.verdict import show_ms
from reports.record import EventKind, IoOutcome, IoRecord

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that was late or failed in a span of time."""

    text: str  # "array A's leg took up to 480 ms"
    spans: list[Window]


def is_bad(io: IoRecord) -> bool:
    """Say whether an I/O ended badly, or never."""
    return io.outcome not in (IoOutcome.GOOD, IoOutcome.NOT_SENT)


def path_evidence(history: History) -> list[IoRecord]:
    """Return what was sent through single paths."""
    return [*history.of_probe(PATH), *history.of_probe(CROSS)]


def causes_within(history: History, wait: Window, *, late_ms: float) -> list[Cause]:
    """Return what explains a wait of the application, besides path events; most telling first."""
    end_ns = history.end_ns
    found = [
        _slow(f"{_leg(probe)} took up to", ios, wait, late_ms, end_ns)
        for probe, ios in _by_probe(history.of_probe(ARRAY)).items()
    ]
    stood = [one for one in standstills(history).stood if _clipped(one, wait)]
    if stood:
        longest = max(one.end_ns - one.start_ns for one in stood) / NS_PER_MS
        found.append(
            Cause(text=f"the suite itself stood still for {show_ms(longest)}", spans=stood)
        )
    control = history.of_probe(CONTROL)
    found.append(_slow("the control disk took up to", control, wait, late_ms, end_ns))
    return [one for one in found if one is not None]


def unexplained_ms(history: History, wait: Window, *, late_ms: float) -> float:
    """Return how much of a wait neither a path event nor any cause explains, in ms.

    A path that failed, was marked failed or was itself late explains the wait until its end: the
    rest of it is the retry elsewhere.
    """
    if _has_path_event(history, wait, late_ms):
        return 0.0
    spans = [
        clipped
        for cause in causes_within(history, wait, late_ms=late_ms)
        for span in cause.spans
        if (clipped := _clipped(span, wait))
    ]
    covered, until = 0, wait.start_ns
    for span in sorted(spans, key=lambda one: one.start_ns):
        covered += max(0, span.end_ns - max(span.start_ns, until))
        until = max(until, span.end_ns)
    return (wait.end_ns - wait.start_ns - covered) / NS_PER_MS


def _has_path_event(history: History, wait: Window, late_ms: float) -> bool:
    changes = any(
        wait.start_ns <= event.t_ns <= wait.end_ns
        for event in history.of_kind(EventKind.PATH_STATE)
    )
    return changes or any(
        _clipped(_span(io, history.end_ns), wait)
        for io in path_evidence(history)
        if is_bad(io) or _is_late(io, late_ms, history.end_ns)
    )


def _by_probe(ios: Iterable[IoRecord]) -> dict[str, list[IoRecord]]:
    found: dict[str, list[IoRecord]] = {}
    for io in ios:
        found.setdefault(io.probe, []).append(io)
    return found


def _leg(probe: str) -> str:
    return f"array {probe.partition(':')[2]}'s leg, read directly,"


def _slow(
    text: str, ios: Iterable[IoRecord], wait: Window, late_ms: float, end_ns: int
) -> Cause | None:
    late = [
        span
        for io in ios
        if is_bad(io) or _is_late(io, late_ms, end_ns)
        if _clipped(span := _span(io, end_ns), wait)
    ]
    if not late:
        return None
    longest = max(one.end_ns - one.start_ns for one in late) / NS_PER_MS
    return Cause(text=f"{text} {show_ms(longest)}", spans=late)


def _is_late(io: IoRecord, late_ms: float, end_ns: int) -> bool:
    span = _span(io, end_ns)
    return (span.end_ns - span.start_ns) / NS_PER_MS > late_ms


def _span(io: IoRecord, end_ns: int) -> Window:
    return Window(start_ns=io.due_ns, end_ns=io.done_ns if io.done_ns >= 0 else end_ns)


def _clipped(one: Window, wait: Window) -> Window | None:
    """Return the part of *one* within *wait*, None if there is none."""
    start_ns, end_ns = max(one.start_ns, wait.start_ns), min(one.end_ns, wait.end_ns)
    return Window(start_ns=start_ns, end_ns=end_ns) if start_ns < end_ns else None
