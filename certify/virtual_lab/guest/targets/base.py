"""What a target of the virtual lab is: how it is built, and what it tells the lab file.

`Built` is made of the tables of a lab file themselves, so that a builder says everything that an
engineer could say of a real system, in the same words.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from certify.lab import Array, Command, Engine, Leg, Link, LogicalUnit, Means, PathEntry
from certify.virtual_lab import layout
from certify.virtual_lab.guest import lio
from certify.virtual_lab.guest.arrays import ArrayDisks
from certify.virtual_lab.guest.host import Multipath
from certify.virtual_lab.guest.settings import Settings

LUN_SCRIPT = Path(__file__).parents[1] / "lun.sh"
UNMAP_S = 120.0
"""The kernel ends what is under way on a LUN first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A target that stands: what of it the lab file names."""

    units: tuple[LogicalUnit, ...]
    paths: tuple[PathEntry, ...]
    engines: tuple[Engine, ...]
    arrays: tuple[Array, ...]
    link: Link | None = None
    means: tuple[Means, ...] = ()
    redundancy: Command | None = None
    logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """How a target is built in a guest that has the arrays and multipath, and nothing else.

    `bring_up` returns when the target serves; it raises LioError, RouterError, OSError or
    CalledProcessError with what went wrong. `modules` are kernel modules beside the lab's own.
    """

    multipath: Multipath
    bring_up: Callable[[Settings, list[ArrayDisks]], Built]
    modules: tuple[str, ...] = ()


def paths_of(port: Callable[[str, str], Path], *engines: str) -> tuple[PathEntry, ...]:
    """Return a path per host and engine; *port* gives a target port group's folder."""
    return paths_at(lambda engine, host: lio.address(port(engine, host)), *engines)


def paths_at(address: Callable[[str, str], str], *engines: str) -> tuple[PathEntry, ...]:
    """Return a path per host and engine; *address* gives where its disks are, "H:C:T"."""
    return tuple(
        PathEntry(
            name=f"{host}-{engine}",
            host=host,
            engine=engine,
            hctl=f"{address(engine, host)}:*",
        )
        for host in layout.HOSTS
        for engine in engines or layout.ENGINES
    )


def unit_of(unit: layout.LogicalUnit, wwid: str, groups: list[Path]) -> LogicalUnit:
    """Return a logical unit that the target port groups *groups* export."""
    folders = [str(group / "lun" / f"lun_{unit.lun}") for group in groups]
    unmap, map_again, is_unmapped = (
        Command(argv=["sh", str(LUN_SCRIPT), verb, *folders], timeout_s=UNMAP_S)
        for verb in ("unmap", "map", "is_unmapped")
    )
    return msgspec.structs.replace(
        fixed_unit_of(unit, wwid), unmap=unmap, map=map_again, is_unmapped=is_unmapped
    )


def fixed_unit_of(unit: layout.LogicalUnit, wwid: str) -> LogicalUnit:
    """Return a logical unit that the lab cannot take away at the target."""
    return LogicalUnit(
        name=unit.name,
        wwid=wwid,
        size_bytes=unit.size_bytes,
        purpose=unit.purpose,
        host=layout.HOST,
        also_on=list(layout.HOSTS[1:]),
    )


def arrays_of(
    disks: list[ArrayDisks],
    units: tuple[layout.LogicalUnit, ...],
    *,
    initiators: tuple[str, ...] = layout.ENGINES,
) -> tuple[Array, ...]:
    """Return the arrays with their legs, and the back paths of *initiators* to them."""
    names = [unit.name for unit in units]
    return tuple(
        Array(
            name=array.name,
            hctl=[
                address
                for (initiator, unit), address in sorted(array.hctl.items())
                if initiator in initiators and unit in names
            ],
            leg=[
                Leg(
                    logical_unit=name,
                    inspect_wwid=array.wwid[name],
                    slow_device=layout.slow_device(array.name, name),
                )
                for name in names
            ],
        )
        for array in disks
    )
