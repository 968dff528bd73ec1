"""What the virtual lab consists of: names, sizes, numbers. Everything else is derived from it."""

from dataclasses import dataclass
from pathlib import Path

RUN = Path("/run/zerostall")
HOSTS = ("host1", "host2")
"""Initiators. The first has multipath and the load; the others are for what two hosts do to each
other (reservations), and use each path by itself."""
HOST = HOSTS[0]
ENGINES = ("engine1", "engine2")
ARRAYS = ("A", "B")
INSPECTOR = "inspector"
"""The third initiator of every array: the suite's own look at a leg, past the router."""

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class LogicalUnit:
    """A LUN of the lab; `naa` is what the router shows, each leg has its own designator."""

    name: str
    lun: int
    size_bytes: int
    purpose: str
    naa: str


LOGICAL_UNITS = (
    LogicalUnit("lu0", 0, 64 * MIB, "load", "6000000000e5000000000000000000a0"),
    LogicalUnit("lu1", 1, 32 * MIB, "conformance", "6000000000e5000000000000000000a1"),
    LogicalUnit("lu2", 2, 192 * MIB, "application", "6000000000e5000000000000000000a2"),
)


def array_adapter(array: str, initiator: str) -> str:
    """Return the NAA name of *array*'s port for *initiator* (an engine or the inspector)."""
    number = (*ENGINES, INSPECTOR).index(initiator) + 1
    return f"naa.500140500000{ARRAYS.index(array) + 0xA:x}{number:x}00"


def engine_hba(engine: str) -> int:
    """Return the number of the configfs HBA "user_N" that holds an engine's TCMU devices."""
    return 101 + ENGINES.index(engine)


def front_adapter(engine: str, host: str) -> str:
    """Return the NAA name of *engine*'s port for *host*, where the lab makes it: not the router."""
    return f"naa.5001405000f{ENGINES.index(engine) + 1:x}{HOSTS.index(host) + 1:x}000"


CONTROL_ADAPTER = "naa.500140500000cc00"


def leg_device(engine: str, array: str, unit: str) -> Path:
    """Return the stable link by which *engine* opens its leg."""
    return Path("/dev/zerostall") / engine / f"{array}-{unit}"


def slow_device(array: str, unit: str) -> str:
    """Return the device-mapper name beneath a leg, which can be delayed."""
    return f"array{array}-{unit}"
