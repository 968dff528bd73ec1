"""SCSI generic: one CDB to one path, and exactly what came back.

`execute` is the synchronous ioctl, for any /dev/sgN or block device. `SgQueue` is the write and
read interface of /dev/sgN, for probes that must not wait for the answer before the next command
is due. Both use version 3 of `struct sg_io_hdr` (include/uapi/scsi/sg.h).

Errors of the system call itself (the node is gone, the device is being recovered) are OSError;
everything a command can answer is a Completion.
"""

import ctypes
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from certify.scsi import Completion, decode_sense

SG_IO = 0x2285
SG_SCSI_RESET = 0x2284
SG_SCSI_RESET_DEVICE, SG_SCSI_RESET_NO_ESCALATE = 1, 0x100
INTERFACE_ID = ord("S")
DXFER_NONE, DXFER_TO_DEV, DXFER_FROM_DEV = -1, -2, -3
SENSE_BYTES = 252
TIMEOUT_MS = 30_000
"""Default of Linux for SCSI disks (SD_TIMEOUT in drivers/scsi/sd.h)."""
QUEUE_COMMANDS_MAX = 16
"""SG_MAX_QUEUE in drivers/scsi/sg.c: outstanding commands of one open file."""


class _Header(ctypes.Structure):
    """struct sg_io_hdr."""

    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


@dataclass(frozen=True, slots=True)
class _Request:
    """A header and the buffers it points to, kept alive until the answer is there."""

    header: _Header
    cdb: bytes
    command: ctypes.Array[ctypes.c_char]
    data: ctypes.Array[ctypes.c_char]
    sense: ctypes.Array[ctypes.c_char]
    data_in_length: int


def _request(
    cdb: bytes, *, data_out: bytes | None, data_in_length: int, timeout_ms: int, pack_id: int = 0
) -> _Request:
    if data_out is not None and data_in_length:
        raise ValueError("a command moves data one way: data_out or data_in_length, not both")
    length = len(data_out) if data_out is not None else data_in_length
    command = ctypes.create_string_buffer(cdb, len(cdb))
    sense = ctypes.create_string_buffer(SENSE_BYTES)
    data = ctypes.create_string_buffer(data_out or b"", max(length, 1))
    direction = DXFER_NONE
    if length:
        direction = DXFER_TO_DEV if data_out is not None else DXFER_FROM_DEV
    header = _Header(
        interface_id=INTERFACE_ID,
        dxfer_direction=direction,
        cmd_len=len(cdb),
        mx_sb_len=SENSE_BYTES,
        dxfer_len=length,
        dxferp=ctypes.addressof(data) if length else None,
        cmdp=ctypes.addressof(command),
        sbp=ctypes.addressof(sense),
        timeout=timeout_ms,
        pack_id=pack_id,
    )
    return _Request(header, cdb, command, data, sense, data_in_length)


def _completion(request: _Request, header: _Header, *, sent_ns: int, done_ns: int) -> Completion:
    transferred = max(0, request.data_in_length - max(0, header.resid))
    return Completion(
        cdb=request.cdb,
        status=header.status,
        sense=decode_sense(request.sense.raw[: header.sb_len_wr]),
        residual=header.resid,
        host_status=header.host_status,
        driver_status=header.driver_status,
        data=request.data.raw[:transferred] if transferred else b"",
        sent_ns=sent_ns,
        done_ns=done_ns,
    )


@contextmanager
def opened(device: str, *, nonblocking: bool = False) -> Iterator[int]:
    """Open a SCSI device for reading and writing; yield its descriptor.

    With *nonblocking*, opening an offline device does not fail and the error handler is not
    waited for (sg_open in drivers/scsi/sg.c). Raises OSError.
    """
    descriptor = os.open(device, os.O_RDWR | (os.O_NONBLOCK if nonblocking else 0))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def execute(
    descriptor: int,
    cdb: bytes,
    *,
    data_out: bytes | None = None,
    data_in_length: int = 0,
    timeout_ms: int = TIMEOUT_MS,
    clock: Callable[[], int] = time.monotonic_ns,
) -> Completion:
    """Send one command and wait for its end; blocks up to *timeout_ms* plus error recovery.

    Raises OSError when the kernel does not take the command, e.g. ENXIO for an offline device.
    """
    request = _request(cdb, data_out=data_out, data_in_length=data_in_length, timeout_ms=timeout_ms)
    sent_ns = clock()
    fcntl.ioctl(descriptor, SG_IO, request.header)
    return _completion(request, request.header, sent_ns=sent_ns, done_ns=clock())


def reset_unit(descriptor: int) -> None:
    """Send LOGICAL UNIT RESET (SAM-5) through the driver of the path, and nothing stronger.

    Waits for it to end. Raises OSError when the driver has no such function or it failed
    (scsi_ioctl_reset in drivers/scsi/scsi_error.c).
    """
    what = SG_SCSI_RESET_DEVICE | SG_SCSI_RESET_NO_ESCALATE
    fcntl.ioctl(descriptor, SG_SCSI_RESET, what.to_bytes(4, sys.byteorder))


class SgQueue:
    """Commands under way on one open /dev/sgN; not safe for several threads at once.

    The descriptor must be non-blocking (`opened(..., nonblocking=True)`); it can be polled for
    reading. At most QUEUE_COMMANDS_MAX commands are under way; open the device again for more.
    """

    __slots__ = ("_clock", "_descriptor", "_pending")

    def __init__(self, descriptor: int, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._descriptor = descriptor
        self._clock = clock
        self._pending: dict[int, tuple[_Request, int]] = {}

    def fileno(self) -> int:
        """Return the descriptor, to poll it."""
        return self._descriptor

    def __len__(self) -> int:
        return len(self._pending)

    def submit(
        self,
        pack_id: int,
        cdb: bytes,
        *,
        data_out: bytes | None = None,
        data_in_length: int = 0,
        timeout_ms: int = TIMEOUT_MS,
    ) -> int:
        """Send one command; return the stamp of just before.

        *pack_id* names it until it is reaped. Raises BlockingIOError when the queue is full and
        OSError when the kernel does not take the command; the command is then not under way.
        """
        if pack_id in self._pending:
            raise ValueError(f"pack_id {pack_id} is under way already")
        if len(self._pending) >= QUEUE_COMMANDS_MAX:
            raise BlockingIOError(f"{QUEUE_COMMANDS_MAX} commands are under way")
        request = _request(
            cdb,
            data_out=data_out,
            data_in_length=data_in_length,
            timeout_ms=timeout_ms,
            pack_id=pack_id,
        )
        sent_ns = self._clock()
        self._pending[pack_id] = (request, sent_ns)
        try:
            os.write(self._descriptor, request.header)
        except OSError:
            del self._pending[pack_id]
            raise
        return sent_ns

    def reap(self) -> tuple[int, Completion] | None:
        """Return the pack_id and the end of one command, None if none has ended yet."""
        header = _Header(interface_id=INTERFACE_ID, pack_id=-1)
        try:
            os.readv(self._descriptor, [header])
        except BlockingIOError:
            return None
        done_ns = self._clock()
        request, sent_ns = self._pending.pop(header.pack_id)
        return header.pack_id, _completion(request, header, sent_ns=sent_ns, done_ns=done_ns)
