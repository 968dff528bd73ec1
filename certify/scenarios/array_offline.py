"""A1: array A is gone for both engines, comes back, and is resynchronised."""

from certify.lab import Lab
from certify.scenarios.arrays import offline
from certify.scenarios.base import Break, Scenario
from fault_injectors import ArrayOffline


def build(lab: Lab) -> Break:
    """Take away the first array of the lab file."""
    return Break(steps=(offline(lab, 0),))


SCENARIO = Scenario(
    id="A1",
    title="Array A offline and resynchronised",
    kind=ArrayOffline.kind,
    description=(
        "Every path from the engines to the first array is taken away while the host writes, and "
        "later given back. The array has missed writes by then: it must be brought up to date "
        "before it is read again, and both arrays must be equal in the end."
    ),
    expected="I/O goes on over the other array; the returned array is resynchronised.",
    requirement="HA-020",
    reference="Published in stretched-cluster failure matrices as loss of a storage array",
    need="array.back or hctl",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
