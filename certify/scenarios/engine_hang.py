"""E2h: engine 2 stops in its tracks, holding all it has; it is freed or replaced later."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineHang


def build(lab: Lab) -> Break:
    """Stop the second engine of the lab file."""
    engine = engine_at(lab, 1)
    return Break.of(EngineHang(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="E2h",
    title="Engine 2 hung and returned",
    kind=EngineHang.kind,
    description=(
        "The second engine is stopped by SIGSTOP: its ports stay up and it answers nobody. A "
        "system that does not notice keeps the host waiting; one that lets the engine wake up "
        "later must not let it write what is out of date."
    ),
    expected="The hang is noticed, the other engine serves all I/O, the engine rejoins cleanly.",
    requirement="HA-011",
    reference="Engine hang with live ports; the ghost write of a resumed engine",
    need="commands pid, start and ready of an engine",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
