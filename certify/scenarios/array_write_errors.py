"""A6: array B reads well and fails every write."""

from certify.lab import Lab
from certify.scenarios.arrays import devices_of
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import ArrayWriteErrors


def build(lab: Lab) -> Break:
    """Fail every write of the second array of the lab file."""
    array = array_at(lab, 1)
    fault = ArrayWriteErrors(subject=array.name, devices=devices_of(array))
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A6",
    title="Array B fails writes and recovers",
    kind=ArrayWriteErrors.kind,
    description=(
        "The second array answers reads and fails every write, as one that is out of space or "
        "write-protected. A host must not see the error, and no read may come from the array "
        "that lacks the writes. It looks well to whoever only reads from it: a mirror may take "
        "it back, and lose it again."
    ),
    expected=(
        "Writes go on with the other array; the failing one is not read; it is resynchronised."
    ),
    requirement="HA-028",
    reference="Thin arrays out of space: DATA PROTECT, SPACE ALLOCATION FAILED (SBC-3 4.7.3.6)",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.leg.slow_device of the second array",
)
