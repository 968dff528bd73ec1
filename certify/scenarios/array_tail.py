"""A3t: one in a hundred I/Os to array B takes two seconds."""

from certify.lab import Lab
from certify.scenarios.arrays import devices_of
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import ArrayTail

DELAY_MS = 2000


def build(lab: Lab) -> Break:
    """Make a hundredth of the blocks of the second array of the lab file slow."""
    array = array_at(lab, 1)
    fault = ArrayTail(subject=array.name, devices=devices_of(array), delay_ms=DELAY_MS)
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A3t",
    title="Array B slow now and then",
    kind=ArrayTail.kind,
    description=(
        f"One in a hundred blocks of the second array, evenly spread, takes {DELAY_MS} ms longer "
        "to read or write, as where a disk repeats itself before it gives up. Means and medians "
        "show nothing of it; the slowest I/Os do. The array looks well in between: a mirror "
        "that takes it back at once loses it again soon."
    ),
    expected="No I/O waits for the slow blocks; the array is resynchronised once it is well.",
    requirement="HA-024",
    reference="Fail-slow hardware: tail latency of a single component",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.leg.slow_device of the second array",
    fault_s=6.0,
)
