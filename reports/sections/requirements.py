"""The requirement trace: each requirement, what tests it, what became of that."""

from collections.abc import Sequence

from reports.ink import Align
from reports.model import Scenario
from reports.record import Verdict
from reports.sheet import Sheet
from reports.style import FAIL_TEXT, INK, MONO, MUTED, SMALL, TEXT, TINY
from reports.table import DENSE, Chip, Column, PageOf, Row, Stack, Words, cell, draw_table
from reports.trace import (
    CustomerRequirement,
    Requirement,
    Standard,
    customer_requirements,
    requirements_of,
    standards_of,
)
from reports.view import View
from reports.words import MISSING, count, limit, plural

_COLUMNS = (
    Column(title="Requirement", share=62),
    Column(title="What is required", share=210),
    Column(title="Tested by", share=64),
    Column(title="checks passed", share=52, align=Align.RIGHT),
    Column(title="", share=68, align=Align.RIGHT),
    Column(title="Page", share=22, align=Align.RIGHT),
)
_CUSTOMER_COLUMNS = (
    Column(title="Requirement", share=62),
    Column(title="What the customer requires", share=262),
    Column(title="Tested by", share=64),
    Column(title="", share=90, align=Align.RIGHT),
)
_TESTS_MOST = 6
_STANDARD_COLUMNS = (
    Column(title="Standard", share=132),
    Column(title="clauses quoted", share=60, align=Align.RIGHT),
    Column(title="assertions passed", share=60, align=Align.RIGHT),
    Column(title="failed", share=44, align=Align.RIGHT),
    Column(title="inconclusive", share=52, align=Align.RIGHT),
    Column(title="not run", share=44, align=Align.RIGHT),
    Column(title="", share=68, align=Align.RIGHT),
    Column(title="Page", share=22, align=Align.RIGHT),
)


def draw_requirements(sheet: Sheet, view: View) -> None:
    """Draw the trace of the protocol's requirements, then the standards."""
    found = requirements_of(view.scenarios)
    met = sum(one.verdict is Verdict.PASS for one in found)
    accepted = view.run.run.acceptance
    agreed = ""
    if accepted.requirements and not accepted.required:
        agreed = f" Which of “{accepted.requirements}” they show is for its reader to say."
    sheet.chapter(
        "Requirement trace",
        anchor="requirements",
        subtitle=f"{count(met)} of {plural(len(found), 'requirement')} met. Each is named by the "
        f"protocol, which was fixed before the first fault (plan.json).{agreed}",
    )
    _draw_customers(sheet, view)
    if found:
        draw_table(sheet, _COLUMNS, [_row(one) for one in found], pad=DENSE)
    else:
        sheet.paragraph("The protocol names no requirement.", colour=MUTED)
    _draw_standards(sheet, view)


def _draw_customers(sheet: Sheet, view: View) -> None:
    """Draw the customer's own requirements, where the lab file has them."""
    accepted = view.run.run.acceptance
    found = customer_requirements(accepted.required, view.scenarios)
    if not found:
        return
    met = sum(one.verdict is Verdict.PASS for one in found)
    sheet.heading(
        accepted.requirements or "Requirements of the customer",
        note=f"{count(met)} of {count(len(found))} met",
    )
    draw_table(sheet, _CUSTOMER_COLUMNS, [_customer(one) for one in found], pad=DENSE)
    sheet.heading("Requirements of the protocol")


def _customer(one: CustomerRequirement) -> Row:
    lacking = ", ".join(one.lacking[:6])
    text = [Words(text=one.text)]
    if lacking:
        words = f"Nothing in this run is named {lacking}."
        text.append(Words(text=words, size=TINY, colour=TEXT[Verdict.NOT_RUN]))
    return (
        Words(text=one.id, font=MONO, size=TINY, max_lines=3),
        Stack(parts=tuple(text)),
        Stack(parts=_tests(one.scenarios)),
        Chip(verdict=one.verdict),
    )


def _row(one: Requirement) -> Row:
    passed, made = one.checks
    plan = one.scenarios[0].plan
    bounds = f"failover {_bound(plan.limit_failover_ms)}, failback {_bound(plan.limit_failback_ms)}"
    wrong = one.verdict is Verdict.FAIL
    return (
        Words(text=one.id, font=MONO, size=TINY, max_lines=3),
        Stack(
            parts=(
                Words(text=one.text, max_lines=4),
                Words(text=bounds, size=TINY, colour=MUTED, max_lines=1),
            )
        ),
        Stack(parts=_tests(one.scenarios)),
        cell(f"{count(passed)} of {count(made)}", font=MONO, colour=FAIL_TEXT if wrong else INK),
        Chip(verdict=one.verdict),
        PageOf(anchor=one.scenarios[0].anchor if one.was_tested else "statement"),
    )


def _bound(ms: float) -> str:
    return f"{limit(ms)} s" if ms > 0 else limit(ms)


def _tests(scenarios: Sequence[Scenario]) -> tuple[Words, ...]:
    names = [
        Words(
            text=f"{scenario.plan.id} × {len(scenario.repeats)}",
            font=MONO,
            size=TINY,
            goes_to=scenario.anchor if scenario.was_run else "",
            max_lines=1,
        )
        for scenario in scenarios[:_TESTS_MOST]
    ]
    if not names:
        names = [Words(text=MISSING, colour=MUTED)]
    if len(scenarios) > _TESTS_MOST:
        more = f"{len(scenarios) - _TESTS_MOST} more"
        names.append(Words(text=more, size=TINY, colour=MUTED, max_lines=1))
    return tuple(names)


def _draw_standards(sheet: Sheet, view: View) -> None:
    standards = standards_of(view.run.conformance.assertions)
    if not standards:
        return
    sheet.heading("Standards", note="clauses that conformance assertions quote, over all paths")
    draw_table(sheet, _STANDARD_COLUMNS, [_standard(one) for one in standards], pad=DENSE)
    sheet.paragraph(
        "An assertion that did not run is never counted as passed; why is on the page "
        "“Conformance”.",
        size=SMALL,
        colour=MUTED,
    )


def _standard(one: Standard) -> Row:
    failed = one.count(Verdict.FAIL)
    return (
        Words(text=one.name, max_lines=2),
        cell(count(one.clauses), font=MONO),
        cell(count(one.count(Verdict.PASS)), font=MONO),
        cell(count(failed), font=MONO, colour=FAIL_TEXT if failed else INK),
        cell(count(one.count(Verdict.INCONCLUSIVE)), font=MONO),
        cell(count(one.count(Verdict.NOT_RUN)), font=MONO),
        Chip(verdict=one.verdict),
        PageOf(anchor="conformance"),
    )
