"""S5: what manages engine 1 stops, the engine itself does not."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import ManagerHang


def build(lab: Lab) -> Break:
    """Stop the management process of the first engine of the lab file."""
    engine = engine_at(lab, 0)
    if engine.manager is None:
        raise NotApplicableError(
            f"engine {engine.name} has no command manager: its management cannot be told apart"
        )
    process = {**process_of(engine), "pid_argv": tuple(engine.manager.argv)}
    return Break.of(ManagerHang(**process), engine.reach)


SCENARIO = Scenario(
    id="S5",
    title="Management of engine 1 hung and returned",
    kind=ManagerHang.kind,
    description=(
        "What supervises, configures and watches the first engine is stopped by SIGSTOP; the "
        "engine itself and its ways to hosts and arrays are well. Hosts must notice nothing, "
        "also not when the management wakes up and finds that time has passed."
    ),
    expected="No effect on I/O; afterwards the management works again.",
    requirement="HA-054",
    reference="The data path may not depend on the management path",
    build=build,
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
    need="engine.manager, pid, start and ready",
)
