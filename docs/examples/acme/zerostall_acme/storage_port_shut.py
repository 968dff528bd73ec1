"""X1: the storage port of the host is shut, and opened again."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, host_reach
from zerostall_acme.port_shut import PortShut

INTERFACE = "storage0"
"""How every host of this lab names the port; a lab file has no key for it."""


def build(lab: Lab) -> Break:
    """Shut the storage port of the first host."""
    if lab.lab.kind == "virtual":
        raise NotApplicableError("the virtual lab has no Ethernet between host and engines")
    host = lab.host[0].name
    fault = PortShut(subject=f"{host} {INTERFACE}", interface=INTERFACE)
    return Break.of(fault, host_reach(lab, host))


SCENARIO = Scenario(
    id="X1",
    title="Storage port shut and opened",
    kind=PortShut.kind,
    description="One of the host's two storage ports is shut by command, and later opened.",
    expected="I/O goes on over the other port; the opened port is used again.",
    requirement="ACME-17",
    reference="Acme's acceptance plan, chapter 4",
    need="a host whose storage port is called storage0",
    build=build,
    limit_failover_ms=5_000.0,
    limit_failback_ms=2_000.0,
)
