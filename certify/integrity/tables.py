"""A history in Parquet, taken apart by LBA, so that any size fits into a bounded memory.

The files are read to find out where the operations are, and then once per part. Parts are cut where
no operation crosses, so each can be judged alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from certify.integrity.operations import OPERATION_PROBES, Operations, assemble
from reports.record import IO_COLUMNS, IoOutcome, IoRecord, RecordError

SAMPLE_MAX = 65_536
_BINS_PER_PART = 16


@dataclass(frozen=True, slots=True)
class Tables:
    """The files of one history, in their order."""

    paths: Sequence[Path]

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
        wanted = pl.col("row").is_in(sorted(rows))
        frame = self._scan().filter(wanted).collect(engine="streaming")
        records = msgspec.convert(frame.select(IO_COLUMNS).rows(), list[IoRecord])
        return dict(zip(frame["row"].to_list(), records, strict=True))

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(list(self.paths), row_index_name="row")

    def _operations(self) -> pl.LazyFrame:
        """Return the rows that `operations.is_operation` takes, with what is needed of them."""
        probe, op, good = pl.col("probe"), pl.col("op"), pl.col("outcome") == IoOutcome.GOOD.value
        of_operation = pl.any_horizontal(probe.str.starts_with(one) for one in OPERATION_PROBES)
        was_sent = pl.col("outcome") != IoOutcome.NOT_SENT.value
        told = (pl.col("tag") >= 0) | (pl.col("sectors") != "")
        says = (op == "write") | ((op == "read") & good & told)
        return (
            self._scan()
            .filter(of_operation & was_sent & says)
            .select(
                pl.col("row").cast(pl.Int64),
                "lba",
                "blocks",
                (op == "write").alias("write"),
                good.alias("good"),
                "sent_ns",
                "done_ns",
                "tag",
                pl.when(op == "read").then("sectors").otherwise(pl.lit("")).alias("sectors"),
            )
        )

    def _cuts(self, rows: int) -> list[tuple[int, int]]:
        """Return ranges of LBAs with about *rows* operations each, which no operation crosses."""
        begins = self._begins(rows)
        bins = (
            self._operations()
            .group_by(pl.lit(begins).search_sorted(pl.col("lba"), side="right").alias("bin"))
            .agg(
                pl.len().alias("count"),
                pl.col("lba").min().alias("first"),
                (pl.col("lba") + pl.col("blocks")).max().alias("end"),
            )
            .sort("first")
            .collect(engine="streaming")
        )
        cuts: list[tuple[int, int]] = []
        low, high, counted = 0, 0, 0
        for count, first, end in bins.select("count", "first", "end").iter_rows():
            if counted and first >= high and counted + count > rows:
                cuts.append((low, first))
                low, counted = first, 0
            counted, high = counted + count, max(high, end)
        return [*cuts, (low, high)] if counted else cuts

    def _begins(self, rows: int) -> pl.Series:
        """Return LBAs with about a sixteenth of *rows* operations from one to the next.

        They are the LBAs of a sample of operations, at most SAMPLE_MAX.
        """
        lbas = self._operations().select("lba")
        total = lbas.select(pl.len()).collect(engine="streaming").item()
        sample = lbas.gather_every(max(total // SAMPLE_MAX, 1)).collect(engine="streaming")["lba"]
        step = max(len(sample) * rows // (_BINS_PER_PART * max(total, 1)), 1)
        return sample.sort().gather_every(step).unique().sort()


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
        tag=frame["tag"].to_numpy(),
        sectors=dict(texts.iter_rows()),
    )
