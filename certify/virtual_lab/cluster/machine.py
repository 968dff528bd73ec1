"""What a guest has of hardware, beside its processor: memory, disks, cables to fabrics."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from certify.virtual_lab.boot import MEMORY_MIB, BootError, Interface
from certify.virtual_lab.cluster.plan import Plan, Role, array_disk, fabric_socket
from certify.virtual_lab.fabric.client import FabricClient
from certify.virtual_lab.fabric.switch import FabricError
from certify.virtual_lab.guest.settings import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A cable from a node's interface to the fabric that is told what to do at `fabric`."""

    node: str
    mac: str
    fabric: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A guest's hardware. Interface vecN has the N-th cable, disk N is a file of the host."""

    memory_mib: int = MEMORY_MIB
    disks: tuple[Path, ...] = ()
    cables: tuple[Cable, ...] = ()


def machine_of(member: Membership | None) -> Machine:
    """Return the hardware of a node, or of a guest that is a lab by itself. Raises BootError."""
    if member is None:
        return Machine()
    node = Plan(member.hosts).node(member.node)
    cluster = Path(member.cluster)
    return Machine(
        memory_mib=node.memory_mib,
        disks=(array_disk(cluster, node.name),) if node.role is Role.ARRAY else (),
        cables=tuple(
            Cable(node=node.name, mac=node.mac(fabric), fabric=fabric_socket(cluster, fabric))
            for fabric in node.fabrics
        ),
    )


@contextmanager
def plugged_in(machine: Machine) -> Iterator[tuple[Interface, ...]]:
    """Plug its cables into their fabrics; yield the guest's ends, which it has to inherit.

    They are closed here afterwards: when the guest is gone, the fabrics see it. Raises BootError.
    """
    found = []
    with ExitStack() as stack:
        for cable in machine.cables:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.enter_context(theirs)
            with ours:
                _attach(cable, ours)
            found.append(Interface(fd=theirs.fileno(), mac=cable.mac))
        yield tuple(found)


def _attach(cable: Cable, end: socket.socket) -> None:
    try:
        with FabricClient(cable.fabric) as client:
            client.attach(cable.node, end)
    except FabricError as error:
        raise BootError(f"{cable.node} cannot be plugged in: {error}") from error
