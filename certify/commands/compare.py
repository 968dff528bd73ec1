"""`certify compare` and `certify baseline`: runs beside each other, and against what was."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from certify.baseline import baseline_of, read_baseline, regressions
from certify.commands.output import say, say_json
from certify.verdict import ExitCode, show_ms
from reports.folder import Run, load_sealed
from reports.record import RecordError, Verdict, encode
from reports.side_by_side import Cell, Column, Line, SideBySide, side_by_side

RUNS_MIN = 2
_WIDTH_MIN = 40
_WIDTH_MAX = 10_000
"""Nothing is cut: a verdict that a narrow terminal hides would be no verdict."""


def compare(arguments: argparse.Namespace) -> int:
    """Set runs side by side, or hold one against a baseline."""
    if arguments.baseline is not None:
        return _against_baseline(arguments)
    if len(arguments.runs) < RUNS_MIN:
        raise RecordError("compare needs two runs or more, or one and --baseline FILE")
    seen = side_by_side(_sealed(arguments.runs))
    if arguments.output is not None:
        _write_pdf(seen, arguments.output)
    if arguments.json:
        say_json(seen)
        return ExitCode.CERTIFIED
    _show(seen)
    if arguments.output is not None:
        say(f"report  {arguments.output}")
    return ExitCode.CERTIFIED


def baseline(arguments: argparse.Namespace) -> int:
    """Write what a run achieved as a baseline file."""
    run = _sealed([arguments.run])[0]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_bytes(encode(baseline_of(run)))
    say(str(arguments.output))
    return ExitCode.CERTIFIED


def _against_baseline(arguments: argparse.Namespace) -> int:
    if len(arguments.runs) != 1:
        raise RecordError(f"--baseline takes one run; seen {len(arguments.runs)}")
    if arguments.output is not None:
        raise RecordError("--baseline writes no PDF; leave out -o")
    then = read_baseline(arguments.baseline)
    run = _sealed(arguments.runs)[0]
    worse = regressions(then, run)
    if arguments.json:
        say_json({"run_id": run.run.run_id, "baseline": then.run_id, "regressions": worse})
    else:
        for text in worse:
            say(text)
        what = f"{len(worse)} regressions" if worse else "no regression"
        say(f"{what}: run {run.run.run_id} against baseline {then.run_id}")
    return ExitCode.FAILED if worse else ExitCode.CERTIFIED


def _sealed(folders: Sequence[Path]) -> list[Run]:
    """Load run folders; raise RecordError for one that is not what was sealed."""
    runs = [load_sealed(folder) for folder in folders]
    ids = [run.run.run_id for run in runs]
    again = next((one for one in ids if ids.count(one) > 1), None)
    if again is not None:
        raise RecordError(f"run {again} was named twice")
    return runs


def _write_pdf(seen: SideBySide, output: Path) -> None:
    from reports.build import render_comparison  # draws in the PDF library, slow to load

    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(render_comparison(seen))


def _show(seen: SideBySide) -> None:
    for text in seen.obstacles:
        say(f"not comparable without care: {text}")
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("", min_width=_WIDTH_MIN)
    for column in seen.columns:
        table.add_column(column.target or column.name, justify="right")
    table.add_row("run", *(column.run_id for column in seen.columns))
    table.add_row("verdict", *(_verdict(column) for column in seen.columns))
    table.add_row("conformance", *(_conformance(column) for column in seen.columns))
    for line in seen.lines:
        table.add_row(_title(line), *(_cell(cell) for cell in line.cells))
    console = Console(width=_WIDTH_MAX, no_color=True, soft_wrap=True)
    with console.capture() as captured:
        console.print(table, highlight=False, markup=False)
    for text in captured.get().splitlines():
        say(text.rstrip())
    for text in seen.differences:
        say(f"differs: {text}")


def _title(line: Line) -> str:
    return f"{line.id}  {line.title}"


def _verdict(column: Column) -> str:
    if column.certified:
        return f"certified, {column.grade}"
    return f"not certified ({column.verdict})"


def _conformance(column: Column) -> str:
    return (
        f"{column.conformance_passed} passed, {column.conformance_failed} failed, "
        f"{column.conformance_not_run} not run"
    )


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "not planned"
    if cell.verdict is Verdict.NOT_RUN:
        return "NOT RUN"
    parts = [str(cell.verdict)]
    stalls = [_ms(value) for value in (cell.failover_ms, cell.failback_ms)]
    if any(stalls):
        parts.append(" / ".join(text or "–" for text in stalls))
    if cell.io_errors:
        parts.append(f"{cell.io_errors} errors")
    if cell.mismatches:
        parts.append(f"{cell.mismatches} wrong sectors")
    return ", ".join(parts)


def _ms(value: float | None) -> str:
    return "" if value is None else show_ms(value)
