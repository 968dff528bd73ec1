"""From the names of a lab file to the devices of this host, by WWID and never by /dev/sdX.

Nothing here sends a command to a target: sysfs keeps what the kernel read when it found the
device, so this works while paths are down. Preflight asks the targets again.
"""

import fnmatch
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from certify.inquiry import DecodeError, decode_designators, unit_wwids
from certify.lab import Array, Lab, LabError, Leg, LogicalUnit

SYSFS = Path("/sys")
DEV = Path("/dev")
SECTOR_BYTES = 512
"""sysfs counts sizes in these, whatever the logical block size (block/genhd.c)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsiDisk:
    """A SCSI disk as this host has it now. `wwids` are all names of its logical unit."""

    hctl: str
    sd: str
    sg: str
    wwids: tuple[str, ...]
    size_bytes: int
    block_bytes: int

    @property
    def sg_device(self) -> str:
        """Its node for SCSI generic."""
        return f"{DEV}/{self.sg}"

    @property
    def sd_device(self) -> str:
        """Its node as a block device."""
        return f"{DEV}/{self.sd}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathDevice:
    """A logical unit of the lab through one path of the lab."""

    path: str
    engine: str
    host: str
    unit: LogicalUnit
    disk: ScsiDisk


@dataclass(frozen=True, slots=True, kw_only=True)
class MapDevice:
    """The multipath device of a logical unit."""

    unit: LogicalUnit
    name: str
    kernel_name: str
    size_bytes: int

    @property
    def device(self) -> str:
        """Its node."""
        return f"{DEV}/mapper/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabDevices:
    """All devices of a lab on this host.

    `other_paths` are those of other hosts of the lab that are on this machine too: initiators of
    their own (another I_T nexus each), without multipath.
    """

    paths: tuple[PathDevice, ...]
    maps: tuple[MapDevice, ...]
    control: ScsiDisk | None
    other_paths: tuple[PathDevice, ...] = ()

    @property
    def all_paths(self) -> tuple[PathDevice, ...]:
        """Every path that can be used from here, this host's first."""
        return self.paths + self.other_paths

    def of_unit(self, unit: str) -> list[PathDevice]:
        """Return the paths of one logical unit, in the order of the lab file."""
        return [device for device in self.paths if device.unit.name == unit]

    def map_of(self, unit: str) -> MapDevice:
        """Return the multipath device of a logical unit; raise LabError if there is none."""
        for device in self.maps:
            if device.unit.name == unit:
                return device
        raise LabError(f"logical unit {unit}: no multipath device")


def scsi_disks(sysfs: Path = SYSFS) -> list[ScsiDisk]:
    """Return all SCSI disks of this host that have a block and a generic node, by HCTL."""
    disks = [_disk(entry) for entry in (sysfs / "class/scsi_device").glob("*")]
    found = [disk for disk in disks if disk is not None]
    return sorted(found, key=lambda disk: [int(part) for part in disk.hctl.split(":")])


def _disk(entry: Path) -> ScsiDisk | None:
    """Read one entry of /sys/class/scsi_device; None if it is no disk or is just going away."""
    device = entry / "device"
    try:
        (block,) = (device / "block").iterdir()
        (generic,) = (device / "scsi_generic").iterdir()
        return ScsiDisk(
            hctl=entry.name,
            sd=block.name,
            sg=generic.name,
            wwids=_wwids(device),
            size_bytes=int((block / "size").read_text()) * SECTOR_BYTES,
            block_bytes=int((block / "queue/logical_block_size").read_text()),
        )
    except (OSError, ValueError):
        return None


def _wwids(device: Path) -> tuple[str, ...]:
    """Return the names in the kernel's copy of VPD page 83h, none if it has none."""
    try:
        return tuple(unit_wwids(decode_designators((device / "vpd_pg83").read_bytes())))
    except (OSError, DecodeError):
        return ()


def find_disks(wwid: str, *, sysfs: Path = SYSFS) -> list[ScsiDisk]:
    """Return the SCSI disks whose logical unit is *wwid*, by HCTL."""
    return [disk for disk in scsi_disks(sysfs) if wwid in disk.wwids]


def find_inspection_disk(array: Array, leg: Leg, *, sysfs: Path = SYSFS) -> ScsiDisk:
    """Return the disk by which the suite may read a leg without the system under test.

    An engine's own back path is never taken: faults act on it. Raises LabError if there is none.
    """
    found = find_disks(leg.inspect_wwid, sysfs=sysfs) if leg.inspect_wwid else []
    for disk in found:
        if not any(fnmatch.fnmatchcase(disk.hctl, pattern) for pattern in array.hctl):
            return disk
    raise LabError(
        f"array {array.name}, {leg.logical_unit}: no disk of inspect_wwid {leg.inspect_wwid!r} "
        f"beside the engines' own; found {', '.join(disk.hctl for disk in found) or 'none'}"
    )


def find_map(unit: LogicalUnit, *, sysfs: Path = SYSFS) -> MapDevice | None:
    """Return the multipath device of *unit*: device-mapper's uuid is "mpath-" and the WWID."""
    for dm in sorted((sysfs / "block").glob("dm-*")):
        try:
            if (dm / "dm/uuid").read_text().strip() != f"mpath-{unit.wwid}":
                continue
            return MapDevice(
                unit=unit,
                name=(dm / "dm/name").read_text().strip(),
                kernel_name=dm.name,
                size_bytes=int((dm / "size").read_text()) * SECTOR_BYTES,
            )
        except FileNotFoundError:
            continue
    return None


def resolve(lab: Lab, *, host: str | None = None, sysfs: Path = SYSFS) -> LabDevices:
    """Find every device that the lab file names on *host* (default: the first one).

    Raises LabError with one line per thing that is missing or is another than the file says.
    """
    problems: list[str] = []
    devices = resolve_found(lab, problems, host=host, sysfs=sysfs)
    if problems:
        raise LabError("\n".join(problems))
    return devices


def resolve_found(
    lab: Lab, problems: list[str], *, host: str | None = None, sysfs: Path = SYSFS
) -> LabDevices:
    """Like `resolve`, but return what is there and append to *problems* what is not."""
    own = host or lab.host[0].name
    disks = scsi_disks(sysfs)
    here = {one.name: one for one in lab.host if one.name == own or _beside(lab, one.name, own)}
    found = {name: _paths(lab, name, disks, problems) for name in here}
    units = [unit for unit in lab.logical_unit if unit.host == own]
    problems += _shared(list(chain.from_iterable(found.values())), lab)
    return LabDevices(
        paths=tuple(found.pop(own, ())),
        maps=_maps(units, problems, sysfs),
        control=_control(lab, disks, problems, own),
        other_paths=tuple(chain.from_iterable(found.values())),
    )


def _beside(lab: Lab, host: str, own: str) -> bool:
    """Tell whether another host of the lab is on the same machine as *own*."""
    reach = {one.name: one.reach for one in lab.host}
    return reach[host] == reach.get(own)


def _paths(lab: Lab, host: str, disks: list[ScsiDisk], problems: list[str]) -> list[PathDevice]:
    """Return every logical unit of *host* through every path of it."""
    units = [unit for unit in lab.logical_unit if host in (unit.host, *unit.also_on)]
    paths: list[PathDevice] = []
    for entry in lab.path:
        if entry.host != host:
            continue
        matching = [disk for disk in disks if fnmatch.fnmatchcase(disk.hctl, entry.hctl)]
        for unit in units:
            found = [disk for disk in matching if unit.wwid in disk.wwids]
            if len(found) != 1:
                problems.append(_path_problem(entry.name, entry.hctl, unit, matching, found))
                continue
            paths.append(
                PathDevice(
                    path=entry.name, engine=entry.engine, host=host, unit=unit, disk=found[0]
                )
            )
    return paths


def _shared(paths: list[PathDevice], lab: Lab) -> list[str]:
    """Return a line per disk that two globs of the file choose: a fault would act on too much."""
    problems: list[str] = []
    owner: dict[str, str] = {}
    for device in paths:
        hctl = device.disk.hctl
        other = owner.setdefault(hctl, device.path)
        if other != device.path:
            problems.append(f"path {device.path}: {hctl} is chosen by path {other} as well")
        problems += [
            f"path {device.path}: {hctl} is chosen by array {array.name} ({glob}) as well"
            for array in lab.array
            for glob in array.hctl
            if array.reach == lab.host[0].reach and fnmatch.fnmatchcase(hctl, glob)
        ]
    return problems


def _path_problem(
    path: str, hctl: str, unit: LogicalUnit, matching: list[ScsiDisk], found: list[ScsiDisk]
) -> str:
    seen = ", ".join(f"{disk.hctl} is {' or '.join(disk.wwids) or 'nameless'}" for disk in matching)
    return (
        f"path {path}: expected one disk of logical unit {unit.name} ({unit.wwid}) among {hctl}, "
        f"found {len(found)}; {seen or 'no disk there'}"
    )


def _maps(units: list[LogicalUnit], problems: list[str], sysfs: Path) -> tuple[MapDevice, ...]:
    maps: list[MapDevice] = []
    for unit in units:
        if (device := find_map(unit, sysfs=sysfs)) is None:
            problems.append(f"logical unit {unit.name}: no multipath device of {unit.wwid}")
            continue
        maps.append(device)
    return tuple(maps)


def _control(lab: Lab, disks: list[ScsiDisk], problems: list[str], host: str) -> ScsiDisk | None:
    if lab.control is None or lab.control.host != host:
        return None
    found = [disk for disk in disks if lab.control.wwid in disk.wwids]
    if not found:
        problems.append(f"control disk: no disk of {lab.control.wwid}")
        return None
    return found[0]
