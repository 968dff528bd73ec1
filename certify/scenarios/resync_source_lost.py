"""R2: the source is lost while the other array is copied to."""

from certify.exercises.redundancy import STILL_COPYING
from certify.lab import Lab
from certify.scenarios.arrays import offline
from certify.scenarios.base import Break, Scenario
from fault_injectors import ArrayOffline
from reports.record import OutagePlan

BACK_S = 4.0
COPYING_S = 1.2
"""A lost array is looked for every half second, and the copy of what was missed takes seconds."""
OUTAGE = OutagePlan(
    why="The only whole copy is out of reach; the other is half old.",
    return_ms=10_000.0,
    from_step=2,
)


def build(lab: Lab) -> Break:
    """Take array A away, bring it back, and take array B away while A is copied to."""
    steps = (
        offline(lab, 0, mend_at_s=BACK_S),
        offline(lab, 1, at_s=BACK_S + COPYING_S),
    )
    return Break(steps=steps)


SCENARIO = Scenario(
    id="R2",
    title="Source lost during a resynchronisation",
    kind=ArrayOffline.kind,
    description=(
        "The first array missed writes, returns and is copied to; then the second one, the only "
        "whole copy, is lost. What is left is half old and half new. Nobody may serve it: the "
        "unit stops until the whole copy returns, and then goes on by itself."
    ),
    expected="No data from the half-copied array; the unit waits for the whole one and goes on.",
    requirement="HA-041",
    reference="DRBD: a resynchronisation that was interrupted leaves an inconsistent copy",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.back or hctl of both arrays; redundancy",
    outage=OUTAGE,
    exercises=(STILL_COPYING,),
    fault_s=2.0,
)
