"""L3: the link carries one direction only."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a packet filter for one direction."""
    return by_means(
        lab,
        "L3",
        lacking="The link of this lab is a socket inside one machine, cut as a whole; it takes a "
        "network between the engines with a filter that drops one direction.",
    )


SCENARIO = Scenario(
    id="L3",
    title="Link lost in one direction",
    kind="command",
    description=(
        "What the first engine sends arrives, what the second sends does not. One sees a healthy "
        "partner, the other a dead one."
    ),
    expected="As for a link that is cut: one arbitration with one result.",
    requirement="HA-072",
    reference="Asymmetric partitions, as Jepsen makes them",
    need="a network between the engines with a packet filter",
    build=build,
    limit_failover_ms=5000.0,
    limit_failback_ms=1000.0,
)
