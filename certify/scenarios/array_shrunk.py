"""A9: array A returns, and is smaller than it was."""

from certify.exercises.redundancy import NOT_TAKEN_BACK
from certify.lab import Lab
from certify.scenarios.arrays import devices_of, offline
from certify.scenarios.base import Break, NotApplicableError, Scenario, Step, array_at
from fault_injectors import ArrayOffline, ArrayShrunk


def build(lab: Lab) -> Break:
    """Take the first array away, and bring it back with half of its blocks."""
    array = array_at(lab, 0)
    if not array.hctl:
        raise NotApplicableError(f"array {array.name} has no hctl: no engine can look at it again")
    small = ArrayShrunk(subject=array.name, devices=devices_of(array), hctl=tuple(array.hctl))
    return Break(
        steps=(
            offline(lab, 0, mend_at_s=2.0),
            Step(fault=small, reach=array.reach, at_s=1.0),
        )
    )


SCENARIO = Scenario(
    id="A9",
    title="Array A returns with another size",
    kind=ArrayOffline.kind,
    description=(
        "The first array is taken away, and what returns in its place is too small, as where "
        "LUNs were mapped wrong. It must not be taken for the copy that it is not. Later the "
        "right one is back."
    ),
    expected="What returns is refused; the right one is taken back and resynchronised.",
    requirement="HA-033",
    reference=(
        "A path whose LUN changed its identity must not be used (multipath-tools: recheck_wwid)"
    ),
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.hctl and array.leg.slow_device of the first array",
    exercises=(NOT_TAKEN_BACK,),
)
