"""The front of an engine: the TCMU device of one logical unit for one host. Shell.

Takes commands from the ring, lets the device server answer what it can, and hands transfers to
the mirror; puts answers back and kicks the kernel once per batch.
"""

import os
import stat
from mmap import mmap
from pathlib import Path

from reference_router.device_server import DeviceServer
from reference_router.mirror import Command, Mirror
from reference_router.ring import Entry, Ring
from reference_router.scsi import (
    BLOCK_BYTES,
    INVALID_FIELD_IN_CDB,
    Response,
    Status,
    check_condition,
)

_KICK = bytes(4)  # a write of any 32-bit value runs tcmu_irqcontrol()
_MAP_SIZE = "maps/map0/size"
_REFUSED = check_condition(INVALID_FIELD_IN_CDB)


class UioDevice:
    """An open UIO device of TCMU with its shared memory. Only one process can have it open."""

    def __init__(self, node: Path) -> None:
        """Open and map `node` (/dev/uioN). Raises OSError, EBUSY if another has it."""
        self.fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            number = os.fstat(self.fd).st_rdev
            if not stat.S_ISCHR(os.fstat(self.fd).st_mode):
                raise OSError(f"{node}: not a character device")
            sysfs = Path(f"/sys/dev/char/{os.major(number)}:{os.minor(number)}")
            size = int((sysfs / _MAP_SIZE).read_text(encoding="ascii"), 16)
            self.memory = mmap(self.fd, size)
        except OSError:
            os.close(self.fd)
            raise

    def kick(self) -> None:
        """Tell the kernel that slots were given back."""
        os.write(self.fd, _KICK)

    def close(self) -> None:
        """Unmap and close. Views of the memory must have been released."""
        self.memory.close()
        os.close(self.fd)


class Front:
    """One TCMU device in service."""

    def __init__(self, uio: UioDevice, server: DeviceServer, mirror: Mirror) -> None:
        """Serve from the start of a ring that was just reset. Raises RingError otherwise."""
        self.uio = uio
        self.mirror = mirror
        self.commands = 0
        self._server = server
        self._ring = Ring(uio.memory)
        self._answered = False

    @property
    def taken(self) -> int:
        """Commands taken and not answered."""
        return self._ring.taken

    def take(self, now_ns: int) -> None:
        """Take all commands from the ring and begin them. Raises RingError."""
        if not self._ring.pending():
            return
        for entry in self._ring.take():
            self.commands += 1
            if entry.bidirectional or entry.unknown:
                self._answer(entry, _REFUSED)
                continue
            todo = self._server.execute(entry.cdb)
            if isinstance(todo, Response):
                self._answer(entry, todo)
            elif todo.write and entry.length_bytes < todo.blocks * BLOCK_BYTES:
                self._answer(entry, _REFUSED)
            else:
                token = (self, entry)
                self.mirror.submit(Command(token, todo.write, todo.lba, todo.blocks), now_ns)
        self.kick()

    def gather(self, entry: Entry, into: memoryview) -> None:
        """Copy a write's data out of the ring."""
        self._ring.gather(entry, into)

    def finish(self, entry: Entry, *, data: memoryview | bytes | None) -> None:
        """Answer a transfer with GOOD; `data` is what a read has read."""
        self._answered = True
        if data is None:
            self._ring.complete(entry, Status.GOOD)
            return
        copied = self._ring.scatter(entry, data)
        short = copied if copied < entry.length_bytes else None
        self._ring.complete(entry, Status.GOOD, read_length=short)

    def fail(self, entry: Entry, sense: bytes) -> None:
        """Answer a transfer with CHECK CONDITION."""
        self._answered = True
        self._ring.complete(entry, Status.CHECK_CONDITION, sense)

    def kick(self) -> None:
        """Tell the kernel of the answers since the last kick, if there are any."""
        if self._answered:
            self._answered = False
            self.uio.kick()

    def close(self) -> None:
        """Leave the ring as it is and let go of the device."""
        self._ring.release()
        self.uio.close()

    def _answer(self, entry: Entry, response: Response) -> None:
        self._answered = True
        length = entry.length_bytes
        copied = self._ring.scatter(entry, response.data)
        if not copied and length and response.status == Status.GOOD:
            # A length of 0 cannot be told to the kernel: give zeros, not another command's data.
            copied = self._ring.scatter(entry, bytes(length))
        short = copied if 0 < copied < length and response.status == Status.GOOD else None
        self._ring.complete(entry, response.status, response.sense, read_length=short)
