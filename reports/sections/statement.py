"""Scope and statement: what was tested for whom, by whom, how decided, and what was not tested."""

from reports.ink import Align
from reports.model import Scenario
from reports.record import EventKind
from reports.sheet import Sheet
from reports.style import MONO, MUTED, SMALL, TINY
from reports.table import DENSE, Column, Words, draw_table
from reports.view import View, lab_notice, shape_of_lab
from reports.words import MISSING, count, plural, span_of_time

_COLUMNS = (
    Column(title="Not tested", share=46),
    Column(title="Scenario", share=140),
    Column(title="why", share=240),
    Column(title="requirement", share=56, align=Align.RIGHT),
)
_WAIVED = "waived ("
"""How the reason of an assertion begins whose failure is known and excused."""
_RELATES = (
    "The results relate only to the items tested, in the configuration on the page “Configuration "
    "tested”, at the time of the run. Tests show the presence of faults, never their absence; one "
    "repeat of a fault says little about how often it would pass."
)


def draw_statement(sheet: Sheet, view: View) -> None:
    """Draw scope and statement."""
    sheet.chapter(
        "Scope and statement",
        anchor="statement",
        subtitle="What was tested, where, when, for whom and by whom; what was not; how it was "
        "decided.",
    )
    sheet.definitions(_facts(view), label_width=120)
    sheet.heading("Statement")
    sheet.paragraph(f"{view.verdict_words}. {view.run.judgement.sentence}")
    sheet.paragraph(_RELATES, size=SMALL)
    _draw_deviations(sheet, view)
    _draw_untested(sheet, view)


def _facts(view: View) -> list[tuple[str, str]]:
    run, lab, judgement = view.run.run, view.lab, view.run.judgement
    target, accepted = run.system_under_test, run.acceptance
    units = "; ".join(f"{unit.name} ({unit.wwid})" for unit in lab.logical_units)
    plan = next((e.sha256 for e in view.run.manifest.files if e.path == "plan.json"), MISSING)
    notice = lab_notice(view)
    commit = run.tool.commit[:12] or "not from a checkout"
    facts = [
        ("Item tested", f"{target.name}: {target.vendor} {target.product} {target.revision}"),
        ("Serial numbers", ", ".join(target.serials)),
        ("Logical units, WWIDs", units),
        ("Note of the lab file", target.note),
        ("Customer", accepted.customer),
        ("Contract", accepted.contract),
        ("Requirement document", accepted.requirements),
        ("Place", f"{lab.kind} lab {lab.name}, topology {lab.topology}: {shape_of_lab(view)}"),
        ("What the lab is", f"{notice[0]}. {notice[1]}" if notice else ""),
        ("Time", span_of_time(run.started_utc, run.ended_utc)),
        ("Protocol", f"profile {run.profile}, seed {run.seed}; plan.json, SHA-256 {plan}"),
        ("Decision rule", judgement.decision_rule),
        ("Done by", f"zerostall {run.tool.version}, commit {commit}, without a hand in between"),
        ("Answered for by", ", ".join(accepted.signatories)),
    ]
    return [(name, text) for name, text in facts if text.strip()]


def _draw_deviations(sheet: Sheet, view: View) -> None:
    sheet.heading("Deviations from the protocol")
    for text in deviations_of(view) or ["None."]:
        sheet.paragraph(text, size=SMALL)


def deviations_of(view: View) -> list[str]:
    """Return what was not done as planned, or not as it is usually done."""
    run = view.run.run
    found = []
    if not run.complete:
        found.append("The run was ended before its last scenario was undone.")
    if run.tool.modified:
        found.append("The suite had local changes that no commit holds.")
    if run.times_indicative:
        found.append("An emulated CPU took the times; they decide nothing.")
    again = [
        f"{one.plan.id} ({len(one.repeats)} instead of {one.plan.repeats})"
        for one in view.scenarios
        if one.was_run and len(one.repeats) != one.plan.repeats
    ]
    if again:
        found.append(f"Other than the planned number of repeats: {_listed(again)}.")
    waived = sum(one.reason.startswith(_WAIVED) for one in view.run.conformance.assertions)
    if waived:
        found.append(
            f"Failures of conformance tests that were waived, with the reason: {count(waived)}. "
            "Each is on the page “Conformance”."
        )
    errors = sum(event.kind is EventKind.ERROR for event in view.run.events)
    if errors:
        found.append(f"{plural(errors, 'error')} of the suite or the lab, on the pages of faults.")
    return found


def _listed(names: list[str]) -> str:
    more = f" and {count(len(names) - 12)} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more


def _draw_untested(sheet: Sheet, view: View) -> None:
    absent = [one for one in view.scenarios if not one.was_run]
    sheet.heading("Not tested", note="nothing is claimed of these")
    if not absent:
        sheet.paragraph("Every scenario of the protocol was run.", size=SMALL)
        return
    draw_table(sheet, _COLUMNS, [_untested(one) for one in absent], pad=DENSE)


def _untested(one: Scenario) -> tuple[Words, ...]:
    return (
        Words(text=one.plan.id, font=MONO, colour=MUTED, max_lines=1),
        Words(text=one.plan.title, max_lines=2),
        Words(text=one.reason, size=TINY, max_lines=4),
        Words(text=one.plan.requirement or MISSING, font=MONO, size=TINY, max_lines=2),
    )
