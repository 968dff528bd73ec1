"""E5: engine 1 is killed and started again at once, with commands left in its ring."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, Step, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill

START_S = 0.2
"""Within the kernel's TCMU command time-out (30 s): what the dead engine held is still there."""
ROUNDS = 2
ROUND_S = 8.0


def build(lab: Lab) -> Break:
    """Kill the first engine and start it at once, twice."""
    engine = engine_at(lab, 0)
    fault = EngineKill(**process_of(engine))
    return Break(
        steps=tuple(
            Step(
                fault=fault,
                reach=engine.reach,
                at_s=number * ROUND_S,
                mend_at_s=number * ROUND_S + START_S,
                whole_first=number > 0,
            )
            for number in range(ROUNDS)
        )
    )


SCENARIO = Scenario(
    id="E5",
    title="Engine 1 restarted at once, twice",
    kind=EngineKill.kind,
    description=(
        "The first engine is killed by SIGKILL and started again 0.2 s later, twice. The commands "
        "that it held may still be in its ring. They were retried elsewhere meanwhile, and their "
        "blocks may have been written again: the new engine must not carry them out."
    ),
    expected="The other engine serves; the restarted one answers or drops what was left, once.",
    requirement="HA-014",
    reference="open-iscsi/tcmu-runner 299: commands left in the ring of a dead handler",
    need="commands pid, start and ready of an engine",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
