"""From a run to what the report says: worst repeats, verdicts, key figures. No layout here."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from reports.folder import Run
from reports.record import ScenarioJudgement, ScenarioPlan, Verdict
from reports.words import plural

GRAVITY = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.PASS)
"""Verdicts from the gravest to the best; a merge takes the gravest, lists begin with it."""


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """Merge verdicts; nothing judged is NOT RUN, never PASS."""
    return min(verdicts, key=GRAVITY.index, default=Verdict.NOT_RUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The stalls of all repeats of a scenario in one direction, against their limit."""

    limit_ms: float
    measured_ms: tuple[float, ...]

    @property
    def worst_ms(self) -> float | None:
        """The longest; None if none was measured."""
        return max(self.measured_ms, default=None)

    @property
    def median_ms(self) -> float | None:
        """The median; None if none was measured."""
        return statistics.median(self.measured_ms) if self.measured_ms else None

    @property
    def within(self) -> bool | None:
        """Whether the longest is within the limit; None if there is no limit or no figure."""
        if self.worst_ms is None or self.limit_ms <= 0:
            return None
        return self.worst_ms <= self.limit_ms

    @property
    def share(self) -> float:
        """The longest as a multiple of the limit; 0 where that has no meaning."""
        if self.worst_ms is None or self.limit_ms <= 0:
            return 0.0
        return self.worst_ms / self.limit_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario of the plan with everything that was judged of it."""

    plan: ScenarioPlan
    repeats: tuple[ScenarioJudgement, ...]
    anchor: str

    @property
    def is_fault(self) -> bool:
        """Whether something was to be broken; a baseline breaks nothing."""
        return bool(self.plan.fault)

    @property
    def was_run(self) -> bool:
        """Whether anything was measured."""
        return any(
            judgement.verdict is not Verdict.NOT_RUN or judgement.io_count
            for judgement in self.repeats
        )

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict; a repeat that is missing counts as NOT RUN."""
        verdicts = [judgement.verdict for judgement in self.repeats]
        if len(verdicts) < self.plan.repeats:
            verdicts.append(Verdict.NOT_RUN)
        return gravest(verdicts)

    @property
    def failover(self) -> Stall:
        """The stalls while the fault was active."""
        measured = (judgement.stall_failover_ms for judgement in self.repeats)
        return Stall(
            limit_ms=self.plan.limit_failover_ms,
            measured_ms=tuple(value for value in measured if value is not None),
        )

    @property
    def failback(self) -> Stall:
        """The stalls after the fault was mended."""
        measured = (judgement.stall_failback_ms for judgement in self.repeats)
        return Stall(
            limit_ms=self.plan.limit_failback_ms,
            measured_ms=tuple(value for value in measured if value is not None),
        )

    @property
    def worst(self) -> ScenarioJudgement | None:
        """The repeat to show: the gravest verdict, then the longest stall."""
        return min(
            self.repeats,
            key=lambda judgement: (GRAVITY.index(judgement.verdict), -_longest(judgement)),
            default=None,
        )

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in a sentence."""
        if self.worst is not None:
            return self.worst.reason
        return self.plan.not_run or "No result of this scenario is in the evidence."

    @property
    def brief(self) -> str:
        """What is wrong, in a few words; "" if nothing is."""
        if self.verdict is Verdict.PASS:
            return ""
        parts = []
        if self.io_errors:
            parts.append(plural(self.io_errors, "I/O error"))
        if self.mismatches:
            parts.append(plural(self.mismatches, "wrong sector"))
        for name, stall in (("failover", self.failover), ("failback", self.failback)):
            if stall.within is False:
                parts.append(f"{name} beyond limit")
        return ", ".join(parts) or self.reason

    @property
    def io_errors(self) -> int:
        """I/Os that failed at the application, over all repeats."""
        return sum(judgement.io_errors for judgement in self.repeats)

    @property
    def mismatches(self) -> int:
        """Sectors that did not hold what was written, over all repeats."""
        return sum(judgement.mismatches for judgement in self.repeats)


def _longest(judgement: ScenarioJudgement) -> float:
    return max(judgement.stall_failover_ms or 0.0, judgement.stall_failback_ms or 0.0)


def scenarios_of(run: Run) -> list[Scenario]:
    """Return the scenarios of the plan, the gravest verdict first, else in the plan's order."""
    scenarios = [
        Scenario(
            plan=plan,
            repeats=tuple(j for j in run.judgement.scenarios if j.id == plan.id),
            anchor=f"scenario-{number}",
        )
        for number, plan in enumerate(run.plan.scenarios, start=1)
    ]
    return sorted(scenarios, key=lambda scenario: GRAVITY.index(scenario.verdict))


@dataclass(frozen=True, slots=True, kw_only=True)
class LongestStall:
    """The stall nearest to, or furthest beyond, its limit."""

    scenario_id: str
    direction: str  # "failover" or "failback"
    ms: float
    limit_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigures:
    """The numbers of the cover."""

    io_count: int
    io_errors: int
    sectors_verified: int
    mismatches: int
    faults: int
    faults_within: int
    longest: LongestStall | None


def key_figures(scenarios: list[Scenario]) -> KeyFigures:
    """Sum up all scenarios."""
    judgements = [judgement for scenario in scenarios for judgement in scenario.repeats]
    faults = [scenario for scenario in scenarios if scenario.is_fault]
    return KeyFigures(
        io_count=sum(judgement.io_count for judgement in judgements),
        io_errors=sum(judgement.io_errors for judgement in judgements),
        sectors_verified=sum(judgement.sectors_verified for judgement in judgements),
        mismatches=sum(judgement.mismatches for judgement in judgements),
        faults=len(faults),
        faults_within=sum(scenario.verdict is Verdict.PASS for scenario in faults),
        longest=_longest_stall(faults),
    )


def _longest_stall(scenarios: list[Scenario]) -> LongestStall | None:
    candidates = [
        LongestStall(
            scenario_id=scenario.plan.id,
            direction=direction,
            ms=stall.worst_ms,
            limit_ms=stall.limit_ms,
        )
        for scenario in scenarios
        for direction, stall in (("failover", scenario.failover), ("failback", scenario.failback))
        if stall.worst_ms is not None
    ]
    return max(candidates, key=lambda stall: stall.ms, default=None)
