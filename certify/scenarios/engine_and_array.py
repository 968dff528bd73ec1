"""D1: engine 1 is killed and the array of the other column goes away."""

from certify.lab import Lab
from certify.scenarios.arrays import offline
from certify.scenarios.base import Break, Scenario, Step, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill

AFTER_S = 2.0


def build(lab: Lab) -> Break:
    """Kill the first engine, then take away the second array."""
    engine = engine_at(lab, 0)
    killed = Step(fault=EngineKill(**process_of(engine)), reach=engine.reach)
    return Break(steps=(killed, offline(lab, 1, at_s=AFTER_S)))


SCENARIO = Scenario(
    id="D1",
    title="Engine 1 and array B lost",
    kind=EngineKill.kind,
    description=(
        "The first engine is killed and 2 s later the second array is taken away. What is left is "
        "one engine and the array of the other column: enough to serve."
    ),
    expected="I/O goes on with one engine and one array; both return and are brought up to date.",
    requirement="HA-060",
    reference="Double faults of different kinds in metro matrices",
    need="commands pid, start and ready of an engine; back or hctl of an array",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
