"""L4: whoever breaks ties is lost, alone and then together with what he is needed for."""

from certify.lab import Lab
from certify.scenarios import link_cut
from certify.scenarios.base import Break, NotApplicableError, Scenario, Step
from certify.scenarios.means import by_means

ALONE_S = 3.0


def build(lab: Lab) -> Break:
    """Use the lab's own means: the witness of a product that has one."""
    return by_means(
        lab,
        "L4",
        lacking="The system under test breaks ties by reservations on the arrays and has no "
        "witness to lose; it takes a product with a witness on a third site.",
    )


def link_too(lab: Lab) -> tuple[Step, ...]:
    """Cut the link some seconds later, where the lab file says how."""
    try:
        (cut,) = link_cut.build(lab).steps
    except NotApplicableError:
        return ()
    return (Step(fault=cut.fault, reach=cut.reach, at_s=ALONE_S),)


SCENARIO = Scenario(
    id="L4",
    title="Witness lost, then the link too",
    kind="command",
    description=(
        "The witness is lost while all is well, which must not be felt. Some seconds later the "
        "engines lose their link as well: both still see all arrays, and no one is there to ask."
    ),
    expected="No effect of its loss alone; then one engine goes on, as without a witness.",
    requirement="HA-073",
    reference="VPLEX witness, SnapMirror mediator: loss matrices",
    need="a witness",
    build=build,
    beside=link_too,
    limit_failover_ms=2000.0,
    limit_failback_ms=1000.0,
)
