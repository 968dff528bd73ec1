"""What a standstill of the suite itself does to a measured stall. Pure.

While the measuring process stands still (SIGSTOP, a paused guest, a starved CPU) it neither sends
what is due nor sees what ends. Both only lengthen what is measured (decision 5), so a stall within
its limit is within it. For one above its limit the question is what is *certain*: how much of the
wait belongs to the system under test whatever the suite missed.

A standstill of length L leaves a backlog, which is worked off in at most L more: probes are idle
for more than half of their time. Together that is a *hole*; within it nothing is certain, except
that an I/O which was under way before the hole and ended after it was under way throughout.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from certify.history import History, Window
from reports.record import EventKind, IoRecord

NS_PER_MS = 1_000_000
SETTLE_NS = 50 * NS_PER_MS
"""Beyond the hole: what became ready in it is reaped by then."""
LATE_MS = 10.0
"""Waits of the control probe up to this are its ordinary latency."""
STARVED_MS = 40.0
"""Four of the control probe's intervals: a host on which it waits for longer is starved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstills:
    """When the suite stood still, and the holes that this leaves; both in order."""

    stood: Sequence[Window]
    holes: Sequence[Window]

    def longest_ms(self, window: Window) -> float:
        """Return the longest standstill within *window*, 0 if there was none."""
        return max((_overlap(one, window) / NS_PER_MS for one in self.stood), default=0.0)


def standstills(history: History, host: str = "") -> Standstills:
    """Return the standstills that the suite noticed of itself, or the prober on another *host*."""
    return of_spans(
        Window(start_ns=int(event.data.get("from_ns", event.t_ns)), end_ns=event.t_ns)
        for event in history.of_kind(EventKind.STANDSTILL)
        if event.data.get("host", "") == host
    )


def of_spans(spans: Iterable[Window]) -> Standstills:
    """Return *spans* with the holes that they leave; holes that touch are one."""
    stood = sorted(spans, key=lambda one: one.start_ns)
    holes: list[Window] = []
    for one in stood:
        end_ns = 2 * one.end_ns - one.start_ns + SETTLE_NS
        if holes and one.start_ns <= holes[-1].end_ns:
            last = holes.pop()
            holes.append(Window(start_ns=last.start_ns, end_ns=max(last.end_ns, end_ns)))
        else:
            holes.append(Window(start_ns=one.start_ns, end_ns=end_ns))
    return Standstills(stood=stood, holes=holes)


def certain_ms(
    io: IoRecord, *, start_ns: int, done_ns: int, seen: Standstills, control: Sequence[Window]
) -> float:
    """Return how long *io* surely waited for the system under test after *start_ns*, in ms.

    *control* are the late waits of the control probe, by their begin: one that overlaps may explain
    as much. Of short ones only the longest counts, for many hosts are a little late over and over.
    Where they are long, the host is starved: all of them count, and as much again for the backlog
    that each leaves, as for a standstill.
    """
    begin, end = max(io.due_ns, start_ns), done_ns
    wait = Window(start_ns=begin, end_ns=end)
    longest = max((_overlap(one, wait) for one in control), default=0)
    noise = max(longest, 2 * _covered(_starved(control), wait))
    sure = _outside(io, wait, seen.holes)
    return max(0, min(sure, end - begin - noise)) / NS_PER_MS


def _outside(io: IoRecord, wait: Window, holes: Iterable[Window]) -> int:
    """Return what of a wait is certain in spite of the holes, in ns."""
    begin, end = wait.start_ns, wait.end_ns
    for hole in holes:
        if end <= hole.start_ns or begin >= hole.end_ns:
            continue
        if not 0 <= io.sent_ns < hole.start_ns:
            begin = hole.end_ns  # until then it may have waited for the suite only
        elif end <= hole.end_ns:
            end = hole.start_ns  # it may have ended at once, unseen
    return max(0, end - begin)


def late_waits(control: Iterable[IoRecord], *, end_ns: int) -> list[Window]:
    """Return the waits of the control probe that were late, by their begin."""
    waits = (
        Window(start_ns=io.due_ns, end_ns=io.done_ns if io.done_ns >= 0 else end_ns)
        for io in control
    )
    late = [one for one in waits if one.end_ns - one.start_ns > LATE_MS * NS_PER_MS]
    return sorted(late, key=lambda one: one.start_ns)


def overlapping(waits: Sequence[Window], start_ns: int, end_ns: int) -> list[Window]:
    """Return those of *waits*, which are sorted by their begin, that overlap a span."""
    last = bisect_right(waits, end_ns, key=lambda one: one.start_ns)
    return [one for one in waits[:last] if one.end_ns > start_ns]


def _starved(control: Iterable[Window]) -> Iterator[Window]:
    return (one for one in control if one.end_ns - one.start_ns > STARVED_MS * NS_PER_MS)


def _covered(waits: Iterable[Window], span: Window) -> int:
    """Return how much of *span* the *waits*, which are in order, cover together, in ns."""
    covered, reached = 0, span.start_ns
    for one in waits:
        begin, end = max(one.start_ns, reached), min(one.end_ns, span.end_ns)
        if end > begin:
            covered += end - begin
            reached = end
    return covered


def _overlap(one: Window, other: Window) -> int:
    return max(0, min(one.end_ns, other.end_ns) - max(one.start_ns, other.start_ns))
