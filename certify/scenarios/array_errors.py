"""A1e: array B fails every I/O, though its paths are up."""

from certify.lab import Lab
from certify.scenarios.arrays import devices_of
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import ArrayErrors


def build(lab: Lab) -> Break:
    """Fail every I/O of the second array of the lab file."""
    array = array_at(lab, 1)
    fault = ArrayErrors(subject=array.name, devices=devices_of(array))
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A1e",
    title="Array B fails all I/O and recovers",
    kind=ArrayErrors.kind,
    description=(
        "The second array is there, answers INQUIRY and TEST UNIT READY, and fails every read "
        "and write at once."
    ),
    expected="I/O goes on with the other array; the failing one is resynchronised when it is well.",
    requirement="HA-029",
    reference="Loss of an array's disks behind living controllers",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.leg.slow_device of the second array",
)
