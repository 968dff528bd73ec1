"""Reasons not to write to a device, whatever the lab file says."""

import os
from pathlib import Path

from certify.devices import DEV, SYSFS, MapDevice

MBR_BYTES = 1024
MBR_SIGNATURE = b"\x55\xaa"
MBR_TABLE = slice(446, 510)
MBR_ENTRY_BYTES = 16
GPT_SIGNATURE = b"EFI PART"


def refusals(device: MapDevice, *, sysfs: Path = SYSFS) -> list[str]:
    """Return one line per reason not to write to *device*, [] if there is none.

    It must not be mounted, claimed by anyone, cut into partitions, nor hold a partition table.
    """
    holders = sorted(
        entry.name for entry in (sysfs / "block" / device.kernel_name / "holders").glob("*")
    )
    reasons: list[str] = []
    if holders:
        reasons.append(f"is in use by {', '.join(holders)}")
    try:
        reasons += _claimed(f"{DEV}/{device.kernel_name}")
    except OSError as error:
        reasons.append(f"cannot be opened: {error.strerror}")
    return [f"{device.unit.name} ({device.device}) {reason}" for reason in reasons]


def _claimed(node: str) -> list[str]:
    """Open *node* exclusively, as a mount or a volume manager does, and look at its start.

    On a block device O_EXCL without O_CREAT claims it (open(2)); EBUSY says that someone has.
    """
    try:
        descriptor = os.open(node, os.O_RDONLY | os.O_EXCL)
    except OSError as error:
        return [f"is mounted or claimed: {error.strerror}"]
    try:
        table = partition_table(os.pread(descriptor, MBR_BYTES, 0))
    finally:
        os.close(descriptor)
    return [f"holds a partition table ({table})"] if table else []


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
