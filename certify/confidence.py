"""What a number of repeats says about the next one: exact binomial bounds. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from math import comb

from reports.record import ScenarioJudgement, Summary, Verdict

LEVEL = 0.95
_STEPS = 60
"""Of halving an interval of length 1: beyond what a float tells apart."""


def failure_share_max(failed: int, repeats: int, *, level: float = LEVEL) -> float | None:
    """Return the upper bound of the chance of a failure after *failed* of *repeats* (one-sided).

    Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934): the
    chance at which so few failures would be seen in 1 - *level* of all such series. None without
    a repeat. For no failure it is 1 - (1 - level)^(1/n), which the rule of three approximates.
    """
    if repeats == 0:
        return None
    if failed >= repeats:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(failed, repeats, middle) > 1 - level:
            low = middle
        else:
            high = middle
    return high


def _at_most(failed: int, repeats: int, share: float) -> float:
    return sum(
        comb(repeats, count) * share**count * (1 - share) ** (repeats - count)
        for count in range(failed + 1)
    )


def summaries_of(scenarios: Iterable[ScenarioJudgement]) -> list[Summary]:
    """Return what all repeats of each scenario show together, in the order given.

    A repeat counts if it was judged: one that was not run or not conclusive says nothing.
    """
    repeats: dict[str, list[ScenarioJudgement]] = defaultdict(list)
    for one in scenarios:
        repeats[one.id].append(one)
    return [_summary(name, own) for name, own in repeats.items()]


def _summary(name: str, repeats: list[ScenarioJudgement]) -> Summary:
    judged = [one for one in repeats if one.verdict in (Verdict.PASS, Verdict.FAIL)]
    failed = sum(one.verdict is Verdict.FAIL for one in judged)
    return Summary(
        id=name,
        repeats=len(judged),
        failed=failed,
        worst_failover_ms=_worst(one.stall_failover_ms for one in judged),
        worst_failback_ms=_worst(one.stall_failback_ms for one in judged),
        failure_share_max=failure_share_max(failed, len(judged)),
    )


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
