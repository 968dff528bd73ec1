"""P2: a path swallows everything: nothing comes back, not even a reset."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a switch port or a packet filter."""
    return by_means(
        lab,
        "P2",
        lacking="The paths of this lab have no wire that could fall silent; it takes iSCSI or "
        "Fibre Channel with a switch port to be shut or a packet filter that drops both ways.",
    )


SCENARIO = Scenario(
    id="P2",
    title="Path silent, as a pulled cable",
    kind="command",
    description=(
        "All that one path carries is dropped both ways, without a reset. Nobody is told: the "
        "host learns of it only from its own timers, which here bound the stall."
    ),
    expected="The path is given up by the host's timers; I/O goes on over the others.",
    requirement="HA-002",
    reference="Linux iSCSI: NOP-Out interval 5 s, time-out 5 s; the usual cable-pull test",
    need="a wire that can be silenced",
    build=build,
    limit_failover_ms=15_000.0,
    limit_failback_ms=1000.0,
)
