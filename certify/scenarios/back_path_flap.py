"""A4f: the way of engine 1 to array A comes and goes."""

from certify.lab import Lab
from certify.scenarios.arrays import back_path
from certify.scenarios.base import Break, Scenario, Step, array_at
from fault_injectors import BackPathCut

CUT_S = 1.0


def build(lab: Lab) -> Break:
    """Cut the first back path to the first array of the lab file, three times."""
    array = array_at(lab, 0)
    fault = BackPathCut(subject=array.name, hctl=back_path(array))
    return Break(
        steps=tuple(
            Step(fault=fault, reach=array.reach, at_s=at_s, mend_at_s=at_s + CUT_S)
            for at_s in (0.0, 2.5, 5.0)
        )
    )


SCENARIO = Scenario(
    id="A4f",
    title="One back path flapping",
    kind=BackPathCut.kind,
    description=(
        "The way of one engine to the first array is lost and returns three times in a few "
        "seconds, as with a bad cable. Each return may begin a resynchronisation, which the "
        "next loss interrupts."
    ),
    expected="I/O goes on through every loss; both arrays are equal in the end.",
    requirement="HA-026",
    reference="Path flaps must not turn into flapping of the mirror",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.hctl with the devices of two engines",
)
