"""D4: a whole site is lost: host, engine and array."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: the power of a site."""
    return by_means(
        lab,
        "D4",
        lacking="All of this lab is one machine, which is also the one that measures; it takes "
        "two sites with a host, an engine and an array each, and the suite at the survivor.",
    )


SCENARIO = Scenario(
    id="D4",
    title="Site lost",
    kind="command",
    description=(
        "The first site loses its power: host, engine and array at once. The host of the other "
        "site has to go on with the engine and the array of its own."
    ),
    expected="The other site serves its host; the lost one is resynchronised when it is back.",
    requirement="HA-064",
    reference="vSphere Metro Storage Cluster: site failure",
    need="two sites, each with host, engine and array",
    build=build,
    limit_failover_ms=15_000.0,
    limit_failback_ms=2000.0,
)
