"""From the judgements of the scenarios to the verdict of a run. Pure."""

from collections.abc import Iterable, Sequence
from enum import IntEnum

from certify.confidence import failure_share_max, summaries_of
from reports.record import (
    SCHEMA,
    ConformanceRecord,
    Finding,
    Grade,
    JudgementRecord,
    PlanRecord,
    ScenarioJudgement,
    Verdict,
)

DECISION_RULE = (
    "A stall passes when it is not above its limit; nothing is subtracted. Above it, it fails, "
    "unless noise above a tenth of the limit, at the same time, explains the excess: then it is "
    "inconclusive and made again, at most twice. FAIL outweighs INCONCLUSIVE, then NOT RUN, then "
    "PASS."
)

NOISE_SHARE = 0.1
"""Up to this share of a limit, noise is not taken into account at all."""

EXTRA_REPEATS_MAX = 2
"""How often a scenario is run again because noise kept it from being judged."""


class ExitCode(IntEnum):
    """What `certify` exits with."""

    CERTIFIED = 0
    FAILED = 1
    USAGE = 2  # the command line or the lab file is wrong
    INCONCLUSIVE = 3  # a fault not proven, too much noise, or not everything was run
    LAB = 4  # the lab could not be booted, or not be restored to health


_WEIGHT = {Verdict.PASS: 0, Verdict.NOT_RUN: 1, Verdict.INCONCLUSIVE: 2, Verdict.FAIL: 3}

_GRADES = (
    # grade, longest stall after an unplanned fault, longest at failback, both in ms
    (Grade.PLATINUM, 1_000.0, 1_000.0),
    (Grade.GOLD, 5_000.0, 2_000.0),  # below the iSCSI NOP-Out and fast_io_fail defaults, 5 s
    (Grade.SILVER, 15_000.0, 5_000.0),  # SQL Server error 833 and Oracle ASM PST: 15 s
    (Grade.BRONZE, 27_000.0, 15_000.0),  # Oracle RAC misscount 27 s, Linux SCSI timer 30 s
)
_OPEN_EDGE = frozenset({(Grade.SILVER, 0), (Grade.BRONZE, 0), (Grade.BRONZE, 1)})
"""Edges that must be stayed below, rather than not exceeded: there the application acts."""


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that outweighs the others; NOT RUN for none at all."""
    return max(verdicts, key=_WEIGHT.__getitem__, default=Verdict.NOT_RUN)


def grade_of(failover_ms: float | None, failback_ms: float | None) -> Grade:
    """Return the best grade whose edges both stalls keep; a stall of None keeps every edge."""
    for grade, *edges in _GRADES:
        stalls = (failover_ms, failback_ms)
        if all(
            stall is None or stall < edge or (stall == edge and (grade, index) not in _OPEN_EDGE)
            for index, (stall, edge) in enumerate(zip(stalls, edges, strict=True))
        ):
            return grade
    return Grade.NOT_CERTIFIED


def worst_grade(grades: Iterable[Grade]) -> Grade:
    """Return the worst of *grades*; not certified for none at all."""
    order = list(Grade)
    return max(grades, key=order.index, default=Grade.NOT_CERTIFIED)


def judge_run(
    plan: PlanRecord,
    scenarios: Sequence[ScenarioJudgement],
    conformance: ConformanceRecord,
    *,
    lab_problem: str = "",
    findings: Sequence[Finding] = (),
) -> JudgementRecord:
    """Judge a run: every planned repeat of every scenario, and the conformance assertions.

    *lab_problem* says in one line why the lab could not be restored; it decides the exit code
    unless the run failed, which outweighs it. *findings* are added to those made here.
    """
    told = _count(conformance)
    parts = [judgement.verdict for judgement in scenarios]
    parts.append(_conformance_verdict(told))
    verdict = merge(parts)
    if lab_problem and verdict is not Verdict.FAIL:
        verdict = Verdict.INCONCLUSIVE
    grade = Grade.NOT_CERTIFIED
    if verdict is Verdict.PASS:
        grade = worst_grade(one.grade for one in scenarios if one.grade is not None)
    certified = verdict is Verdict.PASS and grade is not Grade.NOT_CERTIFIED
    return JudgementRecord(
        schema=SCHEMA,
        verdict=verdict,
        grade=grade,
        certified=certified,
        sentence=_sentence(verdict, scenarios, told, lab_problem),
        decision_rule=DECISION_RULE,
        exit_code=_exit_code(verdict, certified=certified, lab_problem=lab_problem),
        scenarios=list(scenarios),
        conformance_passed=told[Verdict.PASS],
        conformance_failed=told[Verdict.FAIL],
        conformance_not_run=told[Verdict.NOT_RUN] + told[Verdict.INCONCLUSIVE],
        findings=_findings(plan, scenarios, conformance, lab_problem, findings),
        summaries=summaries_of(scenarios),
    )


def _count(conformance: ConformanceRecord) -> dict[Verdict, int]:
    counts = dict.fromkeys(Verdict, 0)
    for assertion in conformance.assertions:
        counts[assertion.verdict] += 1
    return counts


def _conformance_verdict(told: dict[Verdict, int]) -> Verdict:
    """A single assertion that was skipped with a reason is a finding; none run is NOT RUN."""
    if told[Verdict.FAIL]:
        return Verdict.FAIL
    if told[Verdict.INCONCLUSIVE]:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS if told[Verdict.PASS] else Verdict.NOT_RUN


def _exit_code(verdict: Verdict, *, certified: bool, lab_problem: str) -> ExitCode:
    if verdict is Verdict.FAIL:
        return ExitCode.FAILED
    if lab_problem:
        return ExitCode.LAB
    if certified:
        return ExitCode.CERTIFIED
    return ExitCode.FAILED if verdict is Verdict.PASS else ExitCode.INCONCLUSIVE


def _sentence(
    verdict: Verdict,
    scenarios: Sequence[ScenarioJudgement],
    told: dict[Verdict, int],
    lab_problem: str,
) -> str:
    if verdict is Verdict.PASS:
        return _sentence_of_pass(scenarios)
    if verdict is Verdict.FAIL:
        return _sentence_of_fail(scenarios, told)
    if lab_problem:
        return f"The lab could not be restored to health: {lab_problem}"
    first = next((one for one in scenarios if one.verdict is verdict), None)
    if first is None:
        return "The conformance assertions were not run, so nothing can be certified."
    count = sum(one.verdict is verdict for one in scenarios)
    what = "could not be judged" if verdict is Verdict.INCONCLUSIVE else "not run"
    return f"{count} of {len(scenarios)} scenarios {what}. {first.id}: {first.reason}"


def _sentence_of_pass(scenarios: Sequence[ScenarioJudgement]) -> str:
    stalls = [
        stall
        for one in scenarios
        for stall in (one.stall_failover_ms, one.stall_failback_ms)
        if stall is not None
    ]
    sectors = sum(one.sectors_verified for one in scenarios)
    longest = f"The longest stall was {show_ms(max(stalls))}" if stalls else "No I/O stalled"
    count = len({one.id for one in scenarios})
    return (
        f"{longest} over {count} scenarios. No I/O failed at the application, "
        f"and all {sectors:,} sectors read were right."
    )


def _sentence_of_fail(scenarios: Sequence[ScenarioJudgement], told: dict[Verdict, int]) -> str:
    failed = [one for one in scenarios if one.verdict is Verdict.FAIL]
    if not failed:
        return f"{told[Verdict.FAIL]} conformance assertions failed."
    worst = max(failed, key=_gravity)
    count = len({one.id for one in failed})
    total = len({one.id for one in scenarios})
    return f"{count} of {total} scenarios failed. {worst.id}: {worst.reason}"


def _gravity(one: ScenarioJudgement) -> tuple[int, int, float]:
    """Wrong data outweighs I/O errors, errors outweigh stalls."""
    return one.mismatches, one.io_errors, one.stall_failover_ms or 0.0


def show_ms(ms: float) -> str:
    """Write a time with three significant digits: "8.31 ms", "213 ms", "132 s"."""
    for scale, unit in ((1_000.0, "s"), (1.0, "ms")):
        if ms >= scale * 0.9995 or unit == "ms":
            value = ms / scale
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f} {unit}"
    raise AssertionError(ms)


def _findings(
    plan: PlanRecord,
    scenarios: Sequence[ScenarioJudgement],
    conformance: ConformanceRecord,
    lab_problem: str,
    others: Sequence[Finding],
) -> list[Finding]:
    findings = [
        Finding(severity="failure", scenario=one.id, text=one.reason)
        for one in scenarios
        if one.verdict is Verdict.FAIL
    ]
    findings += [
        Finding(
            severity="failure",
            scenario="",
            text=f"{one.name} on {one.path}: expected {one.expected}; observed {one.observed}",
        )
        for one in conformance.assertions
        if one.verdict is Verdict.FAIL
    ]
    if lab_problem:
        findings.append(Finding(severity="failure", scenario="", text=lab_problem))
    findings += [
        Finding(severity="warning", scenario=one.id, text=f"{one.verdict}: {one.reason}")
        for one in scenarios
        if one.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_RUN)
    ]
    findings += others
    findings.append(Finding(severity="note", scenario="", text=_confidence(plan)))
    return findings


def _confidence(plan: PlanRecord) -> str:
    repeats = min((one.repeats for one in plan.scenarios if not one.not_run), default=0)
    share = failure_share_max(0, repeats)
    if repeats < 3 or share is None:  # two trials say next to nothing
        return (
            f"Each scenario was planned {repeats} time(s): this shows that the system can do it, "
            "not how often."
        )
    return (
        f"Each scenario was planned {repeats} times. If all were clean, the chance of a failure "
        f"per fault is at most {100 * share:.0f} % with 95 % confidence (exact binomial bound)."
    )
