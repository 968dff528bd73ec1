"""Where the time of a stall went: from the fault to the last late I/O. Pure."""

from dataclasses import dataclass

from certify.history import APPLICATION, PATH, History
from certify.stall import NS_PER_MS
from reports.record import AttributionPhase, EventKind, IoOutcome, IoRecord

USABLE = frozenset({"active", "ready", "running"})
"""Words for a path that carries I/O."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A moment that explains a part of a stall."""

    t_ns: int
    name: str
    evidence: str


def attribute(history: History, *, late_ms: float) -> list[AttributionPhase]:
    """Cut the time after the fault into the parts that the evidence shows.

    *late_ms*: an I/O that took longer belongs to the stall. Milestones that were not seen are
    left out; the time then belongs to the next one. Times are ms after the fault.
    """
    injected = history.first(EventKind.INJECTED)
    if injected is None:
        return []
    start = injected.t_ns
    milestones = [*_failover(history, late_ms), *_failback(history, late_ms)]
    phases = []
    before = start
    for milestone in sorted(milestones, key=lambda one: one.t_ns):
        phases.append(
            AttributionPhase(
                name=milestone.name,
                from_ms=_ms(before - start),
                to_ms=_ms(milestone.t_ns - start),
                evidence=milestone.evidence,
            )
        )
        before = milestone.t_ns
    return phases


def _ms(span_ns: int) -> float:
    return round(span_ns / NS_PER_MS, 3)


def _failover(history: History, late_ms: float) -> list[Milestone]:
    window = history.failover
    if window is None:
        return []
    found = [
        _first_path_error(history, window.start_ns, window.end_ns),
        _path_event(history, window.start_ns, window.end_ns, usable=False),
        _last_late(history, window.start_ns, window.end_ns, late_ms, "last late I/O done"),
    ]
    return [milestone for milestone in found if milestone is not None]


def _failback(history: History, late_ms: float) -> list[Milestone]:
    window = history.failback
    if window is None:
        return []
    mended = Milestone(t_ns=window.start_ns, name="fault mended", evidence="mending began")
    found = [
        mended,
        _path_event(history, window.start_ns, window.end_ns, usable=True),
        _last_late(history, window.start_ns, window.end_ns, late_ms, "last late I/O after mending"),
        _redundant(history),
    ]
    return [milestone for milestone in found if milestone is not None]


def _first_path_error(history: History, start: int, end: int) -> Milestone | None:
    bad = [
        io
        for io in history.of_probe(PATH)
        if io.outcome not in (IoOutcome.GOOD, IoOutcome.NOT_SENT) and start <= io.done_ns < end
    ]
    if not bad:
        return None
    first = min(bad, key=lambda io: io.done_ns)
    return Milestone(
        t_ns=first.done_ns, name="first error on a path", evidence=f"{first.probe}: {_why(first)}"
    )


def _why(io: IoRecord) -> str:
    if io.sense:
        return f"{io.op} ended with sense {io.sense}"
    if io.errno:
        return f"{io.op} ended with errno {io.errno}"
    return f"{io.op} ended with {io.outcome}"


def _path_event(history: History, start: int, end: int, *, usable: bool) -> Milestone | None:
    changes = [
        event
        for event in history.of_kind(EventKind.PATH_STATE)
        if start <= event.t_ns < end and (event.data.get("state") in USABLE) is usable
    ]
    if not changes:
        return None
    # The first loss starts the failover; only the last return ends the failback.
    event = changes[-1] if usable else changes[0]
    name = "last path usable again" if usable else "path marked failed"
    state = event.data.get("state", "?")
    return Milestone(t_ns=event.t_ns, name=name, evidence=f"multipathd: {event.subject} {state}")


def _last_late(
    history: History, start: int, end: int, late_ms: float, name: str
) -> Milestone | None:
    late = [
        io
        for io in history.of_probe(APPLICATION)
        if start <= io.done_ns < end and (io.done_ns - max(io.due_ns, start)) / NS_PER_MS > late_ms
    ]
    if not late:
        return None
    last = max(late, key=lambda io: io.done_ns)
    waited = (last.done_ns - last.due_ns) / NS_PER_MS
    evidence = f"{last.probe} {last.op} at LBA {last.lba} took {waited:.1f} ms"
    return Milestone(t_ns=last.done_ns, name=name, evidence=evidence)


def _redundant(history: History) -> Milestone | None:
    for event in history.of_kind(EventKind.REDUNDANCY):
        if event.data.get("restored"):
            return Milestone(t_ns=event.t_ns, name="redundancy restored", evidence=event.detail)
    return None
