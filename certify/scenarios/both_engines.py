"""D3e: both engines are killed, one after the other; nothing can serve until one is back."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, Step, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill
from reports.record import OutagePlan

AFTER_S = 4.0
RETURN_MS = 30_000.0


def build(lab: Lab) -> Break:
    """Kill the first engine, and the second while it serves alone."""
    engines = [engine_at(lab, index) for index in (0, 1)]
    return Break(
        steps=tuple(
            Step(fault=EngineKill(**process_of(one)), reach=one.reach, at_s=number * AFTER_S)
            for number, one in enumerate(engines)
        )
    )


SCENARIO = Scenario(
    id="D3e",
    title="Both engines killed, one after the other",
    kind=EngineKill.kind,
    description=(
        f"The first engine is killed, and {AFTER_S:g} s later the second, which served alone. An "
        "outage is what this has to be. Later both are started, the one first that went first and "
        "missed writes."
    ),
    expected="Until the second is killed, no more than a failover; then I/O returns by itself, "
    "and every acknowledged write is there.",
    requirement="HA-062",
    reference="Double fault of the same kind: documented outage, no data loss, auto-return",
    need="commands pid, start and ready of 2 engines",
    build=build,
    outage=OutagePlan(why="no engine is left", return_ms=RETURN_MS, errors=True),
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    recover_s=5.0,
)
