"""Reasons not to write to a device, whatever the lab file says."""

import os
from pathlib import Path

from certify.devices import DEV, SYSFS, LabDevices, MapDevice
from certify.signatures import HEAD_BYTES, TAIL_BYTES, holds

MOUNTS = Path("/proc/self/mountinfo")
SWAPS = Path("/proc/swaps")
MBR_SIGNATURE = b"\x55\xaa"
MBR_TABLE = slice(446, 510)
MBR_ENTRY_BYTES = 16
GPT_SIGNATURE = b"EFI PART"


def refusals(device: MapDevice, *, sysfs: Path = SYSFS) -> list[str]:
    """Return one line per reason not to write to *device*, [] if there is none.

    It must not be mounted, be used for swap or be claimed by anyone, nor hold partitions, a file
    system or a part of a volume. Its WWID was looked at when it was found.
    """
    holders = sorted(
        entry.name for entry in (sysfs / "block" / device.kernel_name / "holders").glob("*")
    )
    reasons = [f"is in use by {', '.join(holders)}"] if holders else []
    reasons += _mounts(device, sysfs)
    try:
        reasons += _claimed(f"{DEV}/{device.kernel_name}", device.size_bytes)
    except OSError as error:
        reasons.append(f"cannot be opened: {error.strerror}")
    return [f"{device.unit.name} ({device.device}) {reason}" for reason in reasons]


def sizes(devices: LabDevices) -> list[str]:
    """Return one line per path or map whose size is not that of the file, or of the others."""
    problems: list[str] = []
    seen = {one.unit.name: one.unit.size_bytes for one in devices.all_paths}
    for path in devices.all_paths:
        unit, size = path.unit.name, path.disk.size_bytes
        wanted = seen[unit] = seen[unit] or size
        if size != wanted:
            problems.append(f"path {path.path}, {unit}: expected {wanted:,} bytes, seen {size:,}")
    for one in devices.maps:
        wanted = seen.get(one.unit.name, one.size_bytes)
        if one.size_bytes != wanted:
            problems.append(
                f"{one.unit.name} ({one.device}): expected {wanted:,} bytes, "
                f"seen {one.size_bytes:,}"
            )
    return problems


def _mounts(device: MapDevice, sysfs: Path) -> list[str]:
    """Return where the device is mounted or used for swap, by its number (proc(5))."""
    try:
        number = (sysfs / "block" / device.kernel_name / "dev").read_text().strip()
        mounts = [line.split() for line in MOUNTS.read_text(errors="replace").splitlines()]
        swaps = [line.split()[0] for line in SWAPS.read_text().splitlines()[1:]]
    except OSError:
        return []
    found = [f"is mounted on {fields[4]}" for fields in mounts if fields[2] == number]
    return found + ["is used for swap" for name in swaps if name == f"{DEV}/{device.kernel_name}"]


def _claimed(node: str, size_bytes: int) -> list[str]:
    """Open *node* exclusively, as a mount or a volume manager does, and look at its ends.

    On a block device O_EXCL without O_CREAT claims it (open(2)); EBUSY says that someone has.
    """
    try:
        descriptor = os.open(node, os.O_RDONLY | os.O_EXCL)
    except OSError as error:
        return [f"is mounted or claimed: {error.strerror}"]
    try:
        head = os.pread(descriptor, HEAD_BYTES, 0)
        at = max(0, size_bytes - TAIL_BYTES)
        tail = os.pread(descriptor, size_bytes - at, at)
    finally:
        os.close(descriptor)
    table = partition_table(head)
    content = holds(head, tail, size_bytes)
    found = [f"holds a partition table ({table})"] if table else []
    return found + ([f"holds: {content}"] if content else [])


def partition_table(start: bytes) -> str:
    """Return "GPT" or "MBR" if the first KiB of a disk says so, else "".

    The two signature bytes of an MBR may occur in any data, so its entries must make sense too:
    boot flag 00h or 80h, and at least one with a type and a length.
    """
    if start[512:520] == GPT_SIGNATURE:
        return "GPT"
    if start[510:512] != MBR_SIGNATURE:
        return ""
    table = start[MBR_TABLE]
    entries = [table[at : at + MBR_ENTRY_BYTES] for at in range(0, len(table), MBR_ENTRY_BYTES)]
    sane = all(entry[0] in (0x00, 0x80) for entry in entries)
    used = any(entry[4] and int.from_bytes(entry[12:16], "little") for entry in entries)
    return "MBR" if sane and used else ""
