"""R1: array A returns after a while and is resynchronised under load."""

from certify.exercises.resync_reads import RESYNC_READS
from certify.lab import Lab
from certify.scenarios.arrays import offline
from certify.scenarios.base import Break, Scenario
from fault_injectors import ArrayOffline


def build(lab: Lab) -> Break:
    """Take away the first array of the lab file."""
    return Break(steps=(offline(lab, 0),))


SCENARIO = Scenario(
    id="R1",
    title="Array A resynchronised under load",
    kind=ArrayOffline.kind,
    description=(
        "The first array is away for longer, so that most of the unit has to be copied when it "
        "returns. The copy competes with the host for the arrays: how much that costs is "
        "measured by reads of a probe of its own, and told as the 99th percentile beside the "
        "one before."
    ),
    expected="I/O goes on during the copy; no old data is read; redundancy is restored.",
    requirement="HA-040",
    reference="Resynchronisation that stalls the host is worse than the loss of the array",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.back or hctl",
    fault_s=6.0,
    exercises=(RESYNC_READS,),
)
