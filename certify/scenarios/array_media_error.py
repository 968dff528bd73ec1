"""A5: some blocks of array A cannot be read."""

from certify.exercises.bad_blocks import BAD_BLOCKS_READ, BAD_LBAS
from certify.lab import Lab
from certify.scenarios.arrays import leg_for
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import MediaError


def build(lab: Lab) -> Break:
    """Make blocks in six places of the load's leg on the first array unreadable."""
    array = array_at(lab, 0)
    device = leg_for(lab, array, "load").slow_device
    fault = MediaError(subject=array.name, devices=(device,), lbas=BAD_LBAS)
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A5",
    title="Bad blocks on array A",
    kind=MediaError.kind,
    description=(
        "Six blocks of 4 KiB of the first array cannot be read. The mirror has a second copy: "
        "hosts must get it, through every path. Where the kernel of the array has dm-dust, a "
        "block is good again once it was written, as on a disk with spare sectors; elsewhere "
        "its writes fail too."
    ),
    expected="Every read returns the right data from the other array; no error reaches the host.",
    requirement="HA-027",
    reference="SBC-3 4.18.2: an unrecovered read error is of a block, not of a unit",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.leg.slow_device of the first array",
    exercises=(BAD_BLOCKS_READ,),
)
