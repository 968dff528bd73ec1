"""E7: engine 1 leaves as planned, for maintenance, and rejoins."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.engines import leaving
from fault_injectors import EngineLeave


def build(lab: Lab) -> Break:
    """Let the first engine of the lab file leave."""
    fault, reach = leaving(lab, 0)
    return Break.of(fault, reach)


SCENARIO = Scenario(
    id="E7",
    title="Engine 1 leaves and rejoins as planned",
    kind=EngineLeave.kind,
    description=(
        "The first engine is taken out by the operator's command, as for an upgrade: it finishes "
        "what it holds, hands over and goes. Later it is brought back by command."
    ),
    expected="No more than the planned stall; nothing is lost, nobody has to be killed.",
    requirement="HA-016",
    reference="NetApp planned takeover 1 to 2 s; SVC node maintenance",
    need="commands leave, left, rejoin and ready of an engine",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
