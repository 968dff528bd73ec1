"""A4: engine 1 loses its way to array A, engine 2 does not."""

from certify.lab import Lab
from certify.scenarios.arrays import back_path
from certify.scenarios.base import Break, Scenario, array_at
from fault_injectors import BackPathCut


def build(lab: Lab) -> Break:
    """Cut the first back path to the first array of the lab file."""
    array = array_at(lab, 0)
    fault = BackPathCut(subject=array.name, hctl=back_path(array))
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A4",
    title="One back path cut and returned",
    kind=BackPathCut.kind,
    description=(
        "One of two engines loses its way to the first array; the array is well and the other "
        "engine reaches it. Both engines must go on to agree on what the array holds."
    ),
    expected="I/O goes on; nothing old is read; both engines use the array again.",
    requirement="HA-025",
    reference="Published in failure matrices as loss of a back-end path",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.hctl with the devices of two engines",
)
