"""One SCSI command to a block device by the SG_IO ioctl. Blocks until it has ended. Shell.

`struct sg_io_hdr` is version 3 of include/scsi/sg.h. A request by SG_IO is never sent twice by the
kernel. Its time-out does not bound the wait: an abort that the array does not answer may take long.
"""

import ctypes
import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

from reference_router.reserve_codec import ScsiCommand, ScsiEnd

TIMEOUT_MS = 2000

Ioctl = Callable[[int, int, bytearray], int]

_SG_IO = 0x2285
_HEADER = struct.Struct("@iiBBHIPPPIIiPBBBBHHiII0P")
_DXFER_TO_DEV, _DXFER_FROM_DEV = -2, -3
_SENSE_BYTES = 96
_HOST_STATUS = {1: "no connect", 2: "bus busy", 3: "time out", 5: "abort", 8: "reset"}
_DRIVER_MASK, _DRIVER_SENSE = 0x0F, 0x08
_NO_ABORT_DRIVERS = ("tcm_loopback",)


def execute(fd: int, command: ScsiCommand, ioctl: Ioctl = fcntl.ioctl) -> ScsiEnd:
    """Send `command` to the block device `fd` and return how it ended.

    The header goes as a bytearray of less than 1 KiB: only then fcntl.ioctl lets other threads run.
    """
    size = len(command.parameters) or command.answer_bytes
    direction = _DXFER_TO_DEV if command.parameters else _DXFER_FROM_DEV
    data = ctypes.create_string_buffer(command.parameters, size)
    cdb = ctypes.create_string_buffer(command.cdb, len(command.cdb))
    sense = ctypes.create_string_buffer(_SENSE_BYTES)
    header = bytearray(_HEADER.size)
    _HEADER.pack_into(
        *(header, 0, ord("S"), direction, len(command.cdb), _SENSE_BYTES, 0, size),
        *(ctypes.addressof(data), ctypes.addressof(cdb), ctypes.addressof(sense), TIMEOUT_MS),
        *(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    )
    try:
        ioctl(fd, _SG_IO, header)
    except OSError as error:
        return ScsiEnd(failure=f"SG_IO: {os.strerror(error.errno or 0)}")
    status, _, _, sense_bytes, host, driver, left = _HEADER.unpack(header)[13:20]
    if host:
        return ScsiEnd(failure=f"host adapter: {_HOST_STATUS.get(host, f'status {host:#x}')}")
    if driver & _DRIVER_MASK not in (0, _DRIVER_SENSE):
        return ScsiEnd(failure=f"driver status {driver:#x}")
    answer = data.raw[: size - left] if command.answer_bytes and 0 <= left <= size else b""
    return ScsiEnd(status=status, sense=sense.raw[:sense_bytes], answer=answer)


def may_abort(fd: int) -> bool:
    """Tell whether PREEMPT AND ABORT is safe on the block device `fd`. Raises OSError."""
    return aborts_safely(os.fstat(fd).st_rdev)


def aborts_safely(number: int, sysfs: Path = Path("/sys")) -> bool:
    """Tell whether PREEMPT AND ABORT is safe on a block device, by its number.

    It is not through tcm_loop: since Linux 5.13 that executes commands in the work item that
    PREEMPT AND ABORT flushes (core_tmr_drain_state_list), so it waits for itself for ever, and
    with it the logical unit. PREEMPT alone is what such a leg can have.
    """
    node = sysfs / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    return all(_driver(each) not in _NO_ABORT_DRIVERS for each in _disks(node))


def _disks(node: Path) -> list[Path]:
    """Return the disks below a block device: itself, or those that it is a mapping of."""
    slaves = sorted((node / "slaves").iterdir()) if (node / "slaves").is_dir() else []
    return [disk for slave in slaves for disk in _disks(slave)] or [node]


def _driver(disk: Path) -> str:
    """Return the name of the host adapter's driver, or "" for what has none."""
    for folder in (disk / "device").resolve().parents:
        if folder.name.startswith("host"):
            try:
                name = folder / "scsi_host" / folder.name / "proc_name"
                return name.read_text(encoding="ascii").strip()
            except OSError:
                return ""
    return ""
