"""P5: a path loses some of what it carries, and is slow."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a network emulator on the wire."""
    return by_means(
        lab,
        "P5",
        lacking="The paths of this lab have no wire that could lose a frame; it takes iSCSI over "
        "a network with an emulator of loss (1 to 10 %) and delay (50 ms).",
    )


SCENARIO = Scenario(
    id="P5",
    title="Path lossy and slow",
    kind="command",
    description=(
        "One path loses 1 to 10 % of its frames and is 50 ms slower, as by a dirty fibre. It never "
        "fails for long, so nothing gives it up, and all that it carries is late."
    ),
    expected="No I/O error; I/O is as fast as the path's loss lets it, or avoids the path.",
    requirement="HA-005",
    reference="marginal_path settings of multipath-tools; Fibre Channel FPIN",
    need="a wire with an emulator of loss and delay",
    build=build,
    limit_failover_ms=5000.0,
    limit_failback_ms=1000.0,
)
