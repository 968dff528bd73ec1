"""Have the hosts do now what they would do at some time anyhow."""

from collections.abc import Callable

from certify.lab import Lab, LabError
from fault_injectors import FaultError, Shell


def settle_hosts(lab: Lab, shells: Callable[[str], Shell]) -> None:
    """Run the command `settle` of each host that has one; LabError names the host that failed."""
    for host in lab.host:
        if host.settle is None:
            continue
        try:
            shells(host.reach).run(host.settle.argv, timeout_s=host.settle.timeout_s)
        except FaultError as error:
            raise LabError(f"host {host.name}: settle: {error}") from error
