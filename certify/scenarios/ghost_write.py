"""E6: engine 1 hangs with writes in flight, their blocks are written again, and it wakes up."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineHang

HUNG_S = 8.0
"""Long enough for the load to write every hot block again: 256 of them, 100 a second."""


def build(lab: Lab) -> Break:
    """Stop the first engine of the lab file under write load."""
    engine = engine_at(lab, 0)
    return Break.of(EngineHang(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="E6",
    title="Ghost write: engine 1 hung with writes in flight",
    kind=EngineHang.kind,
    description=(
        "The first engine is stopped by SIGSTOP while it holds writes. The host retries them "
        "through the other engine and then writes newer data to the same blocks. Then the engine "
        "goes on, unless the system killed it meanwhile, which the proof says. If it now finishes "
        "what it held, old data returns over acknowledged new data, on one copy or on both."
    ),
    expected="The newest acknowledged write stays, on both arrays; the old engine is fenced off.",
    requirement="HA-015",
    reference="ceph-nvmeof 193: stale writes of a resumed gateway; SBC-3 write ordering",
    need="commands pid, start and ready of an engine",
    build=build,
    asks=("held_writes",),
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    fault_s=HUNG_S,
)
