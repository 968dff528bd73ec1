"""L2: the link is cut, and each engine sees one array only."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a partition of both networks at once."""
    return by_means(
        lab,
        "L2",
        lacking="Engines and arrays of this lab share one machine, so no partition can give each "
        "engine an array of its own; it takes two sites with networks of their own.",
    )


SCENARIO = Scenario(
    id="L2",
    title="Sites split, each with one engine and one array",
    kind="command",
    description=(
        "The link between the sites is lost altogether: each engine sees the array of its own site "
        "and nobody else. The loser must have stopped before the winner writes."
    ),
    expected="One side goes on; the other has fenced itself off before, and is resynchronised.",
    requirement="HA-071",
    reference="SRDF/Metro and SnapMirror active sync: loss of the link, with witness or bias",
    need="two sites with networks of their own",
    build=build,
    limit_failover_ms=15_000.0,
    limit_failback_ms=2000.0,
)
