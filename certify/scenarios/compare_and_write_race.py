"""S2: two hosts race by COMPARE AND WRITE while an engine is lost."""

from certify.exercises.compare_race import VALUES_RACED
from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill


def build(lab: Lab) -> Break:
    """Kill the first engine of the lab file."""
    engine = engine_at(lab, 0)
    return Break.of(EngineKill(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="S2",
    title="COMPARE AND WRITE race over an engine loss",
    kind=EngineKill.kind,
    description=(
        "Two hosts try to replace the same block by COMPARE AND WRITE through both engines, "
        "again and again, while the first engine is killed and returns. Clusters of virtual "
        "machines lock their files like this: two winners of one race are two owners of one "
        "file."
    ),
    expected="Of those who race for a value one wins; the others get MISCOMPARE.",
    requirement="HA-051",
    reference="SBC-3 5.2: COMPARE AND WRITE is one uninterrupted action",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need=(
        "two hosts on this machine that see a unit with purpose = conformance; engine.pid, "
        "start, ready"
    ),
    exercises=(VALUES_RACED,),
)
