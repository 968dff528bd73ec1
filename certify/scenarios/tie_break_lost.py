"""L4: whoever breaks ties is lost, alone and together with what he is needed for."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means


def build(lab: Lab) -> Break:
    """Use the lab's own means: the witness of a product that has one."""
    return by_means(
        lab,
        "L4",
        lacking="The system under test breaks ties by reservations on the arrays and has no "
        "witness to lose; it takes a product with a witness on a third site.",
    )


SCENARIO = Scenario(
    id="L4",
    title="Witness lost",
    kind="command",
    description=(
        "The witness is lost while all is well, and then together with the link or with an engine. "
        "Alone it must not be felt; together with another fault the documented outage applies."
    ),
    expected="No effect of its loss alone; the documented behaviour with a second fault.",
    requirement="HA-073",
    reference="VPLEX witness, SnapMirror mediator: loss matrices",
    need="a witness",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
