"""Linux asynchronous I/O (io_setup(2) and its family) on one block device, without a library.

Every slot has its own page-aligned block, so O_DIRECT moves data without a copy and a read that
completes late still has memory to land in. Sending may block when the device's queue is full,
so it belongs in another thread than reaping.
"""

import ctypes
import errno
import mmap
import os
import platform
import struct
from dataclasses import dataclass

_NUMBERS = {
    # io_setup, io_destroy, io_submit, io_getevents: arch/*/entry/syscalls and asm-generic
    "x86_64": (206, 207, 209, 208),
    "aarch64": (0, 1, 2, 4),
    "riscv64": (0, 1, 2, 4),
}
_PREAD, _PWRITE = 0, 1  # IOCB_CMD_* of include/uapi/linux/aio_abi.h
_IOCB = struct.Struct("<QIiHhIQQqQII")
_EVENT = struct.Struct("<QQqq")
_REAP_MAX = 64


class AioError(OSError):
    """The kernel's asynchronous I/O is not there or refused; the message names the call."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One I/O that ended: its slot and the bytes moved, or a negative errno."""

    slot: int
    result: int


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class AioQueue:
    """Up to *depth* reads and writes of one block each, outstanding on one descriptor.

    One thread may send while another reaps. A slot is the caller's to choose; it must not be
    sent again before it was reaped.
    """

    def __init__(self, descriptor: int, *, depth: int, block_bytes: int) -> None:
        numbers = _NUMBERS.get(platform.machine())
        if numbers is None:
            raise AioError(errno.ENOSYS, f"asynchronous I/O on {platform.machine()} is not known")
        self._setup, self._destroy, self._submit, self._getevents = numbers
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.syscall.restype = ctypes.c_long
        self._libc.syscall.argtypes = [ctypes.c_long] * 6
        self._descriptor = descriptor
        self._block_bytes = block_bytes
        self._memory = mmap.mmap(-1, depth * block_bytes)
        self._base = _address(self._memory)
        self._iocbs = ctypes.create_string_buffer(depth * _IOCB.size)
        first = ctypes.addressof(self._iocbs)
        self._pointers = (ctypes.c_void_p * depth)(
            *(first + slot * _IOCB.size for slot in range(depth))
        )
        self._pointers_at = ctypes.addressof(self._pointers)
        self._events = ctypes.create_string_buffer(_REAP_MAX * _EVENT.size)
        context = ctypes.c_ulong(0)
        self._call("io_setup", self._setup, depth, ctypes.addressof(context))
        self._context = context.value

    def read(self, slot: int, offset_bytes: int) -> None:
        """Send a read into *slot*; may block while the device's queue is full. Raises AioError."""
        self._send(_PREAD, slot, offset_bytes)

    def write(self, slot: int, offset_bytes: int, data: bytes) -> None:
        """Send a write of one block; may block while the device's queue is full. Raises AioError.

        Raises ValueError when *data* is not exactly one block.
        """
        if len(data) != self._block_bytes:
            raise ValueError(f"{len(data)} bytes; a block has {self._block_bytes}")
        start = slot * self._block_bytes
        self._memory[start : start + self._block_bytes] = data
        self._send(_PWRITE, slot, offset_bytes)

    def data(self, slot: int) -> bytes:
        """Return the block of a slot that was reaped."""
        start = slot * self._block_bytes
        return self._memory[start : start + self._block_bytes]

    def reap(self, *, timeout_s: float) -> list[Ended]:
        """Return what has ended; wait up to *timeout_s* seconds for the first. Raises AioError."""
        whole = int(timeout_s)
        limit = _Timespec(whole, int((timeout_s - whole) * 1e9))
        count = self._call(
            "io_getevents",
            self._getevents,
            self._context,
            1,
            _REAP_MAX,
            ctypes.addressof(self._events),
            ctypes.addressof(limit),
        )
        raw = self._events.raw[: count * _EVENT.size]
        return [Ended(slot, result) for slot, _, result, _ in _EVENT.iter_unpack(raw)]

    def close(self) -> None:
        """Give the queue back; blocks until every outstanding I/O has ended (io_destroy(2))."""
        self._call("io_destroy", self._destroy, self._context)

    def _send(self, opcode: int, slot: int, offset_bytes: int) -> None:
        _IOCB.pack_into(
            self._iocbs,
            slot * _IOCB.size,
            slot,
            0,
            0,
            opcode,
            0,
            self._descriptor,
            self._base + slot * self._block_bytes,
            self._block_bytes,
            offset_bytes,
            0,
            0,
            0,
        )
        at = self._pointers_at + slot * ctypes.sizeof(ctypes.c_void_p)
        self._call("io_submit", self._submit, self._context, 1, at)

    def _call(self, name: str, number: int, *arguments: int) -> int:
        padded = (*arguments, 0, 0, 0, 0, 0)[:5]
        while True:
            result: int = self._libc.syscall(number, *padded)
            if result >= 0:
                return result
            code = ctypes.get_errno()
            if code != errno.EINTR:
                raise AioError(code, f"{name}: {os.strerror(code)}")


def _address(memory: mmap.mmap) -> int:
    """Return where *memory* is mapped; it stays there as long as the object lives."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
