"""The front of an engine: the TCMU device of one logical unit for one host. Shell.

Takes commands from the ring, lets the device server answer what it can, and hands transfers to
the mirror; puts answers back and kicks the kernel once per batch.
"""

import ctypes
import os
import stat
from collections.abc import Callable
from functools import partial
from mmap import mmap
from pathlib import Path

from reference_router.commands import Command
from reference_router.configfs import free_kept_file
from reference_router.device_server import DeviceServer
from reference_router.lending import Lender
from reference_router.mirror import Mirror
from reference_router.ring import Entry, Ring, TaskFunction, TaskManagement
from reference_router.scsi import (
    BLOCK_BYTES,
    INVALID_FIELD_IN_CDB,
    Fill,
    Op,
    Response,
    Status,
    Transfer,
    check_condition,
)
from reference_router.service_state import ServiceRequest

_KICK = bytes(4)  # a write of any 32-bit value runs tcmu_irqcontrol()
_MAP_SIZE = "maps/map0/size"
_REFUSED = check_condition(INVALID_FIELD_IN_CDB)
_AGAIN = Response(Status.BUSY)
_STRAIGHT = (Op.READ, Op.WRITE)

_RESETS = (
    TaskFunction.LUN_RESET,
    TaskFunction.TARGET_WARM_RESET,
    TaskFunction.TARGET_COLD_RESET,
)

Asker = Callable[[ServiceRequest, "Token | Nobody", int], None]


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
            name = (sysfs / "name").read_text(encoding="ascii")
            self._kept = free_kept_file(name.strip())
            self.memory = mmap(self.fd, size)
            self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        except OSError:
            os.close(self.fd)
            raise

    def kick(self) -> None:
        """Tell the kernel that slots were given back."""
        os.write(self.fd, _KICK)

    def free_kept(self, command_id: int) -> None:
        """Let the kernel use the memory again that it kept for a command. Raises OSError."""
        self._kept.write_text(str(command_id), encoding="ascii")

    def close(self) -> None:
        """Unmap and close. Views of the memory must have been released."""
        self.memory.close()
        os.close(self.fd)


class Token:
    """A command of the ring that was not answered at once: where it came from, what it carries."""

    __slots__ = ("entry", "fill_kind", "front", "skip_blocks")

    def __init__(self, front: "Front", entry: Entry, transfer: Transfer | None = None) -> None:
        self.front = front
        self.entry = entry
        self.fill_kind = transfer.fill if transfer is not None else Fill.DATA
        # COMPARE AND WRITE sends what to compare with first, then what to write.
        compares = transfer is not None and transfer.op is Op.COMPARE_AND_WRITE
        self.skip_blocks = transfer.blocks if transfer is not None and compares else 0

    def fill(self, into: memoryview) -> None:
        """Copy or make the data that the command writes."""
        self.front.fill(self, into)

    def mismatch(self, data: bytes | memoryview) -> int | None:
        """Return the offset of the first byte where data-out differs from `data`, or None."""
        return self.front.mismatch(self, data)


class Nobody:
    """Stands for a token where no command waits for the answer: task management has none."""

    __slots__ = ("entry",)

    def __init__(self) -> None:
        self.entry = None

    @property
    def front(self) -> "Nobody":
        """Return what takes the answer."""
        return self

    def end(self, *_: object) -> None:
        """Take an answer that nobody waits for."""


class Front:
    """One TCMU device in service. `ask` is for what both engines must agree on."""

    def __init__(
        self,
        uio: UioDevice,
        server: DeviceServer,
        mirror: Mirror,
        *,
        host: str,
        ask: Asker,
        in_doubt: Callable[[], bool] = lambda: False,
    ) -> None:
        """Serve from the start of a ring that was just reset. Raises RingError otherwise.

        While `in_doubt`, commands stay in the ring: what they meet is being decided.
        """
        self.uio = uio
        self.mirror = mirror
        self.host = host
        self.commands = self.errors = 0
        """Commands taken, and those answered with another status than GOOD."""
        self._server = server
        self._ask = ask
        self._in_doubt = in_doubt
        self._ring = ring = Ring(uio.memory)
        keeps = ring.keeps_buffers
        self._lender = Lender(
            base=uio.address if keeps else 0, limit_bytes=ring.data_bytes // 2 if keeps else 0
        )
        self._unused: list[Entry] = []  # kept by the kernel, and used by no I/O any more
        self._answered = False

    @property
    def taken(self) -> int:
        """Commands taken and not answered."""
        return self._ring.taken

    def take(self, now_ns: int) -> None:
        """Take all commands from the ring and begin them. Raises RingError."""
        if not self._ring.pending() or self._in_doubt():
            return
        for entry in self._ring.take():
            self.commands += 1
            if entry.bidirectional or entry.unknown:
                self._answer(entry, _REFUSED)
                continue
            todo = self._server.execute(entry.cdb, self.host, partial(self._data, entry))
            if isinstance(todo, Response):
                self._answer(entry, todo)
            elif not isinstance(todo, Transfer):
                self._ask(todo.request, Token(self, entry), now_ns)
            elif entry.length_bytes < todo.data_blocks * BLOCK_BYTES:
                self._answer(entry, _REFUSED)
            else:
                size = todo.blocks * BLOCK_BYTES
                straight = todo.op in _STRAIGHT and todo.fill is Fill.DATA
                if straight and entry.length_bytes >= size:
                    entry.loan = self._lender.lend(entry.segments, entry.length_bytes)
                token = Token(self, entry, todo)
                command = Command(token, todo.op, todo.lba, todo.blocks, self.host)
                self.mirror.submit(command, now_ns)
        if self._ring.task_management:
            self._manage_tasks(now_ns)
        self.kick()

    def _manage_tasks(self, now_ns: int) -> None:
        """Drop what the kernel aborts and has not started; what is under way ends first.

        The kernel answers the task management function when each command is answered
        (core_tmr_abort_task, core_tmr_drain_state_list: target_put_cmd_and_wait).
        """
        events, self._ring.task_management = self._ring.task_management, []
        for event in events:
            self.mirror.abort(partial(self._is_aborted, event))
            if event.function in _RESETS:
                self._ask(self._server.reset(self.host), Nobody(), now_ns)

    def _is_aborted(self, event: TaskManagement, command: Command) -> bool:
        token: Token = command.token
        return token.front is self and token.entry.command_id in event.command_ids

    def fill(self, token: Token, into: memoryview) -> None:
        """Copy a write's data out of the ring, or make it."""
        if token.fill_kind is Fill.ZERO:
            into[:] = bytes(len(into))
        elif token.fill_kind is Fill.REPEAT:
            block = self._data(token.entry, BLOCK_BYTES)
            into[:] = block * (len(into) // BLOCK_BYTES)
        elif token.skip_blocks:
            skip = token.skip_blocks * BLOCK_BYTES
            into[:] = self._data(token.entry, skip + len(into))[skip:]
        else:
            self._ring.gather(token.entry, into)

    def mismatch(self, token: Token, data: bytes | memoryview) -> int | None:
        """Return the offset of the first byte where data-out differs from `data`, or None."""
        sent = self._data(token.entry, len(data))
        if sent == data:
            return None
        return next(index for index, byte in enumerate(sent) if byte != data[index])

    def end(self, entry: Entry, response: Response | None, data: memoryview | bytes | None) -> None:
        """Answer a command: with `response`, or with GOOD and what was read, if it was a read."""
        if response is not None:
            self._answer(entry, response)
            return
        if data is None:
            self._complete(entry, Status.GOOD)
            return
        copied = self._ring.scatter(entry, data)
        short = copied if copied < entry.length_bytes else None
        self._complete(entry, Status.GOOD, read_length=short)

    def end_read(self, entry: Entry, pieces: list[tuple[int, memoryview]], size: int) -> None:
        """Answer a read of `size` bytes with GOOD; `pieces` is what is not in its memory yet.

        While a read of a dropped leg is under way, what that memory will hold is not known: then
        the host is told to ask again, which it does at once and gets other memory (SAM-5 5.3.1).
        """
        if entry.loan is not None and entry.loan.under_way:
            self._answer(entry, _AGAIN)
            return
        for offset, data in pieces:
            self._ring.scatter(entry, data, offset)
        self._complete(entry, Status.GOOD, read_length=size if size < entry.length_bytes else None)

    def give_back(self, entry: Entry) -> None:
        """Note that no I/O uses the memory any more that the kernel keeps for a command."""
        self._unused.append(entry)

    def kick(self) -> None:
        """Tell the kernel of the answers since the last kick, if there are any."""
        if self._answered:
            self._answered = False
            self.uio.kick()
        if self._unused:
            unused, self._unused = self._unused, []
            for entry in unused:
                self.uio.free_kept(entry.command_id)
                self._settle(entry)

    def close(self) -> None:
        """Leave the ring as it is and let go of the device."""
        self._ring.release()
        self.uio.close()

    def _data(self, entry: Entry, size: int) -> bytes:
        data = bytearray(min(size, entry.length_bytes))
        self._ring.gather(entry, memoryview(data))
        return bytes(data)

    def _settle(self, entry: Entry) -> None:
        if entry.loan is not None:
            self._lender.take_back(entry.loan)
            entry.loan = None

    def _complete(
        self, entry: Entry, status: int, sense: bytes = b"", *, read_length: int | None = None
    ) -> None:
        self._answered = True
        loan = entry.loan
        keep = loan is not None and bool(loan.under_way)
        self._ring.complete(entry, status, sense, read_length=read_length, keep=keep)
        if loan is not None:
            loan.answered = True
            if not keep:
                self._settle(entry)

    def _answer(self, entry: Entry, response: Response) -> None:
        length = entry.length_bytes
        good = response.status == Status.GOOD
        self.errors += not good
        copied = self._ring.scatter(entry, response.data) if good else 0
        if good and not copied and length:
            # A length of 0 cannot be told to the kernel: give zeros, not another command's data.
            copied = self._ring.scatter(entry, bytes(length))
        short = copied if good and 0 < copied < length else None
        self._complete(entry, response.status, response.sense, read_length=short)
