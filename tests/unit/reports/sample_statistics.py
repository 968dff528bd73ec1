"""The statistics of the sample runs, taken from their rows."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from reports.record import IoOutcome, Statistic

MS = 1_000_000
TENTH_MS = 100.0


def statistics_of(
    rows: Sequence[tuple[Any, ...]], *, injected_ns: int, mended_ns: int, end_ns: int
) -> list[Statistic]:
    """Return a statistic per window and operation of the application."""
    begin = min(row[5] for row in rows)
    windows = {
        "before": (begin, injected_ns),
        "failover": (injected_ns, mended_ns),
        "failback": (mended_ns, end_ns),
    }
    return [
        _statistic(name, op, [row for row in rows if _belongs(row, op, window)], window)
        for name, window in windows.items()
        for op in ("write", "read")
    ]


def _belongs(row: tuple[Any, ...], op: str, window: tuple[int, int]) -> bool:
    return row[0] == f"app-{op}" and window[0] <= row[5] < window[1]


def _statistic(
    name: str, op: str, rows: Sequence[tuple[Any, ...]], window: tuple[int, int]
) -> Statistic:
    good = [row for row in rows if row[8] == IoOutcome.GOOD]
    took = sorted((row[7] - row[5]) / MS for row in good)
    ends = [window[0], *sorted(row[7] for row in good), window[1]]
    gaps = [(b - a) / MS for a, b in pairwise(ends)]

    def share(part: float) -> float | None:
        return took[min(int(part * len(took)), len(took) - 1)] if took else None

    return Statistic(
        window=name,
        plane="application",
        op=op,
        count=len(rows),
        good=len(good),
        p50_ms=share(0.5),
        p90_ms=share(0.9),
        p99_ms=share(0.99),
        p999_ms=share(0.999),
        max_ms=took[-1] if took else None,
        gap_ms=max(gaps),
        silent_ms=sum(gap // TENTH_MS * TENTH_MS for gap in gaps),
        steady_after_ms=None if name == "before" else max(gaps) + TENTH_MS,
        burst_per_s=None if name == "before" else 210.0,
    )
