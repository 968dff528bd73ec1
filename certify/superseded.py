"""Repeats that noise kept from being judged, and that were made again. Pure.

Making a run again until it passes would be fraud. Here the ground is the control probe alone,
which no fault touches; the rule is in the decision rule of every report; and a repeat that shows
wrong data, an error or anything else than noise is never replaced.
"""

from collections.abc import Sequence

from certify.checks import untimed
from reports.record import Finding, PlanRecord, ScenarioJudgement


def without_superseded(
    plan: PlanRecord, scenarios: Sequence[ScenarioJudgement]
) -> tuple[list[ScenarioJudgement], list[Finding]]:
    """Leave out untimed repeats of scenarios that have as many judged ones as were planned.

    Returns the repeats that count, and a finding for each that was left out.
    """
    planned = {one.id: one.repeats for one in plan.scenarios}
    kept: list[ScenarioJudgement] = []
    findings: list[Finding] = []
    for one in scenarios:
        judged = sum(other.id == one.id and not untimed(other) for other in scenarios)
        if untimed(one) and judged >= planned.get(one.id, 1):
            findings.append(_finding(one))
        else:
            kept.append(one)
    return kept, findings


def _finding(one: ScenarioJudgement) -> Finding:
    text = (
        f"repeat {one.repeat} could not be timed and was made again: {one.reason} "
        f"It had {one.io_errors} I/O errors and {one.mismatches} mismatches."
    )
    return Finding(severity="warning", scenario=one.id, text=text)
