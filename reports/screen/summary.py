"""The head of the page: verdict, notice of a virtual lab, key figures, failure matrix, findings."""

from reports.advice import advice_of
from reports.model import Scenario, Stall
from reports.record import Verdict
from reports.screen.marks import chip, class_of, section
from reports.screen.markup import Html, definitions, row, table, tag
from reports.sections.cover import figures_of_cover
from reports.tolerance import TOLERANCES, exposure_of, sentence, tolerated
from reports.view import View, lab_notice, shape_of_lab
from reports.words import limit, plural, seconds, span_of_time

_SAFE = {
    Verdict.PASS: "safe",
    Verdict.FAIL: "not safe",
    Verdict.INCONCLUSIVE: "not shown",
    Verdict.NOT_RUN: "not tested",
}


def head(view: View) -> Html:
    """Return what a reader must see first."""
    run, judgement, notice = view.run.run, view.run.judgement, lab_notice(view)
    target = run.system_under_test
    identity = " ".join(part for part in (target.vendor, target.product, target.revision) if part)
    figures = [
        tag("div", tag("dt", label), tag("dd", value)) for value, label in figures_of_cover(view)
    ]
    return tag(
        "header",
        tag("p", "DRAFT, NOT ISSUED", class_="draft") if view.draft else "",
        tag("p", "Zero-downtime report of", class_="note"),
        tag("h1", target.name),
        tag("p", identity, " · ", shape_of_lab(view)),
        tag("p", tag("strong", notice[0]), ". ", notice[1], class_="notice") if notice else "",
        tag(
            "div",
            tag("p", chip(view.verdict, view.verdict_words), class_="verdict"),
            tag("p", judgement.sentence),
            tag("p", "Decision rule", ": ", judgement.decision_rule, class_="note"),
            class_=f"edge {class_of(view.verdict)}",
        ),
        tag("dl", figures, class_="figures"),
        _occasion(view),
    )


def _occasion(view: View) -> Html:
    run = view.run.run
    accepted = run.acceptance
    pairs = [
        ("Customer", accepted.customer),
        ("Contract", accepted.contract),
        ("Requirements", accepted.requirements),
        ("Revision", accepted.revision_words),
        ("Tested", span_of_time(run.started_utc, run.ended_utc)),
        ("Profile, seed", f"{run.profile}, {run.seed}"),
        ("Tool", f"zerostall {run.tool.version}"),
    ]
    return definitions((name, value) for name, value in pairs if value)


def matrix(view: View) -> Html:
    """Return the failure matrix; a row leads to its fault."""
    return section(
        "matrix",
        "Failure matrix",
        table(
            ["Id", "Verdict", "What was broken", "Host impact", "Failover, s", "Failback, s"],
            [_row(scenario) for scenario in view.scenarios],
            caption="Failure matrix",
            unseen=True,
            id="faults-by-verdict",
        ),
        note="Worst of all repeats. The gravest verdicts come first. A row leads to its fault.",
    )


def _row(scenario: Scenario) -> Html:
    plan = scenario.plan
    why = tag("p", scenario.reason, class_="note") if scenario.verdict is not Verdict.PASS else ""
    return row(
        tag("a", plan.id, href=f"#{scenario.anchor}"),
        chip(scenario.verdict),
        [tag("strong", plan.title), f" ({plan.subject})" if plan.subject else "", why],
        _impact(scenario),
        _stall(scenario.failover),
        _stall(scenario.failback),
        data_goes_to=scenario.anchor,
    )


def _impact(scenario: Scenario) -> str:
    if not scenario.was_run:
        return "Not run"
    errors = scenario.io_errors
    parts = [plural(errors, "I/O error") if errors else "No I/O error"]
    wrong = scenario.mismatches
    parts.append(f"{plural(wrong, 'sector')} wrong" if wrong else "No data mismatch")
    return ", ".join(parts)


def _stall(stall: Stall) -> list[Html]:
    worst = seconds(stall.worst_ms)
    shown = tag("strong", worst, class_="grave") if stall.within is False else tag("span", worst)
    return [shown, tag("br"), tag("span", limit(stall.limit_ms), class_="note")]


def findings(view: View) -> Html:
    """Return what the judge found and what to do about it."""
    found = view.run.judgement.findings
    advice = advice_of(view.run.run, view.scenarios, view.run.judgement.conformance_failed)
    told = [
        tag("li", tag("strong", one.severity.capitalize()), _of(one.scenario), ": ", one.text)
        for one in found
    ]
    todo = [
        tag("li", tag("strong", one.action), " ", one.because, _until(one.until_then))
        for one in advice
    ]
    return section(
        "findings",
        "Findings and recommendations",
        tag("h3", "Findings"),
        tag("ol", told) if told else tag("p", "None."),
        tag("h3", "Recommendations"),
        tag("ol", todo) if todo else tag("p", "None."),
    )


def _of(scenario: str) -> str:
    return f", {scenario}" if scenario else ""


def _until(words: str) -> str:
    return f" ({words})" if words else ""


def safe_for(view: View) -> Html:
    """Return what may wait for this storage and what may not."""
    seen = exposure_of(view.scenarios, indicative=view.run.run.times_indicative)
    rows = []
    for one in TOLERANCES:
        verdict = tolerated(one, seen)
        rows.append(
            row(
                [one.program, tag("p", one.source, class_="note")],
                f"{one.limit_ms / 1000:.0f}",
                seconds(seen.worst_ms),
                one.consequence,
                chip(verdict, _SAFE[verdict]),
            )
        )
    return section(
        "tolerance",
        "Safe for, not safe for",
        table(
            ["What waits for the storage", "waits, s", "worst stall, s", "after that", ""],
            rows,
            caption="Safe for, not safe for",
            unseen=True,
        ),
        note=sentence(seen),
    )
