"""E1k: engine 1 is killed with I/O in flight, and comes back."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill


def build(lab: Lab) -> Break:
    """Kill the first engine of the lab file."""
    engine = engine_at(lab, 0)
    return Break.of(EngineKill(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="E1k",
    title="Engine 1 killed and returned",
    kind=EngineKill.kind,
    description=(
        "The first engine is killed by SIGKILL while it holds commands of the host, and later "
        "started again. Commands that it had accepted must be answered or retried elsewhere."
    ),
    expected="The other engine serves all I/O; the engine rejoins without replaying old commands.",
    requirement="HA-010",
    reference="Engine loss during write load; a restarted engine must not replay its queue",
    need="commands pid, start and ready of an engine",
    build=build,
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
)
