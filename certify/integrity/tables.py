"""A history in Parquet, taken apart by LBA, so that any size fits into a bounded memory.

The files are read to find out where the operations are, and then once per part. Parts are cut where
no operation crosses, so each can be judged alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from certify.integrity.model import Doubt
from certify.integrity.operations import OPERATION_PROBES, Operations, assemble
from reports.record import IO_COLUMNS, IoOutcome, IoRecord, RecordError

SAMPLE_MAX = 65_536
READ_ROWS = 1_000_000
_GROUP_ROWS = 262_144  # of a row group, as polars writes them
_BINS_PER_PART = 16


@dataclass(frozen=True, slots=True)
class Tables:
    """The files of one history, in their order."""

    paths: Sequence[Path]
    doubts: Sequence[Doubt] = ()

    def __post_init__(self) -> None:
        for path in self.paths:
            columns = tuple(pl.read_parquet_schema(path))
            if columns != IO_COLUMNS:
                raise RecordError(f"{path}: columns {columns}; expected {IO_COLUMNS}")

    def parts(self, rows: int) -> Iterator[Operations]:
        """Yield the operations in parts of about *rows*, each complete for its sectors."""
        for low, high in self._cuts(rows):
            inside = (pl.col("lba") >= low) & (pl.col("lba") < high)
            frame = self._operations().filter(inside).collect(engine="streaming")
            yield _operations_of(frame)

    def records(self, rows: set[int]) -> dict[int, IoRecord]:
        """Return the records at these rows."""
        found: dict[int, IoRecord] = {}
        for offset in sorted({row // _GROUP_ROWS * _GROUP_ROWS for row in rows}):
            near = [row for row in rows if offset <= row < offset + _GROUP_ROWS]
            part = self._scan().slice(offset, _GROUP_ROWS)
            frame = part.filter(pl.col("row").is_in(near)).collect()
            records = msgspec.convert(frame.select(IO_COLUMNS).rows(), list[IoRecord])
            found |= zip(frame["row"].to_list(), records, strict=True)
        return found

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(list(self.paths), row_index_name="row", low_memory=True)

    def _operations(self, rows: pl.LazyFrame | None = None) -> pl.LazyFrame:
        """Return those of *rows*, or of all, that `operations.is_operation` takes."""
        probe, op, good = pl.col("probe"), pl.col("op"), pl.col("outcome") == IoOutcome.GOOD.value
        of_operation = pl.any_horizontal(probe.str.starts_with(one) for one in OPERATION_PROBES)
        was_sent = pl.col("outcome") != IoOutcome.NOT_SENT.value
        told = (pl.col("tag") >= 0) | (pl.col("sectors") != "")
        says = (op == "write") | ((op == "read") & good & told)
        return (
            (self._scan() if rows is None else rows)
            .filter(of_operation & was_sent & says)
            .select(
                pl.col("row").cast(pl.Int64),
                "lba",
                "blocks",
                (op == "write").alias("write"),
                good.alias("good"),
                "sent_ns",
                "done_ns",
                self._slack(probe).alias("slack"),
                "tag",
                pl.when(op == "read").then("sectors").otherwise(pl.lit("")).alias("sectors"),
            )
        )

    def _slack(self, probe: pl.Expr) -> pl.Expr:
        """Return by how much the stamps of each row may be wrong, as `operations.slack_ns`."""
        slack: pl.Expr = pl.lit(0, pl.Int64)
        for one in self.doubts:
            own = probe.str.starts_with(one.probes)
            slack = pl.when(own).then(pl.lit(one.error_ns, pl.Int64)).otherwise(slack)
        return slack

    def _cuts(self, rows: int) -> list[tuple[int, int]]:
        """Return ranges of LBAs with about *rows* operations each, which no operation crosses."""
        total = self._scan().select(pl.len()).collect().item()
        begins = self._begins(rows, total)
        counts = np.zeros(len(begins) + 1, np.int64)
        ends = np.zeros(len(begins) + 1, np.int64)
        for offset in range(0, total, READ_ROWS):
            frame = self._operations(self._scan().slice(offset, READ_ROWS)).select("lba", "blocks")
            lba, blocks = (column.to_numpy() for column in frame.collect().iter_columns())
            place = np.searchsorted(begins, lba, side="right")
            counts += np.bincount(place, minlength=len(counts))
            np.maximum.at(ends, place, lba + blocks)
        cuts: list[tuple[int, int]] = []
        low, high, counted = 0, 0, 0
        firsts = [0, *begins.tolist()]
        for first, count, end in zip(firsts, counts.tolist(), ends.tolist(), strict=True):
            if counted and first >= high and counted + count > rows:
                cuts.append((low, first))
                low, counted = first, 0
            counted, high = counted + count, max(high, end)
        return [*cuts, (low, high)] if counted else cuts

    def _begins(self, rows: int, total: int) -> NDArray[np.int64]:
        """Return LBAs with about a sixteenth of *rows* operations from one to the next.

        They are the LBAs of a sample of at most SAMPLE_MAX of *total* rows.
        """
        sampled = self._operations().filter(pl.col("row") % max(total // SAMPLE_MAX, 1) == 0)
        sample = np.sort(sampled.select("lba").collect(engine="streaming")["lba"].to_numpy())
        step = max(len(sample) * rows // (_BINS_PER_PART * max(total, 1)), 1)
        return np.unique(sample[::step])


def _operations_of(frame: pl.DataFrame) -> Operations:
    texts = frame.select("sectors").with_row_index("at").filter(pl.col("sectors") != "")
    return assemble(
        row=frame["row"].to_numpy(),
        lba=frame["lba"].to_numpy(),
        blocks=frame["blocks"].to_numpy(),
        write=frame["write"].to_numpy(),
        good=frame["good"].to_numpy(),
        sent=frame["sent_ns"].to_numpy(),
        done=frame["done_ns"].to_numpy(),
        slack=frame["slack"].to_numpy(),
        tag=frame["tag"].to_numpy(),
        sectors=dict(texts.iter_rows()),
    )
