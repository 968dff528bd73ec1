"""E3: the machine of engine 1 loses its power."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: a power switch, a management controller, a hypervisor."""
    return by_means(
        lab,
        "E3",
        lacking="Both engines of this lab run on the host's own machine, whose power cannot be "
        "cut for one of them; it takes engines on machines of their own.",
    )


SCENARIO = Scenario(
    id="E3",
    title="Engine 1 without power and returned",
    kind="command",
    description=(
        "The machine of the first engine loses its power: engine, ports and link fall silent at "
        "once, and nobody closes a connection. It is switched on again later."
    ),
    expected="The other engine serves all I/O; the engine boots, resynchronises and rejoins.",
    requirement="HA-012",
    reference="NetApp and VPLEX failure matrices: controller power loss",
    need="engines on machines of their own, with a power switch",
    build=build,
    limit_failover_ms=5000.0,
    limit_failback_ms=2000.0,
)
