"""A3: array B answers, but far too late."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, array_at
from fault_injectors import ArraySlow

DELAY_MS = 2000
"""Twice the limit: a system that waits for the slow array fails."""


def build(lab: Lab) -> Break:
    """Slow down the second array of the lab file."""
    array = array_at(lab, 1)
    devices = tuple(leg.slow_device for leg in array.leg if leg.slow_device)
    if not devices:
        raise NotApplicableError(f"array {array.name} has no slow_device: it cannot be delayed")
    fault = ArraySlow(subject=array.name, devices=devices, delay_ms=DELAY_MS)
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A3",
    title="Array B slow and recovered",
    kind=ArraySlow.kind,
    description=(
        f"Every I/O to the second array takes {DELAY_MS} ms longer, without any error. A mirror "
        "that waits for its slowest copy would be as slow; it has to go on without it, and bring "
        "it up to date once it answers in time again."
    ),
    expected="I/O goes on without the slow array; it is resynchronised once it is well.",
    requirement="HA-021",
    reference="A slow copy must not stall a mirror: a disk timeout rather than an error",
    need="array.leg.slow_device of the second array",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
