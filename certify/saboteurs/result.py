"""What became of each saboteur, and of all: values, and how a sealed run is read. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from certify.saboteurs.saboteur import CONFORMANCE, Saboteur
from reports.record import ConformanceRecord, JudgementRecord, RunRecord, ScenarioJudgement, Verdict

ALSO_MAX = 12
"""Other checks that failed are kept as far as this; the run folder has them all."""


class Outcome(StrEnum):
    """How a saboteur's run ended."""

    FOUND = "found"  # FAIL, and by a check that was meant to
    WRONG_REASON = "wrong reason"  # FAIL, but by other checks only
    MISSED = "missed"  # not FAIL
    INCONCLUSIVE = "inconclusive"  # nothing could be said, so it is not found either
    NOT_RUN = "not run"  # the run never came to a verdict
    CLEAN = "clean"  # the control: PASS
    FALSE_ALARM = "false alarm"  # the control: FAIL


GOOD = (Outcome.FOUND, Outcome.CLEAN)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One saboteur's result; a file of its own, so that a cut matrix goes on where it was."""

    saboteur: str
    family: str
    what: str
    outcome: Outcome
    verdict: str = ""
    caught_by: list[str] = []  # "E1k: Longest stall after the fault"
    also_failed: list[str] = []
    sentence: str = ""  # the judge's own, or why there is none
    expected: list[str] = []
    run: str = ""  # name of its run folder
    version: str = ""
    commit: str = ""
    modified: bool = False
    kernel: str = ""
    ended_utc: str = ""
    took_s: float = 0.0


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """matrix.json: all results, and which check caught which saboteurs."""

    defects: int
    found: int
    control: Outcome
    checks: dict[str, list[str]]
    results: list[Result]


class CleanRuns(msgspec.Struct, frozen=True, kw_only=True):
    """How often the good system was called good; a run of n repeats counts n times."""

    clean: int = 0
    false_alarms: int = 0
    inconclusive: int = 0

    @property
    def judged(self) -> int:
        """Runs that ended in a verdict."""
        return self.clean + self.false_alarms


def result_of(
    saboteur: Saboteur,
    run: RunRecord,
    judgement: JudgementRecord,
    conformance: ConformanceRecord,
    *,
    took_s: float,
) -> Result:
    """Return what a sealed run says of a saboteur."""
    failed = list(dict.fromkeys(_failed(judgement, conformance)))
    caught = [one for one in failed if any(catch.matches(*one) for catch in saboteur.caught_by)]
    return Result(
        saboteur=saboteur.name,
        family=saboteur.family,
        what=saboteur.what,
        outcome=_outcome(saboteur, judgement, caught=bool(caught)),
        verdict=judgement.verdict,
        caught_by=[_named(*one) for one in caught],
        also_failed=[_named(*one) for one in failed if one not in caught][:ALSO_MAX],
        sentence=judgement.sentence,
        expected=[_named(one.where, one.check) for one in saboteur.caught_by],
        run=run.run_id,
        version=run.tool.version,
        commit=run.tool.commit,
        modified=run.tool.modified,
        kernel=run.lab.kernel,
        ended_utc=run.ended_utc,
        took_s=round(took_s, 1),
    )


def without_run(saboteur: Saboteur, why: str, *, took_s: float) -> Result:
    """Return the result of a saboteur whose run came to no verdict."""
    return Result(
        saboteur=saboteur.name,
        family=saboteur.family,
        what=saboteur.what,
        outcome=Outcome.NOT_RUN,
        sentence=why,
        expected=[_named(one.where, one.check) for one in saboteur.caught_by],
        took_s=round(took_s, 1),
    )


def matrix_of(results: Sequence[Result]) -> Matrix:
    """Put the results together; the control is not one of the defects."""
    defects = [one for one in results if one.family != "none"]
    controls = [one.outcome for one in results if one.family == "none"]
    checks: dict[str, list[str]] = {}
    for one in defects:
        for check in one.caught_by:
            checks.setdefault(check, []).append(one.saboteur)
    return Matrix(
        defects=len(defects),
        found=sum(one.outcome is Outcome.FOUND for one in defects),
        control=controls[0] if controls else Outcome.NOT_RUN,
        checks=dict(sorted(checks.items())),
        results=list(results),
    )


def clean_runs_of(judgement: JudgementRecord) -> CleanRuns:
    """Count the repeats of one run of the good system by what was judged of them.

    A failed assertion is a false alarm of the first repeat: conformance is run once.
    """
    repeats: dict[int, list[ScenarioJudgement]] = {}
    for one in judgement.scenarios:
        if one.verdict is not Verdict.NOT_RUN:
            repeats.setdefault(one.repeat, []).append(one)
    counts: Counter[Verdict] = Counter()
    for number, ones in sorted(repeats.items()):
        verdicts = {one.verdict for one in ones}
        if number == 1 and judgement.conformance_failed:
            verdicts.add(Verdict.FAIL)
        counts[_worst(verdicts)] += 1
    return CleanRuns(
        clean=counts[Verdict.PASS],
        false_alarms=counts[Verdict.FAIL],
        inconclusive=counts[Verdict.INCONCLUSIVE],
    )


def sum_of(counts: Iterable[CleanRuns]) -> CleanRuns:
    """Add up."""
    counts = list(counts)
    return CleanRuns(
        clean=sum(one.clean for one in counts),
        false_alarms=sum(one.false_alarms for one in counts),
        inconclusive=sum(one.inconclusive for one in counts),
    )


def _worst(verdicts: set[Verdict]) -> Verdict:
    for one in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        if one in verdicts:
            return one
    return Verdict.PASS


def _outcome(saboteur: Saboteur, judgement: JudgementRecord, *, caught: bool) -> Outcome:
    verdict = judgement.verdict
    if saboteur.control:
        named = {Verdict.PASS: Outcome.CLEAN, Verdict.FAIL: Outcome.FALSE_ALARM}
        return named.get(verdict, Outcome.INCONCLUSIVE)
    if verdict is Verdict.FAIL:
        return Outcome.FOUND if caught else Outcome.WRONG_REASON
    ran = [one for one in judgement.scenarios if one.verdict is not Verdict.NOT_RUN]
    if any(one.verdict is Verdict.INCONCLUSIVE for one in ran):
        return Outcome.INCONCLUSIVE
    asserted = judgement.conformance_passed if saboteur.conforms else 0
    return Outcome.MISSED if ran or asserted else Outcome.NOT_RUN


def _failed(
    judgement: JudgementRecord, conformance: ConformanceRecord
) -> Iterable[tuple[str, str]]:
    for scenario in judgement.scenarios:
        for check in scenario.checks:
            if check.verdict is Verdict.FAIL:
                yield scenario.id, check.name
    for assertion in conformance.assertions:
        if assertion.verdict is Verdict.FAIL:
            yield CONFORMANCE, f"{assertion.family}: {assertion.name}"


def _named(where: str, check: str) -> str:
    return f"{where}: {check}"
