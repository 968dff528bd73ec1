"""D2: a path is pulled and the engine is killed; one path to one engine is left."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, Step, engine_at
from certify.scenarios.engines import process_of
from certify.scenarios.paths import load_paths, pull
from fault_injectors import EngineKill, PathPull

AFTER_S = 2.0


def build(lab: Lab) -> Break:
    """Pull a path to the survivor if it has several, else to the engine that is killed then."""
    engine = engine_at(lab, 0)
    paths = load_paths(lab)
    others = [path for path in paths if path.engine != engine.name]
    path = others[0] if len(others) > 1 else paths[0]
    killed = Step(fault=EngineKill(**process_of(engine)), reach=engine.reach, at_s=AFTER_S)
    return Break(steps=(pull(lab, path), killed))


SCENARIO = Scenario(
    id="D2",
    title="A path and engine 1 lost",
    kind=PathPull.kind,
    description=(
        "One path is pulled and 2 s later the first engine is killed. At least one path to the "
        "other engine is left."
    ),
    expected="I/O goes on over what is left; path and engine return.",
    requirement="HA-061",
    reference="Double faults of different kinds in vendors' matrices",
    need="2 paths from one host; commands pid, start and ready of an engine",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
