"""P3: every path from the host to engine 1 is pulled, and returned."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, host_reach
from certify.scenarios.paths import load_host, load_paths
from fault_injectors import EngineIsolate


def build(lab: Lab) -> Break:
    """Pull all paths from the load's host to the first engine of the lab file."""
    engine = lab.engine[0]
    paths = load_paths(lab)
    mine = tuple(path.hctl for path in paths if path.engine == engine.name)
    if not mine or len(mine) == len(paths):
        raise NotApplicableError(
            f"of {len(paths)} paths {len(mine)} lead to engine {engine.name}; "
            "some must, and some must not"
        )
    fault = EngineIsolate(subject=engine.name, hctl=mine)
    return Break.of(fault, host_reach(lab, load_host(lab)))


SCENARIO = Scenario(
    id="P3",
    title="Engine 1 unreachable and returned",
    kind=EngineIsolate.kind,
    description=(
        "Every path between the host and the first engine is taken away at once, as by a dead "
        "switch. The engine itself is well, still talks to the other engine and to the arrays."
    ),
    expected="All I/O goes through the other engine; no engine takes the other for dead.",
    requirement="HA-003",
    reference="VPLEX: loss of all front-end paths to a director",
    need="paths from one host to both engines",
    build=build,
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
)
