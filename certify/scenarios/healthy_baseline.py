"""B0: nothing is broken. What the lab does by itself, before anything is blamed on a fault."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario


def build(lab: Lab) -> Break | None:
    """Break nothing."""
    return None


SCENARIO = Scenario(
    id="B0",
    title="Healthy baseline",
    kind="",
    description=(
        "Nothing is broken. The application writes and reads at its usual rate while every path, "
        "engine and array is healthy; the written data is then read back through every path."
    ),
    expected="No I/O error, no wrong data, no I/O longer than the limit.",
    requirement="HA-000",
    reference="Baseline for every scenario that follows",
    build=build,
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
    steady_s=4.0,
    fault_s=0.0,
    recover_s=0.0,
)
