"""E4: the kernel beneath engine 1 panics."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a crash request to the engine's kernel."""
    return by_means(
        lab,
        "E4",
        lacking="Both engines of this lab run on the kernel that measures them; a panic would end "
        "the suite too; it takes engines on machines of their own.",
    )


SCENARIO = Scenario(
    id="E4",
    title="Kernel of engine 1 panics",
    kind="command",
    description=(
        "The kernel beneath the first engine panics. Links may stay up while nobody answers, "
        "until the machine has restarted."
    ),
    expected="The other engine serves all I/O; the engine comes back after its restart.",
    requirement="HA-013",
    reference="A software crash of a controller, in every vendor's matrix",
    need="engines on machines of their own",
    build=build,
    limit_failover_ms=5000.0,
    limit_failback_ms=2000.0,
)
