"""E8: engine 2 comes back twice, by itself and by hand, and stays."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, Step, engine_at
from certify.scenarios.engines import leaving, process_of
from fault_injectors import EngineKill

OUT_S = 3.0
NEXT_S = 6.0


def build(lab: Lab) -> Break:
    """Kill the second engine and let it return; then let it leave and rejoin by hand."""
    engine = engine_at(lab, 1)
    killed = Step(fault=EngineKill(**process_of(engine)), reach=engine.reach, mend_at_s=OUT_S)
    fault, reach = leaving(lab, 1)
    return Break(steps=(killed, Step(fault=fault, reach=reach, at_s=NEXT_S, whole_first=True)))


SCENARIO = Scenario(
    id="E8",
    title="Engine 2 fails back by itself and by hand",
    kind=EngineKill.kind,
    description=(
        "The second engine is killed and comes back by itself; once all is whole it is taken out "
        "and brought back by the operator. What is measured is the return: it must neither stall "
        "I/O nor send paths to and fro."
    ),
    expected="Each return is short, and every path that came back stays.",
    requirement="HA-017",
    reference="ceph-nvmeof 542, 515: failback and ping-pong; ALUA failback in multipath-tools",
    need="commands pid, start, ready, leave, left and rejoin of an engine",
    build=build,
    asks=("steady_paths",),
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    recover_s=5.0,
)
