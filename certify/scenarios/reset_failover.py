"""S3: a logical unit is reset while an engine is lost."""

from certify.exercises.resets import UNIT_RESET
from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill


def build(lab: Lab) -> Break:
    """Kill the first engine of the lab file."""
    engine = engine_at(lab, 0)
    return Break.of(EngineKill(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="S3",
    title="Logical unit reset during an engine loss",
    kind=EngineKill.kind,
    description=(
        "Host 1 resets a unit by the second engine, a second after the first engine was killed. "
        "Every other nexus of the unit has to be told by a unit attention, once; hosts that use "
        "other units must notice nothing."
    ),
    expected="One unit attention per nexus; no effect on other units.",
    requirement="HA-052",
    reference="SAM-5 6.3.3, 5.14: LOGICAL UNIT RESET and unit attention conditions",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need=(
        "two hosts on this machine that see a unit with purpose = conformance; engine.pid, "
        "start, ready"
    ),
    exercises=(UNIT_RESET,),
)
