"""A2: array B takes commands and answers none."""

from certify.lab import Lab
from certify.scenarios.arrays import devices_of
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import ArrayHang


def build(lab: Lab) -> Break:
    """Hold all I/O of the second array of the lab file."""
    array = array_at(lab, 1)
    fault = ArrayHang(subject=array.name, devices=devices_of(array))
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A2",
    title="Array B hung and returned",
    kind=ArrayHang.kind,
    description=(
        "The second array takes every command and answers none, without an error: its paths "
        "stay up. Once it goes on, it also does what it was told before, which by then is old."
    ),
    expected="I/O goes on without the array; what it does late never shows; it is resynchronised.",
    requirement="HA-022",
    reference="An array without answers must be given up before the host's own timers end",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.leg.slow_device of the second array",
)
