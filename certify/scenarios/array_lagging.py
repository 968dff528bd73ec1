"""A3b: array B is slower by a hundred times, but not dead."""

from certify.lab import Lab
from certify.scenarios.arrays import devices_of
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import ArraySlow

DELAY_MS = 50
"""A hundred times what a good array takes, and above the granularity of any kernel timer."""


def build(lab: Lab) -> Break:
    """Make the second array of the lab file slower."""
    array = array_at(lab, 1)
    fault = ArraySlow(subject=array.name, devices=devices_of(array), delay_ms=DELAY_MS)
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A3b",
    title="Array B slower and recovered",
    kind=ArraySlow.kind,
    description=(
        f"Every I/O to the second array takes {DELAY_MS} ms longer. A mirror may wait for it or "
        "go on without it; what it may not do is to add up waits, or to lose its redundancy for "
        "good."
    ),
    expected="No I/O is slower than the slower array makes it; redundancy is kept or restored.",
    requirement="HA-023",
    reference="Fail-slow hardware: a component that is slower by orders of magnitude",
    build=build,
    limit_failover_ms=500.0,
    limit_failback_ms=500.0,
    need="array.leg.slow_device of the second array",
)
