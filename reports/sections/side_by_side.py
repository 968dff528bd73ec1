"""The page that sets two or more runs beside each other."""

from reports.ink import Align
from reports.record import Verdict
from reports.sheet import Sheet
from reports.side_by_side import Cell, Column, Line, SideBySide
from reports.style import FAIL_TEXT, INK, MONO, MUTED, SMALL, TEXT, TINY
from reports.table import Column as TableColumn
from reports.table import Row, Stack, Words, cell, draw_table, strong
from reports.words import MISSING, count, duration, plural, seconds, short_hash

RUNS_PER_TABLE = 5
"""More would not leave a column room for its figures; the next runs get tables of their own."""

_FIRST = 118
_OTHERS = 340


def draw_side_by_side(sheet: Sheet, seen: SideBySide) -> None:
    """Draw the comparison: obstacles, the runs, the scenarios, and what else differs."""
    sheet.chapter(
        "Side by side",
        anchor="side-by-side",
        subtitle=f"{plural(len(seen.columns), 'run')}, the worst of all repeats of each. The "
        "gravest verdicts come first.",
    )
    _draw_obstacles(sheet, seen)
    for start in range(0, len(seen.columns), RUNS_PER_TABLE):
        part = slice(start, start + RUNS_PER_TABLE)
        columns = _columns(seen.columns[part])
        rows = [*_head_rows(seen.columns[part]), *(_row(line, part) for line in seen.lines)]
        draw_table(sheet, columns, rows)
    _draw_differences(sheet, seen)
    sheet.paragraph(
        "The evidence root at the foot of this page is the SHA-256 of the evidence roots above, "
        "one a line.",
        size=TINY,
        colour=MUTED,
    )


def _draw_obstacles(sheet: Sheet, seen: SideBySide) -> None:
    if not seen.obstacles:
        return
    sheet.heading("These runs must not be compared without care")
    for text in seen.obstacles:
        sheet.paragraph(text, size=SMALL, colour=TEXT[Verdict.INCONCLUSIVE])
    sheet.gap(6)


def _columns(runs: tuple[Column, ...]) -> list[TableColumn]:
    share = _OTHERS / len(runs)
    return [
        TableColumn(title="What was broken", share=_FIRST),
        *(TableColumn(title=f"run {run.run_id}", share=share, align=Align.RIGHT) for run in runs),
    ]


def _head_rows(runs: tuple[Column, ...]) -> list[Row]:
    return [
        [strong("System under test"), *(strong(run.name) for run in runs)],
        [cell("Verdict, grade"), *(_verdict(run) for run in runs)],
        [cell("Longest stall"), *(_mono(duration(run.longest_stall_ms)) for run in runs)],
        [
            cell("I/O errors, wrong sectors"),
            *(_counts(run.io_errors, run.mismatches) for run in runs),
        ],
        [cell("Conformance"), *(_conformance(run) for run in runs)],
        [cell("Evidence root", colour=MUTED), *(_root(run) for run in runs)],
    ]


def _verdict(run: Column) -> Stack:
    verdict = Verdict.INCONCLUSIVE if _not_whole(run) else run.verdict
    word = str(run.grade) if run.certified else "not certified"
    return Stack(
        parts=(
            Words(text=str(verdict), colour=TEXT[verdict], max_lines=1),
            Words(text=word, size=TINY, colour=MUTED, max_lines=1),
        )
    )


def _not_whole(run: Column) -> bool:
    """A run that says PASS and is not certified was not complete."""
    return run.verdict is Verdict.PASS and not run.certified


def _conformance(run: Column) -> Stack:
    failed = run.conformance_failed
    return Stack(
        parts=(
            cell(f"{count(failed)} failed", colour=FAIL_TEXT if failed else INK),
            Words(
                text=f"{count(run.conformance_passed)} passed, "
                f"{count(run.conformance_not_run)} not run",
                size=TINY,
                colour=MUTED,
                max_lines=1,
            ),
        )
    )


def _root(run: Column) -> Words:
    return Words(text=short_hash(run.evidence_root), font=MONO, size=TINY, colour=MUTED)


def _row(line: Line, part: slice) -> Row:
    title = Stack(
        parts=(
            strong(f"{line.id}  {line.title}"),
            Words(text=line.limits or "limits differ", size=TINY, colour=MUTED, max_lines=1),
        )
    )
    return [title, *(_outcome(one) for one in line.cells[part])]


def _outcome(one: Cell | None) -> Stack:
    if one is None:
        return Stack(parts=(cell(f"{MISSING} not planned", colour=MUTED),))
    parts = [Words(text=str(one.verdict), colour=TEXT[one.verdict], max_lines=1)]
    if one.verdict is Verdict.NOT_RUN:
        parts.append(Words(text=one.reason, size=TINY, colour=MUTED, max_lines=3))
        return Stack(parts=tuple(parts))
    stalls = f"{seconds(one.failover_ms)} / {seconds(one.failback_ms)} s"
    parts.append(Words(text=stalls, font=MONO, size=TINY, max_lines=1))
    if one.io_errors or one.mismatches:
        parts.append(_counts(one.io_errors, one.mismatches))
    if one.verdict is not Verdict.PASS:
        parts.append(Words(text=one.reason, size=TINY, colour=TEXT[one.verdict], max_lines=4))
    return Stack(parts=tuple(parts))


def _counts(io_errors: int, mismatches: int) -> Words:
    told = [
        plural(number, noun)
        for number, noun in ((io_errors, "I/O error"), (mismatches, "wrong sector"))
        if number
    ]
    if not told:
        return cell("none")
    return Words(text=", ".join(told), size=TINY, colour=FAIL_TEXT)


def _mono(text: str) -> Words:
    return Words(text=text, font=MONO, max_lines=1)


def _draw_differences(sheet: Sheet, seen: SideBySide) -> None:
    sheet.heading("What else was not the same")
    for text in seen.differences or ("Nothing that is recorded.",):
        sheet.paragraph(text, size=SMALL, colour=INK if seen.differences else MUTED)
    sheet.gap(6)
