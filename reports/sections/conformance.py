"""Conformance: one row per assertion, one column per path, details only of what did not pass."""

from collections.abc import Sequence

from reports.ink import Align
from reports.model import gravest
from reports.record import AssertionRecord, Verdict
from reports.sheet import Sheet
from reports.style import BOLD, MONO, MUTED, SMALL, TEXT, TINY
from reports.table import Column, Row, Sign, Words, cell, draw_table, strong
from reports.view import View
from reports.words import count

_PATHS_MOST = 12


def draw_conformance(sheet: Sheet, view: View) -> None:
    """Draw the conformance matrix and what did not pass."""
    judgement = view.run.judgement
    sheet.chapter(
        "Conformance",
        anchor="conformance",
        subtitle=f"{count(judgement.conformance_passed)} assertions passed, "
        f"{count(judgement.conformance_failed)} failed, {count(judgement.conformance_not_run)} "
        "did not run. A tick is a pass, a cross a failure, a diamond inconclusive, a dash not run. "
        "Passing shows no more than what is listed.",
    )
    assertions = view.run.conformance.assertions
    if not assertions:
        sheet.paragraph("No assertion is in the evidence.", colour=MUTED)
        return
    _draw_exceptions(sheet, assertions)
    paths = sorted({assertion.path for assertion in assertions})
    for start in range(0, len(paths), _PATHS_MOST):
        _draw_matrix(sheet, assertions, paths[start : start + _PATHS_MOST], first=start + 1)


def _draw_exceptions(sheet: Sheet, assertions: Sequence[AssertionRecord]) -> None:
    grave = [a for a in assertions if a.verdict is not Verdict.PASS]
    if not grave:
        return
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN)
    sheet.heading("What did not pass", note=f"{count(len(grave))} of {count(len(assertions))}")
    groups: dict[tuple[Verdict, str, str, str, str], list[AssertionRecord]] = {}
    for a in sorted(grave, key=lambda a: order.index(a.verdict)):
        groups.setdefault((a.verdict, a.family, a.name, a.observed, a.reason), []).append(a)
    for members in groups.values():
        _draw_exception(sheet, members)
    sheet.gap(4)


def _draw_exception(sheet: Sheet, members: list[AssertionRecord]) -> None:
    """Draw what was seen alike on one or more paths."""
    first = members[0]
    paths = ", ".join(sorted({member.path for member in members}))
    sheet.need(30)
    sheet.gap(4)
    sheet.paragraph(
        f"{first.verdict} · {first.family}: {first.name} · {paths}",
        font=BOLD,
        size=SMALL,
        colour=TEXT[first.verdict],
    )
    if first.verdict is Verdict.NOT_RUN:
        sheet.paragraph(first.reason or "No reason given.", size=SMALL)
        return
    rows = [
        ("Clause", first.clause),
        ("Expected", first.expected),
        ("Observed", first.observed),
        ("Why", first.reason),
        ("Repeat with", first.repeat_with),
    ]
    sheet.gap(2)
    sheet.definitions([(name, text) for name, text in rows if text], label_width=64)


def _draw_matrix(
    sheet: Sheet, assertions: Sequence[AssertionRecord], paths: list[str], *, first: int
) -> None:
    numbers = ", ".join(f"{first + i} {path}" for i, path in enumerate(paths))
    sheet.heading("All assertions")
    sheet.paragraph(f"Paths: {numbers}", size=SMALL, colour=MUTED)
    sheet.gap(4)
    columns = [
        Column(title="Family", share=78),
        Column(title="Assertion", share=200),
        Column(title="Clause", share=90),
        *(Column(title=f"    {first + i}", share=15) for i in range(len(paths))),
    ]
    if len(paths) < 4:
        columns.append(Column(title="", share=15 * (4 - len(paths)), align=Align.RIGHT))
    cells: dict[tuple[str, str, str], dict[str, list[Verdict]]] = {}
    for a in assertions:
        marks = cells.setdefault((a.family, a.name, a.clause), {})
        marks.setdefault(a.path, []).append(a.verdict)
    rows: list[Row] = []
    family_before = ""
    for (family, name, clause), marks in cells.items():
        row: list[Words | Sign] = [
            strong(family if family != family_before else ""),
            cell(name),
            Words(text=clause, font=MONO, size=TINY, colour=MUTED, max_lines=2),
        ]
        row += [Sign(verdict=gravest(marks[p]) if p in marks else None) for p in paths]
        if len(paths) < 4:
            row.append(cell(""))
        rows.append(row)
        family_before = family
    draw_table(sheet, columns, rows)
