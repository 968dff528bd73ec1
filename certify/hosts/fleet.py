"""All hosts that are machines of their own, in one repeat of one scenario."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from certify.deadline import Deadline
from certify.division import Division, first_version
from certify.heartbeat import beat_s_of
from certify.hosts import load_of, remote_hosts
from certify.hosts.gateway import specification
from certify.hosts.messages import Order
from certify.hosts.remote import RemoteHost
from certify.lab import Lab, LabError
from certify.probes import Emit
from certify.watcher import Emit as EmitEvent


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


def muster(
    lab: Lab,
    division: Division,
    *,
    run: int,
    ordinal: int,
    interval_ns: int,
    emit: Emit,
    tell: EmitEvent,
    may_be_lost: frozenset[str] = frozenset(),
) -> Fleet:
    """Return the hosts of *lab* that are machines of their own, ready to be connected to.

    They are the last ones of *division*. Raises LabError for one that cannot be reached as said.
    """
    machines = remote_hosts(lab)
    unit = load_of(lab)[0]
    hosts = []
    for number, host in enumerate(machines, start=division.hosts - len(machines)):
        order = Order(
            host=host.name,
            unit=unit.name,
            wwid=unit.wwid,
            division=division,
            number=number,
            run=run,
            first_seq=first_version(ordinal, number),
            last_seq=first_version(ordinal, number + 1) - 1,
            interval_ns=interval_ns,
            beat_s=beat_s_of(lab),
        )
        hosts.append(
            RemoteHost(
                spec=specification(host),
                order=order,
                emit=emit,
                tell=tell,
                may_be_lost=host.name in may_be_lost,
            )
        )
    return Fleet(hosts)


def problems_of(lab: Lab, size_bytes: int) -> list[str]:
    """Return a line if a host cannot probe: start a worker on each, have it look, end it again.

    *size_bytes* is what the load's unit has here. Nothing is written.
    """
    count = 1 + len(remote_hosts(lab))
    try:
        fleet = muster(
            lab,
            Division(size_bytes=size_bytes, seed=1, hosts=count, common=True),
            run=0,
            ordinal=0,
            interval_ns=1,
            emit=lambda record: None,
            tell=lambda *event: None,
        )
    except LabError as error:
        return [str(error)]
    try:
        fleet.connect()
    except LabError as error:
        return [str(error)]
    finally:
        fleet.drain(Deadline.after(0.0))
    return []
