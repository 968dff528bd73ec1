"""From requirements to what tests them: which scenarios, how many checks, which verdict. No layout.

The requirements are those that the protocol (plan.json) names, and the clauses of the standards
that conformance assertions quote.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.model import GRAVITY, Scenario, gravest
from reports.record import AssertionRecord, Verdict
from reports.record_acceptance import Required

UNNAMED = "no requirement named"
_STANDARD = re.compile(r"[A-Z]{2,}-\d+\b|[^(,;]*")
"""A clause begins with its standard: "SPC-5 6.7.2" is of SPC-5, "sg3_utils(8)" of sg3_utils."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement and everything in the run that tests it."""

    id: str
    scenarios: tuple[Scenario, ...]

    @property
    def text(self) -> str:
        """What is required, in the words of the protocol."""
        return " ".join(dict.fromkeys(scenario.plan.expected for scenario in self.scenarios))

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict of what tests it."""
        return gravest(scenario.verdict for scenario in self.scenarios)

    @property
    def was_tested(self) -> bool:
        """Whether any of its scenarios was run."""
        return any(scenario.was_run for scenario in self.scenarios)

    @property
    def checks(self) -> tuple[int, int]:
        """Checks that passed, of all that were made, over all scenarios and repeats."""
        made = [
            check.verdict
            for scenario in self.scenarios
            for judgement in scenario.repeats
            for check in judgement.checks
        ]
        return made.count(Verdict.PASS), len(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRequirement:
    """One requirement of the customer's document and everything in the run that tests it."""

    id: str
    text: str
    scenarios: tuple[Scenario, ...]
    lacking: tuple[str, ...]  # names that nothing in this run has

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict of what tests it; what is lacking was not run."""
        verdicts = [scenario.verdict for scenario in self.scenarios]
        return gravest([*verdicts, *([Verdict.NOT_RUN] if self.lacking else [])])


def customer_requirements(
    required: Sequence[Required], scenarios: Sequence[Scenario]
) -> list[CustomerRequirement]:
    """Return the customer's requirements in the order of their document, with what tests each."""
    return [
        CustomerRequirement(
            id=one.id,
            text=one.text,
            scenarios=tuple(
                scenario
                for scenario in scenarios
                if scenario.plan.id in one.by or scenario.plan.requirement in one.by
            ),
            lacking=tuple(name for name in one.by if not _tested_by(name, scenarios)),
        )
        for one in required
    ]


def _tested_by(name: str, scenarios: Sequence[Scenario]) -> bool:
    return any(name in (one.plan.id, one.plan.requirement) for one in scenarios)


def requirements_of(scenarios: Sequence[Scenario]) -> list[Requirement]:
    """Return every requirement of the plan once, in order of its id, the gravest verdict first."""
    groups: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        groups.setdefault(scenario.plan.requirement or UNNAMED, []).append(scenario)
    found = [Requirement(id=name, scenarios=tuple(own)) for name, own in groups.items()]
    return sorted(found, key=lambda one: (GRAVITY.index(one.verdict), one.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A standard that assertions quote: how many of its clauses, and what became of them."""

    name: str
    clauses: int
    assertions: tuple[AssertionRecord, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many assertions ended in *verdict*."""
        return sum(one.verdict is verdict for one in self.assertions)

    @property
    def verdict(self) -> Verdict:
        """FAIL if any failed; NOT RUN only if nothing was run; a pass says which were not run."""
        seen = {one.verdict for one in self.assertions}
        for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS):
            if verdict in seen:
                return verdict
        return Verdict.NOT_RUN


def standards_of(assertions: Iterable[AssertionRecord]) -> list[Standard]:
    """Return the standards that *assertions* quote, the gravest verdict first."""
    groups: dict[str, list[AssertionRecord]] = {}
    for one in assertions:
        groups.setdefault(standard_of(one.clause), []).append(one)
    found = [
        Standard(
            name=name,
            clauses=len({one.clause for one in own}),
            assertions=tuple(own),
        )
        for name, own in groups.items()
    ]
    return sorted(found, key=lambda one: (GRAVITY.index(one.verdict), one.name))


def standard_of(clause: str) -> str:
    """Return the standard of a clause; an empty one is told as such."""
    begin = _STANDARD.match(clause.strip())
    return (begin.group().strip() if begin else "") or "no standard named"
