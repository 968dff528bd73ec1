"""A7: array A answers NOT READY to everything for a while."""

from certify.lab import Lab
from certify.scenarios.arrays import devices_of
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import ArrayTransition


def build(lab: Lab) -> Break:
    """Put the first array of the lab file in transition."""
    array = array_at(lab, 0)
    fault = ArrayTransition(subject=array.name, devices=devices_of(array))
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A7",
    title="Array A not ready and recovered",
    kind=ArrayTransition.kind,
    description=(
        "The first array answers every command with NOT READY, asymmetric access state "
        "transition (2h/04h/0Ah), as one does while its controllers take over from each other. "
        "The engines' own hosts try such commands again and again, so to an engine the array "
        "looks silent."
    ),
    expected=(
        "The storm is absorbed: no error reaches the host; the array is used again afterwards."
    ),
    requirement="HA-030",
    reference="Array controllers that change over; blktests scsi/004 for TASK SET FULL",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.leg.slow_device of an array that is a Linux target",
)
