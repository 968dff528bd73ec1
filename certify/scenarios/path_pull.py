"""P1: one path from the host is pulled, and returns."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, host_reach
from fault_injectors import PathPull


def build(lab: Lab) -> Break:
    """Pull the first path of the lab file."""
    if len(lab.path) < 2:
        raise NotApplicableError(f"the lab file names {len(lab.path)} paths; two are needed")
    path = lab.path[0]
    fault = PathPull(subject=path.name, hctl=(path.hctl,))
    return Break.of(fault, host_reach(lab, path.host))


SCENARIO = Scenario(
    id="P1",
    title="Path pulled and returned",
    kind=PathPull.kind,
    description=(
        "One path between the host and an engine is taken away, as by a pulled cable, and later "
        "given back. Both engines and both arrays stay healthy."
    ),
    expected="I/O goes on over the other path; the returned path is used again.",
    requirement="HA-001",
    reference="Published in every vendor's failure matrix as loss of a front-end path",
    need="2 paths",
    build=build,
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
)
