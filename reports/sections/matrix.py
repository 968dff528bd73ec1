"""The failure matrix: what was broken, what was expected, what the host saw; then the findings."""

from reports import emblems
from reports.ink import Align
from reports.model import Scenario, Stall
from reports.record import Finding, Verdict
from reports.sheet import Sheet
from reports.style import BOLD, FAIL_TEXT, INK, LEFT, MONO, MUTED, SMALL, TEXT, TINY, WIDTH
from reports.table import Cell, Chip, Column, PageOf, Row, Stack, Words, cell, draw_table, strong
from reports.view import View
from reports.words import count, limit, plural, seconds

_COLUMNS = (
    Column(title="Id", share=30),
    Column(title="What was broken, and the behaviour that passes", share=172),
    Column(title="Host impact", share=86),
    Column(title="Failover, s", share=48, align=Align.RIGHT),
    Column(title="Failback, s", share=48, align=Align.RIGHT),
    Column(title="Verdict", share=70, align=Align.RIGHT),
    Column(title="Page", share=22, align=Align.RIGHT),
)
_SEVERITY = {
    "failure": Verdict.FAIL,
    "warning": Verdict.INCONCLUSIVE,
    "note": Verdict.NOT_RUN,
}
_ORDER = tuple(_SEVERITY)


def draw_matrix(sheet: Sheet, view: View) -> None:
    """Draw the failure matrix and the findings."""
    sheet.chapter(
        "Failure matrix",
        anchor="matrix",
        subtitle="Worst of all repeats. The gravest verdicts come first.",
    )
    draw_table(sheet, _COLUMNS, [_row(scenario) for scenario in view.scenarios])
    _draw_findings(sheet, view.run.judgement.findings)
    _draw_scope(sheet, view)


def _row(scenario: Scenario) -> Row:
    plan = scenario.plan
    subject = f" ({plan.subject})" if plan.subject else ""
    parts = [
        strong(plan.title + subject),
        Words(text=plan.expected, size=TINY, colour=MUTED, max_lines=4),
    ]
    if scenario.verdict is not Verdict.PASS:
        parts.append(
            Words(text=scenario.reason, size=TINY, colour=TEXT[scenario.verdict], max_lines=4)
        )
    what = Stack(parts=tuple(parts))
    return (
        Words(text=plan.id, font=MONO, colour=MUTED, goes_to=scenario.anchor, max_lines=1),
        what,
        _impact(scenario),
        _stall(scenario.failover),
        _stall(scenario.failback),
        Chip(verdict=scenario.verdict),
        PageOf(anchor=scenario.anchor),
    )


def _impact(scenario: Scenario) -> Cell:
    if not scenario.was_run:
        return cell("Not run", colour=MUTED)
    errors = scenario.io_errors
    parts = [
        cell(plural(errors, "I/O error"), colour=FAIL_TEXT) if errors else cell("No I/O error"),
        cell(f"{plural(scenario.mismatches, 'sector')} wrong", colour=FAIL_TEXT)
        if scenario.mismatches
        else Words(text="No data mismatch", size=TINY, colour=MUTED),
    ]
    return Stack(parts=tuple(parts))


def _stall(stall: Stall) -> Cell:
    colour = FAIL_TEXT if stall.within is False else INK
    return Stack(
        parts=(
            cell(seconds(stall.worst_ms), font=MONO, colour=colour),
            Words(text=limit(stall.limit_ms), font=MONO, size=TINY, colour=MUTED),
        )
    )


def _draw_findings(sheet: Sheet, findings: list[Finding]) -> None:
    sheet.heading("Findings", note=f"{count(len(findings))} in all")
    if not findings:
        sheet.paragraph("None.", colour=MUTED)
        return

    def gravity(finding: Finding) -> int:
        return _ORDER.index(finding.severity) if finding.severity in _ORDER else len(_ORDER)

    for number, finding in enumerate(sorted(findings, key=gravity), start=1):
        verdict = _SEVERITY.get(finding.severity, Verdict.NOT_RUN)
        sheet.need(26)
        top = sheet.y
        sheet.add(
            *emblems.verdict_mark(verdict, x=LEFT + 1, y=top + 2.4, size=6.2, colour=TEXT[verdict])
        )
        sheet.paragraph(
            f"{number}. {finding.severity.capitalize()}"
            + (f", {finding.scenario}" if finding.scenario else ""),
            font=BOLD,
            size=SMALL,
            x=LEFT + 13,
            width=WIDTH - 13,
            colour=TEXT[verdict],
        )
        sheet.paragraph(finding.text, size=SMALL, x=LEFT + 13, width=WIDTH - 13)
        sheet.gap(3)


def _draw_scope(sheet: Sheet, view: View) -> None:
    run = view.run.run
    sheet.heading("Scope")
    sheet.paragraph(
        "The results relate only to the items tested, in the configuration on the page "
        "“Configuration tested”, at the time of the run. Tests show the presence of faults, never "
        "their absence; one repeat of a fault says little about how often it would pass.",
        size=SMALL,
    )
    not_run = [scenario for scenario in view.scenarios if not scenario.was_run]
    for scenario in not_run:
        sheet.paragraph(f"Not tested: {scenario.plan.title}. {scenario.reason}", size=SMALL)
    if not run.complete:
        sheet.paragraph("The run was ended before its last scenario was undone.", size=SMALL)
    if run.system_under_test.note:
        sheet.paragraph(run.system_under_test.note, size=SMALL)
