"""A8: a sector of array A changes by itself."""

from certify.exercises.corruption import CORRUPT_LBA, CORRUPTION_FOUND
from certify.lab import Lab
from certify.scenarios.arrays import leg_for
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import BlockCorrupt


def build(lab: Lab) -> Break:
    """Flip bits of a sector of the first array, of a unit that nobody writes meanwhile."""
    array = array_at(lab, 0)
    leg = leg_for(lab, array, "conformance")
    fault = BlockCorrupt(subject=array.name, device=leg.slow_device, lba=CORRUPT_LBA)
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A8",
    title="Silent corruption on array A",
    kind=BlockCorrupt.kind,
    description=(
        "Bits of one sector change beneath the first array, which reports no error. No mirror "
        "can tell by itself which copy is right, but it can tell that they differ: a scrub must "
        "report it, where the system has one. In every case the suite's own comparison of the "
        "two arrays must find the sector, or no comparison in this report is worth anything."
    ),
    expected="The difference is found at exactly this sector, and never hidden.",
    requirement="HA-032",
    reference="Silent corruption has to be detected, not masked",
    build=build,
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
    need="array.leg.slow_device and inspect_wwid of a unit with purpose = conformance",
    exercises=(CORRUPTION_FOUND,),
)
