"""The I/O tables of a run, reduced to what a chart can show: the worst I/O of every pixel column.

Latency counts from the due time, so that an I/O that had to wait for its turn during a stall shows
the wait (open loop). Nothing here is averaged.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from reports.record import IO_COLUMNS, IoOutcome, RecordError

_APPLICATION = ("app-write", "app-read")
_READ = pl.Schema(
    {"probe": pl.String, "due_ns": pl.Int64, "done_ns": pl.Int64, "outcome": pl.String}
)
_PATH_PREFIXES = "^(path|cross):"
"""Both ask one path: TEST UNIT READY, and reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Io:
    """One I/O of the application: when it was due and how long it took, in ms after the fault."""

    due_ms: float
    latency_ms: float
    outcome: IoOutcome

    @property
    def end_ms(self) -> float:
        """When it was done; for one that never was, when the recording ended."""
        return self.due_ms + self.latency_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """An I/O table reduced to columns of a chart."""

    start_ms: float
    end_ms: float
    worst: tuple[tuple[float, float], ...]  # due_ms and latency_ms of each column's worst I/O
    median: tuple[tuple[float, float], ...]  # begin of a wider column, its median latency_ms
    failed: tuple[Io, ...]  # I/Os that did not end GOOD
    path_errors: dict[str, tuple[tuple[float, float], ...]]  # path: spans in which probes failed
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IoTable:
    """All I/Os of the application in one repeat of a scenario, with the path probes beside it."""

    application: pl.DataFrame  # due_ms, latency_ms, outcome; sorted by due_ms
    paths: pl.DataFrame  # probe, due_ms, good

    def nearest(self, ms: float, *, start_ms: float, end_ms: float) -> Io | None:
        """Return the I/O due or outstanding between two times that took nearest to *ms*.

        None if none comes within a twentieth of it: then the figure is not from one I/O.
        """
        off = (pl.col("latency_ms") - ms).abs()
        inside = self.application.filter(
            (pl.col("due_ms") < end_ms)
            & (pl.col("due_ms") + pl.col("latency_ms") >= start_ms)
            & (off <= max(ms * 0.05, 0.05))
        )
        if inside.is_empty():
            return None
        return _io(inside.sort([off, "due_ms"]).row(0))

    def between(self, *, start_ms: float, end_ms: float, limit: int) -> list[Io]:
        """Return the I/Os due between two times, the slowest *limit* of them."""
        inside = self.application.filter(pl.col("due_ms").is_between(start_ms, end_ms))
        if inside.height > limit:
            inside = inside.sort(["latency_ms", "due_ms"], descending=[True, False]).head(limit)
        return [_io(row) for row in inside.sort("due_ms").iter_rows()]


def _io(row: tuple[float, float, str]) -> Io:
    return Io(due_ms=row[0], latency_ms=row[1], outcome=IoOutcome(row[2]))


def read_io(path: Path, *, zero_ns: int) -> IoTable:
    """Read one table of a run folder; *zero_ns* is the moment of the fault.

    Raises RecordError when the file is not such a table.
    """
    frame = _read(path)
    due = (pl.col("due_ns") - zero_ns) / 1e6
    last_ns = frame.select(pl.max_horizontal(pl.col("due_ns").max(), pl.col("done_ns").max()))
    end_ns = last_ns.item() if frame.height else 0
    done_ns = pl.when(pl.col("done_ns") >= 0).then(pl.col("done_ns")).otherwise(end_ns)
    application = frame.filter(pl.col("probe").is_in(_APPLICATION)).select(
        due.alias("due_ms"),
        ((done_ns - pl.col("due_ns")) / 1e6).alias("latency_ms"),
        pl.col("outcome").cast(pl.String),
    )
    paths = frame.filter(pl.col("probe").cast(pl.String).str.contains(_PATH_PREFIXES)).select(
        pl.col("probe").cast(pl.String).str.replace(_PATH_PREFIXES, ""),
        due.alias("due_ms"),
        (pl.col("outcome").cast(pl.String) == str(IoOutcome.GOOD)).alias("good"),
    )
    return IoTable(
        application=application.sort(["due_ms", "latency_ms"]),
        paths=paths.sort(["probe", "due_ms"]),
    )


def _read(path: Path) -> pl.DataFrame:
    """Read the columns that charts need; raise RecordError when there is anything else in them."""
    try:
        frame = pl.read_parquet(path, columns=list(_READ), use_statistics=False).cast(_READ)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RecordError(f"{path}: not a table of {len(IO_COLUMNS)} columns: {error}") from error
    empty = [name for name in _READ if frame[name].null_count()]
    if empty:
        raise RecordError(f"{path}: column {empty[0]}: expected a value in every row")
    unknown = set(frame["outcome"].unique()) - {*map(str, IoOutcome)}
    if unknown:
        expected = ", ".join(IoOutcome)
        raise RecordError(f"{path}: outcome {min(unknown)!r}; expected one of {expected}")
    return frame


def reduce_io(table: IoTable, *, columns: int, start_ms: float, end_ms: float) -> Reduced:
    """Keep the worst I/O of each of *columns* equal parts of the time, and medians."""
    frame = table.application.filter(pl.col("due_ms").is_between(start_ms, end_ms))
    bad = frame.filter(pl.col("outcome") != str(IoOutcome.GOOD))
    column = ((pl.col("due_ms") - start_ms) * columns / max(end_ms - start_ms, 1e-9)).floor()
    worst = (
        frame.sort(["latency_ms", "due_ms"], descending=[True, False])
        .group_by(column.alias("column"), maintain_order=True)
        .first()
        .sort("due_ms")
    )
    wide = max(1, columns // 40)
    median = (
        frame.group_by((column // wide).alias("column"))
        .agg(pl.col("latency_ms").median(), pl.col("due_ms").min())
        .sort("column")
    )
    return Reduced(
        start_ms=start_ms,
        end_ms=end_ms,
        worst=tuple(worst.select("due_ms", "latency_ms").iter_rows()),
        median=tuple(median.select("due_ms", "latency_ms").iter_rows()),
        failed=tuple(_io(row) for row in bad.head(columns).iter_rows()),
        path_errors=_error_spans(table.paths, columns=columns, start_ms=start_ms, end_ms=end_ms),
        count=frame.height,
    )


def _error_spans(
    paths: pl.DataFrame, *, columns: int, start_ms: float, end_ms: float
) -> dict[str, tuple[tuple[float, float], ...]]:
    width = max(end_ms - start_ms, 1e-9) / columns
    column = ((pl.col("due_ms") - start_ms) / width).floor().cast(pl.Int64)
    bad = (
        paths.filter(~pl.col("good") & pl.col("due_ms").is_between(start_ms, end_ms))
        .select("probe", column.alias("column"))
        .unique()
        .sort(["probe", "column"])
    )
    spans: dict[str, list[tuple[float, float]]] = {}
    for probe, index in bad.iter_rows():
        own = spans.setdefault(probe, [])
        begin, end = start_ms + index * width, start_ms + (index + 1) * width
        if own and begin - own[-1][1] <= 3 * width:
            own[-1] = (own[-1][0], end)
        else:
            own.append((begin, end))
    return {probe: tuple(own) for probe, own in spans.items()}
