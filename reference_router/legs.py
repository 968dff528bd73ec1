"""An engine's own way to the legs: block devices, opened with care and looked for again. Shell.

A leg is opened O_DIRECT and O_DSYNC: what the array said GOOD to is on its medium, with or without
a volatile cache there, so the router needs no flush of its own. A leg that is not available is
probed by an asynchronous read, for a read of a dead array must not stop the engine.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from reference_router.aio import AioContext, AioOp, BufferPool, Request

_PROBE_BYTES = 4096
_PROBE_INTERVAL_NS = 500_000_000


@dataclass(slots=True, eq=False)
class LegDevice:
    """The block device of one leg. `fd` is -1 while there is none; `identity` is once and for all.

    `refusal` says why what is found at the path is not taken for the leg.
    """

    unit: str
    leg: int
    path: Path
    size_bytes: int
    fd: int = -1
    identity: str = ""
    refusal: str = ""
    probing_since_ns: int = 0
    next_probe_ns: int = 0
    _device: int = field(default=0)

    def open(self) -> bool:
        """Open the device if there is none open, or another one is at the path now.

        Tells whether there is one. Not for use while I/O is under way.
        """
        try:
            device = self.path.stat().st_rdev
            if self.fd >= 0 and device == self._device:
                return True
            self.close()
            fd = os.open(self.path, os.O_RDWR | os.O_DIRECT | os.O_DSYNC | os.O_CLOEXEC)
        except OSError as error:
            self.refusal = f"{self.path}: {error.strerror}"
            return False
        self.refusal = self._check(fd, device)
        if self.refusal:
            os.close(fd)
            return False
        self.fd, self._device = fd, device
        return True

    def close(self) -> None:
        """Close the device, if it is open."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _check(self, fd: int, device: int) -> str:
        size = os.lseek(fd, 0, os.SEEK_END)
        if size < self.size_bytes:
            return f"{self.path}: expected at least {self.size_bytes} bytes, seen {size}"
        identity = identity_of(device)
        if self.identity and identity != self.identity:
            return f"{self.path}: expected {self.identity}, seen {identity or 'no designator'}"
        self.identity = identity
        return ""


class Probe:
    """Looks for one leg: open, then read the first block, by itself every half second."""

    def __init__(self, device: LegDevice, aio: AioContext, pool: BufferPool) -> None:
        self.device = device
        self._aio = aio
        self._pool = pool
        self._buffer = pool.get(_PROBE_BYTES)

    def start(self, now_ns: int, *, may_open: bool) -> None:
        """Begin, unless it was done a moment ago or is still under way.

        `may_open` allows to open another device; not while old I/O is under way on this one.
        """
        device = self.device
        if device.probing_since_ns or now_ns < device.next_probe_ns:
            return
        device.next_probe_ns = now_ns + _PROBE_INTERVAL_NS
        if device.open() if may_open else device.fd >= 0:
            device.probing_since_ns = now_ns
            read = Request(self, device.fd, AioOp.READ, self._buffer.address, _PROBE_BYTES, 0)
            self._aio.submit([read])

    def ended(self, result: int, now_ns: int, *, deadline_ns: int) -> bool:
        """Take the end of the read; tell whether the leg is good: it answered, and soon enough."""
        started_ns, self.device.probing_since_ns = self.device.probing_since_ns, 0
        return result == _PROBE_BYTES and now_ns - started_ns < deadline_ns


def identity_of(device: int) -> str:
    """Return the designator of a block device as the kernel knows it, or "" if it has none."""
    number = f"{os.major(device)}:{os.minor(device)}"
    for name in ("device/wwid", "wwid", "dm/uuid"):
        try:
            return Path(f"/sys/dev/block/{number}/{name}").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
    return ""


def size_of(path: Path) -> int:
    """Return the size of a block device or file in bytes. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.lseek(fd, 0, os.SEEK_END)
    finally:
        os.close(fd)
