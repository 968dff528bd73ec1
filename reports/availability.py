"""How much of the time, and of the I/Os, was served within t. Figures only, no layout.

Time is cut into slices of a tenth of a second. A slice counts as served within t when every I/O of
the application that was due in it ended well within t of the time it was due. So one slow I/O
costs a whole slice, and an I/O that failed or never ended is in no slice's favour at any t.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from reports.record import IoOutcome
from reports.series import IoTable

PHASES = ("before the fault", "while broken", "after mending")
SLICE_MS = 100.0
TABLE_MS = (10.0, 50.0, 100.0, 250.0, 1_000.0, 5_000.0, 15_000.0, 30_000.0, 60_000.0)
"""What the table shows; from 1 s on, the edges of the grades and of what programs tolerate."""
_PER_DECADE = 20
_DECADES = 6
THRESHOLDS_MS = tuple(
    sorted(
        {*TABLE_MS, *(10.0 ** (step / _PER_DECADE) for step in range(_PER_DECADE * _DECADES + 1))}
    )
)
"""Where the curve has steps: 1 ms to 1000 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """I/Os and slices of time, and how many of both were served within each threshold."""

    ios: int
    slices: int
    ios_within: tuple[int, ...]
    slices_within: tuple[int, ...]

    def share_of_time(self, ms: float) -> float | None:
        """Return the share of time that was served within *ms*, one of THRESHOLDS_MS."""
        if not self.slices:
            return None
        return self.slices_within[THRESHOLDS_MS.index(ms)] / self.slices

    def share_of_ios(self, ms: float) -> float | None:
        """Return the share of I/Os that were served within *ms*, one of THRESHOLDS_MS."""
        if not self.ios:
            return None
        return self.ios_within[THRESHOLDS_MS.index(ms)] / self.ios


_NOTHING = (0,) * len(THRESHOLDS_MS)
EMPTY = Tally(ios=0, slices=0, ios_within=_NOTHING, slices_within=_NOTHING)


def tally_of(table: IoTable, start_ms: float, end_ms: float) -> Tally:
    """Count the I/Os of the application that were due from *start_ms* to before *end_ms*."""
    frame = table.application.filter(
        (pl.col("due_ms") >= start_ms) & (pl.col("due_ms") < end_ms)
    ).select(
        (pl.col("due_ms") / SLICE_MS).floor().alias("slice"),
        pl.when(pl.col("outcome") == str(IoOutcome.GOOD))
        .then(pl.col("latency_ms"))
        .otherwise(float("inf"))
        .alias("took"),
    )
    worst = frame.group_by("slice").agg(pl.col("took").max())["took"]
    return Tally(
        ios=frame.height,
        slices=len(worst),
        ios_within=_within(frame["took"]),
        slices_within=_within(worst),
    )


def _within(took: pl.Series) -> tuple[int, ...]:
    if took.is_empty():
        return _NOTHING
    limits = pl.Series(THRESHOLDS_MS, dtype=pl.Float64)
    return tuple(took.sort().search_sorted(limits, side="right").to_list())


def total_of(tallies: Iterable[Tally]) -> Tally:
    """Add up tallies."""
    total = EMPTY
    for one in tallies:
        total = Tally(
            ios=total.ios + one.ios,
            slices=total.slices + one.slices,
            ios_within=_sum(total.ios_within, one.ios_within),
            slices_within=_sum(total.slices_within, one.slices_within),
        )
    return total


def _sum(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def axis_floor(shares: Iterable[float]) -> float:
    """Return where the axis of shares begins: the highest of a few round values below all."""
    least = min(shares, default=0.0)
    return max((floor for floor in (0.0, 0.5, 0.9, 0.99, 0.999) if floor < least), default=0.0)
