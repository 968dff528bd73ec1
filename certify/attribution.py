"""Where the time of a stall went: from the fault to the last late I/O. Pure."""

from dataclasses import dataclass

from certify import stall
from certify.causes import causes_within, is_bad, path_evidence, unexplained_ms
from certify.history import APPLICATION, History, Window
from certify.stall import NS_PER_MS
from certify.verdict import show_ms
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


def unattributed_ms(history: History, *, late_ms: float) -> float | None:
    """Return how much of the longest stall after the fault no evidence explains, in ms.

    None where there was no stall to explain: no I/O waited longer than *late_ms*.
    """
    wait = _longest_wait(history, history.failover, late_ms)
    return None if wait is None else round(unexplained_ms(history, wait, late_ms=late_ms), 3)


def _longest_wait(history: History, window: Window | None, late_ms: float) -> Window | None:
    if window is None:
        return None
    end_ns = history.end_ns
    worst = stall.longest_from(history.of_probe(APPLICATION), window, end_ns=end_ns)
    if worst is None or worst.ms <= late_ms:
        return None
    start_ns = max(worst.io.due_ns, window.start_ns)
    return Window(start_ns=start_ns, end_ns=stall.done_ns(worst.io, end_ns))


def _ms(span_ns: int) -> float:
    return round(span_ns / NS_PER_MS, 3)


def _failover(history: History, late_ms: float) -> list[Milestone]:
    window = history.failover
    if window is None:
        return []
    found = [
        _first_path_error(history, window, "first error on a path"),
        _path_event(history, window, usable=False),
        _flows_again(history, window, late_ms, "I/O flows again"),
        _last_late(history, window, late_ms, "last late I/O done"),
    ]
    return [milestone for milestone in found if milestone is not None]


def _failback(history: History, late_ms: float) -> list[Milestone]:
    window = history.failback
    if window is None:
        return []
    mended = Milestone(t_ns=window.start_ns, name="fault mended", evidence="mending began")
    found = [
        mended,
        _path_event(history, window, usable=True),
        _flows_again(history, window, late_ms, "I/O flows again after mending"),
        _last_late(history, window, late_ms, "last late I/O after mending"),
        _redundant(history, window),
    ]
    return [milestone for milestone in found if milestone is not None]


def _within(t_ns: int, window: Window) -> bool:
    return window.start_ns <= t_ns < window.end_ns


def _first_path_error(history: History, window: Window, name: str) -> Milestone | None:
    bad = [io for io in path_evidence(history) if is_bad(io) and _within(io.done_ns, window)]
    if not bad:
        return None
    first = min(bad, key=lambda io: io.done_ns)
    return Milestone(t_ns=first.done_ns, name=name, evidence=f"{first.probe}: {_why(first)}")


def _why(io: IoRecord) -> str:
    if io.sense:
        return f"{io.op} ended with sense {io.sense}"
    if io.errno:
        return f"{io.op} ended with errno {io.errno}"
    return f"{io.op} ended with {io.outcome}"


def _path_event(history: History, window: Window, *, usable: bool) -> Milestone | None:
    changes = [
        event
        for event in history.of_kind(EventKind.PATH_STATE)
        if _within(event.t_ns, window) and (event.data.get("state") in USABLE) is usable
    ]
    if not changes:
        return None
    # The first loss starts the failover; only the last return ends the failback.
    event = changes[-1] if usable else changes[0]
    name = "last path usable again" if usable else "path marked failed"
    state = event.data.get("state", "?")
    source = event.data.get("source", "multipathd")
    return Milestone(t_ns=event.t_ns, name=name, evidence=f"{source}: {event.subject} {state}")


def _flows_again(history: History, window: Window, late_ms: float, name: str) -> Milestone | None:
    """The end of the longest time without a success, if that was longer than an I/O usually is."""
    good = sorted(
        (
            io
            for io in history.of_probe(APPLICATION)
            if io.outcome is IoOutcome.GOOD and _within(io.done_ns, window)
        ),
        key=lambda io: io.done_ns,
    )
    longest_ns, first = 0, None
    before_ns = window.start_ns
    for io in good:
        if io.done_ns - before_ns > longest_ns:
            longest_ns, first = io.done_ns - before_ns, io
        before_ns = io.done_ns
    # While nothing is late, this is the time between two I/Os that are due.
    if first is None or (first.done_ns - first.due_ns) / NS_PER_MS <= late_ms:
        return None
    evidence = (
        f"{first.probe} {first.op} at LBA {first.lba}, the first success "
        f"in {show_ms(longest_ns / NS_PER_MS)}{_elsewhere(history, first.done_ns)}"
    )
    return Milestone(t_ns=first.done_ns, name=name, evidence=evidence)


def _elsewhere(history: History, t_ns: int) -> str:
    """Say which path had answered last by *t_ns*: the I/O was likely retried there."""
    answered = [
        io
        for io in path_evidence(history)
        if io.outcome is IoOutcome.GOOD and 0 <= io.done_ns <= t_ns
    ]
    if not answered:
        return ""
    last = max(answered, key=lambda io: io.done_ns)
    return f"; {last.probe.partition(':')[2]} answered"


def _last_late(history: History, window: Window, late_ms: float, name: str) -> Milestone | None:
    late = [
        io
        for io in history.of_probe(APPLICATION)
        if _within(io.done_ns, window)
        and (io.done_ns - max(io.due_ns, window.start_ns)) / NS_PER_MS > late_ms
    ]
    if not late:
        return None
    last = max(late, key=lambda io: io.done_ns)
    waited = (last.done_ns - last.due_ns) / NS_PER_MS
    evidence = f"{last.probe} {last.op} at LBA {last.lba} took {waited:.1f} ms"
    evidence += _why_late(history, window, late_ms)
    return Milestone(t_ns=last.done_ns, name=name, evidence=evidence)


def _why_late(history: History, window: Window, late_ms: float) -> str:
    """Say what else was late during the longest wait, and what of it nothing explains."""
    wait = _longest_wait(history, window, late_ms)
    if wait is None:
        return ""
    texts = [one.text for one in causes_within(history, wait, late_ms=late_ms)]
    rest_ms = unexplained_ms(history, wait, late_ms=late_ms)
    if rest_ms > late_ms:
        texts.append(f"{show_ms(rest_ms)} of the stall is not attributed: no path reported it")
    return "".join(f"; {text}" for text in texts)


def _redundant(history: History, window: Window) -> Milestone | None:
    for event in history.of_kind(EventKind.REDUNDANCY):
        if event.data.get("restored") and event.t_ns >= window.start_ns:
            return Milestone(t_ns=event.t_ns, name="redundancy restored", evidence=event.detail)
    return None
