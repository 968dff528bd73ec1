"""Which boxes a cluster has, what each is, and how they are joined; pure, the same for all.

Two fabrics for data, as in every SAN: each engine and each host has a port on both. An array is
reached by the engines over one of them, A over fabric a and B over fabric b: a leg is one path, and
the mirror is its redundancy (docs/decisions/0010).
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from certify.virtual_lab.boot import BootError

HOSTS, HOSTS_MAX = 2, 10
ENGINES = ("engine1", "engine2")
ARRAYS = {"A": "array-a", "B": "array-b"}
"""Nodes by the name of the array, as the router's file and the lab file have it."""
INSPECTOR = "inspector"
"""The initiator by which the first host looks at a leg, past the router."""
PORT = 3260


class Role(StrEnum):
    """What a node is."""

    ARRAY = "array"
    ENGINE = "engine"
    HOST = "host"


class Fabric(StrEnum):
    """A network of the cluster."""

    A = "a"
    B = "b"
    LINK = "link"  # between the engines only
    MANAGEMENT = "management"  # SSH; no fault touches it


_NETWORK = {Fabric.A: 1, Fabric.B: 2, Fabric.LINK: 3, Fabric.MANAGEMENT: 9}
_FIRST_NUMBER = {Role.ARRAY: 1, Role.ENGINE: 11, Role.HOST: 21}
_MEMORY_MIB = {Role.ARRAY: 256, Role.ENGINE: 512, Role.HOST: 512}
MEASURING_HOST_MIB = 1280
"""Of the first host, which runs the suite and keeps its run folder's files in its cache."""
_FABRICS = {
    Role.ARRAY: (Fabric.A, Fabric.B, Fabric.MANAGEMENT),
    Role.ENGINE: (Fabric.A, Fabric.B, Fabric.LINK, Fabric.MANAGEMENT),
    Role.HOST: (Fabric.A, Fabric.B, Fabric.MANAGEMENT),
}
LEG_FABRIC = {"A": Fabric.A, "B": Fabric.B}
"""The fabric over which engines reach an array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box: a kernel of its own. `number` is its last part of all addresses."""

    name: str
    role: Role
    number: int
    memory_mib: int

    @property
    def fabrics(self) -> tuple[Fabric, ...]:
        """The fabrics it has a port on; its interface vecN is the N-th of them."""
        return _FABRICS[self.role]

    def address(self, fabric: Fabric) -> str:
        """Return its address on a fabric."""
        return f"10.{_NETWORK[fabric]}.0.{self.number}"

    def portal(self, fabric: Fabric) -> str:
        """Return where it listens for iSCSI on a fabric, as "ADDRESS:PORT"."""
        return f"{self.address(fabric)}:{PORT}"

    def mac(self, fabric: Fabric) -> str:
        """Return the Ethernet address of its port on a fabric: locally administered."""
        return f"02:00:00:00:{_NETWORK[fabric]:02x}:{self.number:02x}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster with so many hosts; raises BootError for a number that cannot be."""

    host_count: int

    def __post_init__(self) -> None:
        """Check the number."""
        if not 1 <= self.host_count <= HOSTS_MAX:
            raise BootError(f"hosts: expected 1 to {HOSTS_MAX}, seen {self.host_count}")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of the hosts; the first has the suite."""
        return tuple(f"host{number}" for number in range(1, self.host_count + 1))

    @property
    def witness_host(self) -> str:
        """The host with the router's witness: the third, so that it is in neither site, if any."""
        return self.hosts[2] if self.host_count > 2 else self.hosts[0]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All boxes, those first that others wait for."""
        named = (
            *((Role.ARRAY, name) for name in ARRAYS.values()),
            *((Role.ENGINE, name) for name in ENGINES),
            *((Role.HOST, name) for name in self.hosts),
        )
        count: dict[Role, int] = {}
        found = []
        for role, name in named:
            number = _FIRST_NUMBER[role] + count.get(role, 0)
            count[role] = count.get(role, 0) + 1
            measures = name == self.hosts[0]
            memory_mib = MEASURING_HOST_MIB if measures else _MEMORY_MIB[role]
            found.append(Node(name=name, role=role, number=number, memory_mib=memory_mib))
        return tuple(found)

    @property
    def memory_mib(self) -> int:
        """What all of them take."""
        return sum(node.memory_mib for node in self.nodes)

    def node(self, name: str) -> Node:
        """Return a node by its name; raises BootError with the names there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes)
        raise BootError(f"node: expected one of {known}, seen {name!r}")

    def on(self, fabric: Fabric) -> tuple[str, ...]:
        """Return the names of the nodes with a port on a fabric."""
        return tuple(node.name for node in self.nodes if fabric in node.fabrics)


def fabric_socket(cluster: Path, fabric: Fabric) -> Path:
    """Return where a fabric of the cluster in this folder is told what to do."""
    return cluster / f"fabric-{fabric}.sock"


def node_folder(cluster: Path, name: str) -> Path:
    """Return the folder of a node's keeper."""
    return cluster / "nodes" / name


def disk_folder(cluster: Path, name: str) -> Path:
    """Return the folder of what a node has on its own disk: it outlives the node's power."""
    return cluster / "disks" / name


def array_disk(cluster: Path, name: str) -> Path:
    """Return the file that holds all blocks of an array."""
    return disk_folder(cluster, name) / "blocks"
