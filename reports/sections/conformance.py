"""Conformance: a row per family, a column per path, details only of what did not pass."""

from collections.abc import Sequence

from reports.emblems import verdict_mark
from reports.ink import Align, Line, Text
from reports.model import gravest
from reports.record import AssertionRecord, Verdict
from reports.sheet import Sheet
from reports.style import (
    BOLD,
    INK,
    LEFT,
    MUTED,
    REGULAR,
    RULE,
    SMALL,
    TEXT,
    TINY,
    WIDTH,
    text_width,
)
from reports.table import DENSE, Cell, Column, Signed, cell, draw_table, strong
from reports.view import View
from reports.words import MISSING, count, fit

_PATHS_MOST = 6
_LINE = 9.6
_LISTED_MOST = 40
"""Assertions of a family that are listed by name; all of them are in conformance.json."""
_COLUMNS = 2
_GUTTER = 18.0
_COLUMN_WIDTH = (WIDTH - _GUTTER * (_COLUMNS - 1)) / _COLUMNS


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
    _draw_families(sheet, assertions)
    _draw_list(sheet, assertions)


def _draw_exceptions(sheet: Sheet, assertions: Sequence[AssertionRecord]) -> None:
    grave = [a for a in assertions if a.verdict is not Verdict.PASS]
    if not grave:
        return
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN)
    sheet.heading("What did not pass", note=f"{count(len(grave))} of {count(len(assertions))}")
    groups: dict[tuple[Verdict, str, str, str, str], list[AssertionRecord]] = {}
    for a in sorted(grave, key=lambda a: order.index(a.verdict)):
        # What did not run for one reason is told once, however much it was.
        alike = ("", "") if a.verdict is Verdict.NOT_RUN else (a.name, a.observed)
        groups.setdefault((a.verdict, a.family, *alike, a.reason), []).append(a)
    for members in groups.values():
        _draw_exception(sheet, members)
    sheet.gap(4)


def _draw_exception(sheet: Sheet, members: list[AssertionRecord]) -> None:
    """Draw what was seen alike on one or more paths."""
    first = members[0]
    paths = ", ".join(sorted({member.path for member in members if member.path}))
    names = sorted({member.name for member in members})
    more = f" and {count(len(names) - 1)} more" if len(names) > 1 else ""
    sheet.need(30)
    sheet.gap(4)
    sheet.paragraph(
        " · ".join(
            part for part in (first.verdict, f"{first.family}: {names[0]}{more}", paths) if part
        ),
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


def _draw_families(sheet: Sheet, assertions: Sequence[AssertionRecord]) -> None:
    """Draw one row per family with a mark and a count for each path.

    What belongs to no path, for a whole test did not run, counts for each.
    """
    paths = sorted({assertion.path for assertion in assertions} - {""}) or [""]
    families = list(dict.fromkeys(assertion.family for assertion in assertions))
    sheet.heading("Families, by path", note="passed of all assertions")
    for start in range(0, len(paths), _PATHS_MOST):
        part = paths[start : start + _PATHS_MOST]
        columns = [Column(title="Family", share=120)]
        columns += [Column(title=path, share=36, align=Align.RIGHT) for path in part]
        columns += [Column(title="", share=36)] * (_PATHS_MOST - len(part))
        rows = []
        for family in families:
            row: list[Cell] = [strong(family)]
            row += [
                _share([a for a in assertions if a.family == family and a.path in (p, "")])
                for p in part
            ]
            row += [cell("")] * (_PATHS_MOST - len(part))
            rows.append(row)
        draw_table(sheet, columns, rows, pad=DENSE)


def _share(members: list[AssertionRecord]) -> Cell:
    if not members:
        return cell(MISSING, colour=MUTED)
    verdict = gravest(assertion.verdict for assertion in members)
    passed = sum(assertion.verdict is Verdict.PASS for assertion in members)
    return Signed(verdict=verdict, text=f"{passed}/{len(members)}")


def _draw_list(sheet: Sheet, assertions: Sequence[AssertionRecord]) -> None:
    """Draw every assertion once, the gravest verdict of all paths before it, in two columns."""
    verdicts: dict[tuple[str, str, str], list[Verdict]] = {}
    for a in assertions:
        verdicts.setdefault((a.family, a.name, a.clause), []).append(a.verdict)
    entries: list[tuple[str, str, str, Verdict]] = []
    for family in sorted({key[0] for key in verdicts}):
        entries += _entries_of(
            family, {key[1:]: gravest(found) for key, found in verdicts.items() if key[0] == family}
        )
    sheet.heading("All assertions", note="the gravest verdict of all paths", keep=60)
    sheet.gap(4)
    # A short list has equal columns.
    lines = len(entries) + 1.3 * len({entry[0] for entry in entries})
    column, top = 0, sheet.y
    bottom = min(sheet.bottom, top + (lines / _COLUMNS + 2) * _LINE)
    before = ""
    for family, name, clause, verdict in sorted(entries, key=lambda entry: entry[0]):
        needed = _LINE * (2.3 if family != before else 1)
        if sheet.y + needed > bottom:
            column += 1
            if column == _COLUMNS:
                sheet.new_page()
                column, top, bottom = 0, sheet.y, sheet.bottom
            sheet.y, before = top, ""
        if family != before:
            _draw_family(sheet, family, column)
            before = family
        _draw_entry(sheet, name, clause, verdict, column)
    sheet.y = sheet.bottom


def _entries_of(
    family: str, verdicts: dict[tuple[str, str], Verdict]
) -> list[tuple[str, str, str, Verdict]]:
    """Return what is listed of a family: all, or the gravest and how many more there are."""
    ranked = sorted(verdicts.items(), key=lambda item: item[1] is Verdict.PASS)
    listed = ranked if len(ranked) <= _LISTED_MOST else ranked[: _LISTED_MOST - 1]
    entries = [(family, name, clause, verdict) for (name, clause), verdict in listed]
    rest = ranked[len(listed) :]
    if rest:
        text = f"{count(len(rest))} more, in conformance.json"
        entries.append((family, text, "", gravest(verdict for _, verdict in rest)))
    return entries


def _draw_family(sheet: Sheet, family: str, column: int) -> None:
    x = LEFT + column * (_COLUMN_WIDTH + _GUTTER)
    sheet.y += 1.3 * _LINE
    family = fit(family, BOLD, TINY, _COLUMN_WIDTH)
    sheet.add(Text(x=x, y=sheet.y, text=family, font=BOLD, size=TINY, colour=INK))
    line_y = sheet.y + 2.2
    sheet.add(Line(x0=x, y0=line_y, x1=x + _COLUMN_WIDTH, y1=line_y, colour=RULE, width=0.4))


def _draw_entry(sheet: Sheet, name: str, clause: str, verdict: Verdict, column: int) -> None:
    x = LEFT + column * (_COLUMN_WIDTH + _GUTTER)
    sheet.y += _LINE
    clause = fit(clause, REGULAR, TINY, _COLUMN_WIDTH * 0.42)
    room = _COLUMN_WIDTH - 10 - text_width(clause, REGULAR, TINY) - 8
    colour = INK if verdict is Verdict.PASS else TEXT[verdict]
    sheet.add(
        *verdict_mark(verdict, x=x, y=sheet.y - 5.2, size=5.2, colour=TEXT[verdict]),
        Text(
            x=x + 10,
            y=sheet.y,
            text=fit(name, REGULAR, TINY, room),
            font=REGULAR,
            size=TINY,
            colour=colour,
        ),
        Text(
            x=x + _COLUMN_WIDTH,
            y=sheet.y,
            text=clause,
            font=REGULAR,
            size=TINY,
            colour=MUTED,
            align=Align.RIGHT,
        ),
    )
