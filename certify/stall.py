"""How long I/O stood still. Pure.

An I/O counts from the moment it was *due*: when a stall delays the sending of the I/Os behind it,
their waiting is part of what an application would have seen (no coordinated omission).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from certify.history import Window
from reports.record import IoOutcome, IoRecord

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The longest wait of any I/O in a window."""

    ms: float
    io: IoRecord
    complete: bool  # False: the I/O never ended, so the stall is at least this long


def done_ns(io: IoRecord, end_ns: int) -> int:
    """Return when an I/O was done, or *end_ns* if it never was."""
    return io.done_ns if io.done_ns >= 0 else max(end_ns, io.due_ns)


def longest(ios: Iterable[IoRecord], window: Window, *, end_ns: int) -> Stall | None:
    """Return the longest wait of the I/Os that were due or outstanding in *window*.

    Counts from the due time, even where that was before the window; None if there were none.
    """
    worst: Stall | None = None
    for io in ios:
        done = done_ns(io, end_ns)
        if io.due_ns >= window.end_ns or done < window.start_ns:
            continue
        ms = (done - io.due_ns) / NS_PER_MS
        if worst is None or ms > worst.ms:
            worst = Stall(ms=ms, io=io, complete=io.done_ns >= 0)
    return worst


def longest_from(ios: Iterable[IoRecord], window: Window, *, end_ns: int) -> Stall | None:
    """Return the longest wait within *window*; waiting before its start is not counted.

    For failback: what an I/O waited before the mend belongs to the failover.
    """
    worst: Stall | None = None
    for io in ios:
        done = done_ns(io, end_ns)
        if io.due_ns >= window.end_ns or done < window.start_ns:
            continue
        ms = (done - max(io.due_ns, window.start_ns)) / NS_PER_MS
        if worst is None or ms > worst.ms:
            worst = Stall(ms=ms, io=io, complete=io.done_ns >= 0)
    return worst


def longest_gap_ms(ios: Iterable[IoRecord], window: Window) -> float:
    """Return the longest time in *window* without one good completion, in ms."""
    dones = sorted(
        io.done_ns
        for io in ios
        if io.outcome is IoOutcome.GOOD and window.start_ns <= io.done_ns < window.end_ns
    )
    edges = [window.start_ns, *dones, window.end_ns]
    return max(later - sooner for sooner, later in pairwise(edges)) / NS_PER_MS


def latencies_ms(ios: Iterable[IoRecord], window: Window) -> list[float]:
    """Return the sorted latencies of the good I/Os that were due in *window*, in ms."""
    return sorted(
        (io.done_ns - io.due_ns) / NS_PER_MS
        for io in ios
        if io.outcome is IoOutcome.GOOD and window.start_ns <= io.due_ns < window.end_ns
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that *share* (0..1) of the values do not exceed; None if empty."""
    if not ordered:
        return None
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
