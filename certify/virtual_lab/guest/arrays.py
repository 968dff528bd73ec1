"""The two virtual arrays and the control disk.

A leg is a RAM disk, a device-mapper device over it (so that it can be made slow), a LIO backstore,
and one tcm_loop adapter per initiator, so that every back path can be broken by itself. RAM disks
hold no data beyond the guest, which is what a lab wants.
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import lio

SECTOR_BYTES = 512
SPARE_RAM_DISK = len(layout.ARRAYS) * len(layout.LOGICAL_UNITS)
"""The first RAM disk after those of the legs; the benchmark has spare ones for a mirror by MD."""


@dataclass(slots=True)
class ArrayDisks:
    """Where the legs of one array are, by initiator and logical unit."""

    name: str
    hctl: dict[tuple[str, str], str] = field(default_factory=dict)
    wwid: dict[str, str] = field(default_factory=dict)  # by logical unit


def create_ram_disks() -> None:
    """Load a RAM disk per leg and one more per array, of the largest leg's size, filled lazily."""
    count = SPARE_RAM_DISK + len(layout.ARRAYS)
    size_kib = max(unit.size_bytes for unit in layout.LOGICAL_UNITS) // 1024
    _run("modprobe", "brd", f"rd_nr={count}", f"rd_size={size_kib}", "max_part=0")


def create_array(name: str) -> ArrayDisks:
    """Create array *name* with a leg for every logical unit; return where its disks are."""
    disks = ArrayDisks(name)
    groups = {
        initiator: lio.create_adapter(layout.array_adapter(name, initiator))
        for initiator in (*layout.ENGINES, layout.INSPECTOR)
    }
    for unit in layout.LOGICAL_UNITS:
        number = layout.ARRAYS.index(name) * len(layout.LOGICAL_UNITS) + unit.lun
        dm = layout.slow_device(name, unit.name)
        node = create_slow_device(dm, number, unit.size_bytes)
        backstore = lio.create_backstore(
            f"iblock_{number + 1}",
            dm,
            f"udev_path={node}",
            serial=unit_serial(name, unit.lun),
            product=f"ARRAY-{name}",
        )
        for initiator, group in groups.items():
            disks.hctl[initiator, unit.name] = lio.export(group, unit.lun, backstore)
    _link_legs(disks)
    return disks


def create_slow_device(dm: str, ram_disk: int, size_bytes: int) -> str:
    """Put the device-mapper device *dm* over a RAM disk, no slower yet; return its node."""
    return create_linear(dm, f"/dev/ram{ram_disk}", 0, size_bytes // SECTOR_BYTES)


def create_linear(dm: str, device: str, first: int, sectors: int) -> str:
    """Map *sectors* of a device from its sector *first* on; return the node of the mapping."""
    table = f"0 {sectors} linear {device} {first}"
    _run("dmsetup", "--noudevsync", "create", dm, "--table", table)
    return _node_of(dm)


def create_control_disk() -> str:
    """Create the disk that no fault touches; return its SCSI address."""
    pages = 16 * layout.MIB // 4096
    backstore = lio.create_backstore(
        "rd_mcp_90",
        "control",
        f"rd_pages={pages}",
        serial=_serial("cc00"),
        product="CONTROL",
    )
    return lio.export(lio.create_adapter(layout.CONTROL_ADAPTER), 0, backstore)


def _link_legs(disks: ArrayDisks) -> None:
    for (initiator, unit), hctl in disks.hctl.items():
        disk = lio.wait_for_disk(hctl)
        disks.wwid[unit] = lio.wwid(hctl)
        if initiator in layout.ENGINES:
            link = layout.leg_device(initiator, disks.name, unit)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"/dev/{disk}")


def unit_serial(array: str, lun: int) -> str:
    """Return the unit serial number of an array's logical unit."""
    return _serial(f"{array.lower()}{lun:03d}")


def _serial(number: str) -> str:
    """Return a unit serial number; LIO makes the designator from its first 25 digits only."""
    return f"{number}5a5a-0000-4000-8000-000000000000"


def _node_of(dm: str) -> str:
    """Return the kernel's own node of a device-mapper device: it is there before udev's link."""
    for path in Path("/sys/block").glob("dm-*/dm/name"):
        if path.read_text(encoding="ascii").strip() == dm:
            return f"/dev/{path.parent.parent.name}"
    raise lio.LioError(f"device-mapper device {dm} is not in /sys/block")


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
