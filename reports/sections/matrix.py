"""The failure matrix: what was broken, what was expected, what the host saw."""

from reports.ink import Align
from reports.model import Scenario, Stall
from reports.record import OutagePlan, Verdict
from reports.sheet import Sheet
from reports.style import FAIL_TEXT, INK, MONO, MUTED, TEXT, TINY
from reports.table import Cell, Chip, Column, PageOf, Row, Stack, Words, cell, draw_table, strong
from reports.view import View
from reports.words import duration, limit, plural, seconds

_COLUMNS = (
    Column(title="Id", share=30),
    Column(title="What was broken, and the behaviour that passes", share=172),
    Column(title="Host impact", share=86),
    Column(title="Failover, s", share=48, align=Align.RIGHT),
    Column(title="Failback, s", share=48, align=Align.RIGHT),
    Column(title="Verdict", share=70, align=Align.RIGHT),
    Column(title="Page", share=22, align=Align.RIGHT),
)


def draw_matrix(sheet: Sheet, view: View) -> None:
    """Draw the failure matrix."""
    sheet.chapter(
        "Failure matrix",
        anchor="matrix",
        subtitle="Worst of all repeats. The gravest verdicts come first.",
    )
    draw_table(sheet, _COLUMNS, [_row(scenario) for scenario in view.scenarios])


def _row(scenario: Scenario) -> Row:
    plan = scenario.plan
    subject = f" ({plan.subject})" if plan.subject else ""
    parts = [
        strong(plan.title + subject),
        Words(text=plan.expected, size=TINY, colour=MUTED, max_lines=4),
    ]
    if plan.outage is not None:
        parts.append(Words(text=_outage(plan.outage), size=TINY, colour=MUTED, max_lines=4))
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


def _outage(meant: OutagePlan) -> str:
    """Say why nothing can serve, and what must hold all the same."""
    return (
        f"An outage is meant: {meant.why.rstrip('.')}. I/O must flow again by itself within "
        f"{duration(meant.return_ms)} after mending."
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
