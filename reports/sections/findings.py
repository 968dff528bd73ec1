"""Findings of the judge, then what to do about them: numbered, with severity and owner."""

from reports import emblems
from reports.advice import Advice, advice_of
from reports.ink import Align
from reports.record import Finding, Verdict
from reports.sheet import Sheet
from reports.style import BOLD, LEFT, MUTED, SMALL, TEXT, TINY, WIDTH
from reports.table import Cell, Column, Row, Signed, Stack, Words, cell, draw_table
from reports.view import View
from reports.words import MISSING, count, plural

_COLUMNS = (
    Column(title="No.", share=22),
    Column(title="severity", share=52, align=Align.RIGHT),
    Column(title="What to do, and what it rests on", share=266),
    Column(title="owner", share=66),
    Column(title="until then", share=96),
)
_SEVERITY = {
    "failure": Verdict.FAIL,
    "warning": Verdict.INCONCLUSIVE,
    "note": Verdict.NOT_RUN,
}
_ORDER = tuple(_SEVERITY)


def draw_findings(sheet: Sheet, view: View) -> None:
    """Draw the page of findings and recommendations."""
    findings = sorted(view.run.judgement.findings, key=_gravity)
    failed = view.run.judgement.conformance_failed
    advice = advice_of(view.run.run, view.scenarios, failed)
    sheet.chapter(
        "Findings and recommendations",
        anchor="findings",
        subtitle=f"{plural(len(findings), 'finding')} of the judge, F1 and on, and "
        f"{plural(len(advice), 'recommendation')} that follow from the evidence, R1 and on. The "
        "gravest come first.",
    )
    _draw_findings(sheet, findings)
    sheet.heading("Recommendations", note="none of them changes a verdict")
    if not advice:
        sheet.paragraph("None.", colour=MUTED)
        return
    rows = [_row(number, one) for number, one in enumerate(advice, start=1)]
    draw_table(sheet, _COLUMNS, rows)


def _gravity(finding: Finding) -> int:
    return _ORDER.index(finding.severity) if finding.severity in _ORDER else len(_ORDER)


def _draw_findings(sheet: Sheet, findings: list[Finding]) -> None:
    sheet.heading("Findings", note=f"{count(len(findings))} in all")
    if not findings:
        sheet.paragraph("None.", colour=MUTED)
        return
    for number, finding in enumerate(findings, start=1):
        verdict = _SEVERITY.get(finding.severity, Verdict.NOT_RUN)
        sheet.need(26)
        top = sheet.y
        sheet.add(
            *emblems.verdict_mark(verdict, x=LEFT + 1, y=top + 2.4, size=6.2, colour=TEXT[verdict])
        )
        sheet.paragraph(
            f"F{number}. {finding.severity.capitalize()}"
            + (f", {finding.scenario}" if finding.scenario else ""),
            font=BOLD,
            size=SMALL,
            x=LEFT + 13,
            width=WIDTH - 13,
            colour=TEXT[verdict],
        )
        sheet.paragraph(finding.text, size=SMALL, x=LEFT + 13, width=WIDTH - 13)
        sheet.gap(3)


def _row(number: int, one: Advice) -> Row:
    verdict = _SEVERITY[one.severity]
    until: Cell = Words(text=one.until_then, size=TINY)
    if not one.until_then:
        until = cell(MISSING, colour=MUTED)
    return (
        cell(f"R{number}", colour=MUTED),
        Signed(verdict=verdict, text=one.severity),
        Stack(
            parts=(
                Words(text=one.action, font=BOLD),
                Words(text=one.because, size=TINY, colour=MUTED),
            )
        ),
        Words(text=one.owner),
        until,
    )
