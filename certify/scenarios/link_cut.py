"""L1: the link between the engines is cut; both see hosts and arrays."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, argv_of
from fault_injectors import LinkCut


def build(lab: Lab) -> Break:
    """Cut the link of the lab file."""
    link = lab.link
    if link is None or link.cut is None or link.mend is None or link.is_cut is None:
        raise NotApplicableError("the lab file has no [link] with commands cut, mend, is_cut")
    fault = LinkCut(
        subject="link",
        apply_argv=argv_of(link.cut),
        probe_argv=argv_of(link.is_cut),
        heal_argv=argv_of(link.mend),
        timeout_s=max(link.cut.timeout_s, link.mend.timeout_s),
    )
    return Break.of(fault, link.reach)


SCENARIO = Scenario(
    id="L1",
    title="Link between the engines cut and mended",
    kind=LinkCut.kind,
    description=(
        "The engines lose sight of each other while both still see the hosts and both arrays. "
        "Each could take the other for dead. Exactly one may go on, or the copies diverge."
    ),
    expected="One engine goes on, the other is fenced off before; it rejoins after the mend.",
    requirement="HA-070",
    reference="Inter-cluster link loss in every metro matrix; split brain",
    need="[link] with commands cut, mend and is_cut",
    build=build,
    limit_failover_ms=2000.0,
    limit_failback_ms=1000.0,
)
