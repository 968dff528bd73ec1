"""S4: WRITE SAME and UNMAP are under way when their engine is lost."""

from certify.exercises.long_writes import LONG_WRITES
from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill


def build(lab: Lab) -> Break:
    """Kill the first engine of the lab file."""
    engine = engine_at(lab, 0)
    return Break.of(EngineKill(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="S4",
    title="Long commands over an engine loss",
    kind=EngineKill.kind,
    description=(
        "WRITE SAME and UNMAP commands of 1,024 blocks are sent without a break by the first "
        "engine, which is killed. What failed is sent again by the other engine. In the end "
        "every range is as its last command made it, through both engines: the returned engine "
        "may not go on with an old one."
    ),
    expected="No range is half done in the end, and no old command is done later.",
    requirement="HA-053",
    reference="SBC-3 5.48, 5.35; a command that was sent again elsewhere must not come back",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="a unit with purpose = conformance and two engines; engine.pid, start, ready",
    exercises=(LONG_WRITES,),
)
