"""How every plane fared before the fault, at failover and at failback. Pure.

A plane is a place where I/O was measured: the application's device, a path, an array's leg past
the system under test, another host, the control disk. Reads and writes are told apart.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from certify.history import History, Window
from certify.stall import NS_PER_MS, longest_gap_ms, percentile
from reports.record import IoOutcome, IoRecord, Statistic

TENTH_NS = 100 * NS_PER_MS
"""The grain of silence and of bursts."""
STEADY_NS = 10 * TENTH_NS
"""I/O is steady again if it is for a second: at the usual rate that is a hundred I/Os of a kind."""
STEADY_FACTOR = 2.0
STEADY_BASE_MS = 1.0
"""Twice less than this is not told from scheduling."""
DUE_PER_TENTH = 1.5
"""A probe that is due less often says nothing about tenths of a second."""

Series = dict[tuple[str, str], list[IoRecord]]


def statistics_of(history: History) -> list[Statistic]:
    """Return one record per window, plane and kind of I/O that was due in it."""
    windows = (
        ("before", history.steady),
        ("failover", history.failover),
        ("failback", history.failback),
    )
    series = _series(history.ios)
    base: dict[tuple[str, str], float | None] = {}
    found = []
    for name, window in windows:
        for key in sorted(series) if window else ():
            one = _statistic(name, key, series[key], window, base.get(key)) if window else None
            if one is None:
                continue
            found.append(one)
            if name == "before":
                base[key] = one.p99_ms
    return found


def plane_of(probe: str) -> str:
    """Return what a probe measures, in words; "" for those that measure nothing."""
    kind, _, name = probe.partition(":")
    if kind in ("path", "cross"):
        return f"path {name}"
    if kind == "array":
        return f"array {name}"
    if kind == "host":
        return name.rpartition("-")[0]
    if kind == "control":
        return kind
    return "application" if probe in ("app-read", "app-write") else ""


def _series(ios: Iterable[IoRecord]) -> Series:
    """Sort I/Os by plane and kind, each in the order in which they were due."""
    series: Series = defaultdict(list)
    planes: dict[str, str] = {}
    for io in ios:
        plane = planes.get(io.probe)
        if plane is None:
            plane = planes[io.probe] = plane_of(io.probe)
        if plane:
            series[plane, io.op].append(io)
    for own in series.values():
        own.sort(key=lambda io: io.due_ns)
    return series


def _statistic(
    name: str, key: tuple[str, str], ios: Sequence[IoRecord], window: Window, base: float | None
) -> Statistic | None:
    due = _due_in(ios, window)
    if not due:
        return None
    good = [io for io in due if io.outcome is IoOutcome.GOOD]
    waits = sorted(_wait_ms(io) for io in good)
    tenths = max(1, (window.end_ns - window.start_ns) // TENTH_NS)
    is_dense = len(due) >= DUE_PER_TENTH * tenths
    ended = _ended_per_tenth(ios, window)
    return Statistic(
        window=name,
        plane=key[0],
        op=key[1],
        count=len(due),
        good=len(good),
        p50_ms=percentile(waits, 0.5),
        p90_ms=percentile(waits, 0.9),
        p99_ms=percentile(waits, 0.99),
        p999_ms=percentile(waits, 0.999),
        max_ms=waits[-1] if waits else None,
        gap_ms=longest_gap_ms(ios, window),
        silent_ms=100.0 * sum(not ended[at] for at in range(tenths)) if is_dense else None,
        steady_after_ms=_steady_after_ms(due, window, base) if is_dense and base else None,
        burst_per_s=10.0 * max(ended.values(), default=0) if is_dense else None,
    )


def _wait_ms(io: IoRecord) -> float:
    return (io.done_ns - io.due_ns) / NS_PER_MS


def _due_in(ios: Sequence[IoRecord], window: Window) -> Sequence[IoRecord]:
    first = bisect_left(ios, window.start_ns, key=lambda io: io.due_ns)
    last = bisect_left(ios, window.end_ns, key=lambda io: io.due_ns)
    return ios[first:last]


def _ended_per_tenth(ios: Iterable[IoRecord], window: Window) -> Counter[int]:
    return Counter(
        (io.done_ns - window.start_ns) // TENTH_NS
        for io in ios
        if io.outcome is IoOutcome.GOOD and window.start_ns <= io.done_ns < window.end_ns
    )


def _steady_after_ms(due: Sequence[IoRecord], window: Window, base_ms: float) -> float | None:
    """Return from when on every second was steady, after the begin; None if the last was not.

    A second is steady when the p99 of the I/Os due in it is below twice that of before; one that
    failed or never ended counts as endless.
    """
    most = STEADY_FACTOR * max(base_ms, STEADY_BASE_MS)
    steady_from: int | None = None
    at = window.start_ns
    while at + STEADY_NS <= window.end_ns:
        second = _due_in(due, Window(start_ns=at, end_ns=at + STEADY_NS))
        waits = sorted(
            _wait_ms(io) if io.outcome is IoOutcome.GOOD else float("inf") for io in second
        )
        p99 = percentile(waits, 0.99)
        if p99 is None or p99 >= most:
            steady_from = None
        elif steady_from is None:
            steady_from = at
        at += TENTH_NS
    return None if steady_from is None else (steady_from - window.start_ns) / NS_PER_MS
