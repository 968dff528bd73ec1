"""report.json: the key figures of the report for machines."""

import msgspec

from reports.folder import Run
from reports.record import Grade, Record, Verdict
from reports.sections.fault import reproduce_command
from reports.tolerance import TOLERANCES, exposure_of, tolerated
from reports.trace import (
    CustomerRequirement,
    Requirement,
    customer_requirements,
    requirements_of,
)
from reports.view import View, view_of

SCHEMA = 1


class ScenarioSummary(Record, frozen=True, kw_only=True):
    """One scenario, the worst of its repeats. Times are None where not measured."""

    id: str
    title: str
    fault: str
    subject: str
    verdict: Verdict
    reason: str
    repeats: int
    stall_failover_ms: float | None
    limit_failover_ms: float
    stall_failback_ms: float | None
    limit_failback_ms: float
    io_errors: int
    mismatches: int
    page: int
    reproduce: str


class RequirementSummary(Record, frozen=True, kw_only=True):
    """A requirement, of the customer or of the protocol, and what became of it."""

    id: str
    text: str
    scenarios: list[str]
    verdict: Verdict


class ToleranceSummary(Record, frozen=True, kw_only=True):
    """A program or host, how long it waits for its storage, and whether the run stayed below."""

    program: str
    limit_ms: float
    source: str
    verdict: Verdict  # PASS: safe; INCONCLUSIVE: not shown


class ReportSummary(Record, frozen=True, kw_only=True):
    """The whole of report.json."""

    schema: int
    run_id: str
    evidence_root: str
    report_sha256: str
    verdict: Verdict
    grade: Grade
    certified: bool
    sentence: str
    times_indicative: bool
    lab_kind: str
    system_under_test: str
    io_count: int
    io_errors: int
    sectors_verified: int
    mismatches: int
    conformance_passed: int
    conformance_failed: int
    conformance_not_run: int
    pages: int
    scenarios: list[ScenarioSummary]
    customer_requirements: list[RequirementSummary]
    requirements: list[RequirementSummary]
    tolerances: list[ToleranceSummary]


def summarize(run: Run, *, report_sha256: str, page_of: dict[str, int], pages: int) -> bytes:
    """Return report.json; *page_of* says on which page each scenario is."""
    view = view_of(run)
    figures, judgement = view.figures, run.judgement
    summary = ReportSummary(
        schema=SCHEMA,
        run_id=run.run.run_id,
        evidence_root=run.root,
        report_sha256=report_sha256,
        verdict=judgement.verdict,
        grade=judgement.grade,
        certified=judgement.certified,
        sentence=judgement.sentence,
        times_indicative=run.run.times_indicative,
        lab_kind=run.run.lab.kind,
        system_under_test=run.run.system_under_test.name,
        io_count=figures.io_count,
        io_errors=figures.io_errors,
        sectors_verified=figures.sectors_verified,
        mismatches=figures.mismatches,
        conformance_passed=judgement.conformance_passed,
        conformance_failed=judgement.conformance_failed,
        conformance_not_run=judgement.conformance_not_run,
        pages=pages,
        scenarios=[
            ScenarioSummary(
                id=scenario.plan.id,
                title=scenario.plan.title,
                fault=scenario.plan.fault,
                subject=scenario.plan.subject,
                verdict=scenario.verdict,
                reason=scenario.reason,
                repeats=len(scenario.repeats),
                stall_failover_ms=scenario.failover.worst_ms,
                limit_failover_ms=scenario.plan.limit_failover_ms,
                stall_failback_ms=scenario.failback.worst_ms,
                limit_failback_ms=scenario.plan.limit_failback_ms,
                io_errors=scenario.io_errors,
                mismatches=scenario.mismatches,
                page=page_of.get(scenario.anchor, 0),
                reproduce=reproduce_command(view, scenario),
            )
            for scenario in view.scenarios
        ],
        customer_requirements=[
            _requirement(one)
            for one in customer_requirements(run.run.acceptance.required, view.scenarios)
        ],
        requirements=[_requirement(one) for one in requirements_of(view.scenarios)],
        tolerances=_tolerances(view),
    )
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def _requirement(one: CustomerRequirement | Requirement) -> RequirementSummary:
    return RequirementSummary(
        id=one.id,
        text=one.text,
        scenarios=[scenario.plan.id for scenario in one.scenarios],
        verdict=one.verdict,
    )


def _tolerances(view: View) -> list[ToleranceSummary]:
    seen = exposure_of(view.scenarios, indicative=view.run.run.times_indicative)
    return [
        ToleranceSummary(
            program=one.program,
            limit_ms=one.limit_ms,
            source=one.source,
            verdict=tolerated(one, seen),
        )
        for one in TOLERANCES
    ]
