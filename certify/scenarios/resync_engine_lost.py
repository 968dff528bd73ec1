"""R3: an engine is killed while an array is copied to."""

from certify.exercises.redundancy import STILL_COPYING
from certify.lab import Lab
from certify.scenarios.arrays import offline
from certify.scenarios.base import Break, Scenario, Step, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import ArrayOffline, EngineKill

BACK_S = 4.0
COPYING_S = 1.2
"""A lost array is looked for every half second, and the copy of what was missed takes seconds."""


def build(lab: Lab) -> Break:
    """Take array A away, bring it back, and kill engine 1 while A is copied to."""
    engine = engine_at(lab, 0)
    steps = (
        offline(lab, 0, mend_at_s=BACK_S),
        Step(fault=EngineKill(**process_of(engine)), reach=engine.reach, at_s=BACK_S + COPYING_S),
    )
    return Break(steps=steps)


SCENARIO = Scenario(
    id="R3",
    title="Engine killed during a resynchronisation",
    kind=ArrayOffline.kind,
    description=(
        "The first array missed writes, returns and is copied to; then the first engine is "
        "killed. What is left to copy must be known to the other engine, which goes on with it "
        "while it serves all I/O."
    ),
    expected="The other engine serves all I/O and ends the copy; nothing old is read.",
    requirement="HA-042",
    reference="DRBD: the bitmap of what is out of date must survive a loss during the copy",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    exercises=(STILL_COPYING,),
    need="array.back or hctl; engine.pid, start and ready; redundancy",
)
