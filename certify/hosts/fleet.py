"""All hosts that are machines of their own, in one repeat of one scenario."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from certify.deadline import Deadline
from certify.hosts.remote import RemoteHost


@dataclass(frozen=True, slots=True)
class Fleet:
    """The other hosts as one: `connect`, `begin`, `stop`, `drain`."""

    hosts: Sequence[RemoteHost] = ()

    def connect(self) -> None:
        """Connect all of them at once; raises LabError for the first that cannot be used."""
        if not self.hosts:
            return
        with ThreadPoolExecutor(len(self.hosts)) as pool:
            list(pool.map(RemoteHost.connect, self.hosts))

    def begin(self) -> None:
        """Start their probes; raises LabError."""
        for host in self.hosts:
            host.begin()

    def failure(self) -> str:
        """Return why a host can no longer be relied on; "" if all can."""
        return next((host.failure for host in self.hosts if host.failure), "")

    def flowing(self, within_ms: float) -> bool:
        """Say whether no I/O of any has been due for longer than *within_ms*."""
        return all(host.flowing(within_ms) for host in self.hosts)

    def stop(self) -> None:
        """Let nothing more become due on any of them."""
        for host in self.hosts:
            host.stop()

    def drain(self, deadline: Deadline) -> None:
        """Wait for what is under way, compare clocks again, end every worker."""
        for host in self.hosts:
            host.drain(deadline)

    def written(self) -> list[int]:
        """Return the LBAs of the blocks that they wrote."""
        return [lba for host in self.hosts for lba in host.written()]
