"""I/O tables reduced for a chart: the worst of every column, never an average."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reports.record import IO_COLUMNS, IoOutcome, RecordError
from reports.series import IoTable, read_io, reduce_io

MS = 1_000_000
ZERO = 10_000 * MS


def row(probe: str, due_ms: float, done_ms: float | None, outcome: str = "good") -> tuple[Any, ...]:
    due = ZERO + int(due_ms * MS)
    done = -1 if done_ms is None else ZERO + int(done_ms * MS)
    return (probe, 0, "write", 0, 8, due, due, done, outcome, 0, -1, "", 0, "")


def table(folder: Path, *rows: tuple[Any, ...]) -> IoTable:
    path = folder / "x.parquet"
    pl.DataFrame(list(rows), schema=list(IO_COLUMNS), orient="row").write_parquet(path)
    return read_io(path, zero_ns=ZERO)


def test_worst_of_a_column_is_kept(tmp_path: Path) -> None:
    rows = [row("app-write", at / 10, at / 10 + 1) for at in range(1000)]
    rows.append(row("app-read", 55.55, 55.55 + 40))
    reduced = reduce_io(table(tmp_path, *rows), columns=10, start_ms=0, end_ms=100)
    assert reduced.worst[5] == (55.55, 40.0)
    assert len(reduced.worst) == 10
    assert reduced.count == 1001


def test_other_probes_are_not_the_application(tmp_path: Path) -> None:
    io = table(tmp_path, row("app-write", 1, 2), row("control", 1, 900), row("readback", 2, 800))
    reduced = reduce_io(io, columns=4, start_ms=0, end_ms=10)
    assert reduced.worst == ((1.0, 1.0),)


def test_io_that_never_came_back_lasts_until_the_end(tmp_path: Path) -> None:
    io = table(tmp_path, row("app-write", 10, None, "never"), row("app-write", 90, 95))
    never = reduce_io(io, columns=4, start_ms=0, end_ms=100).failed[0]
    assert (never.outcome, never.end_ms) == (IoOutcome.NEVER, 95.0)


def test_path_errors_become_spans(tmp_path: Path) -> None:
    rows = [row("app-write", 0, 1)]
    rows += [
        row("path:p1", at, at + 1, "check_condition" if 20 <= at < 60 else "good")
        for at in range(0, 100, 2)
    ]
    errors = reduce_io(table(tmp_path, *rows), columns=50, start_ms=0, end_ms=100).path_errors
    assert errors == {"p1": ((20.0, 60.0),)}


def test_nearest_finds_the_io_of_a_judged_stall(tmp_path: Path) -> None:
    io = table(
        tmp_path, row("app-write", 1, 5), row("app-write", 2, 86.2), row("app-write", 300, 384.2)
    )
    found = io.nearest(84.2, start_ms=0, end_ms=200)
    assert found is not None
    assert (found.due_ms, found.end_ms) == (2.0, 86.2)


def test_nearest_invents_nothing(tmp_path: Path) -> None:
    assert table(tmp_path, row("app-write", 1, 5)).nearest(84.2, start_ms=0, end_ms=9) is None


def test_no_io_at_all_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    empty = pl.DataFrame([row("app-write", 0, 1)], schema=list(IO_COLUMNS), orient="row").clear()
    empty.write_parquet(path)
    io = read_io(path, zero_ns=ZERO)
    assert reduce_io(io, columns=4, start_ms=0, end_ms=1).count == 0


def test_damaged_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(RecordError, match=r"broken\.parquet"):
        read_io(path, zero_ns=0)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("outcome", "fine", "outcome 'fine'; expected one of good"),
        ("outcome", None, "column outcome: expected a value in every row"),
        ("due_ns", "soon", "not a table"),
        ("due_ns", None, "column due_ns: expected a value in every row"),
    ],
)
def test_odd_values_are_named(tmp_path: Path, column: str, value: Any, words: str) -> None:
    path = tmp_path / "x.parquet"
    frame = pl.DataFrame([row("app-write", 1, 2)], schema=list(IO_COLUMNS), orient="row")
    frame.with_columns(pl.lit(value).alias(column)).write_parquet(path)
    with pytest.raises(RecordError, match=words) as raised:
        read_io(path, zero_ns=ZERO)
    assert str(raised.value).startswith(str(path))
