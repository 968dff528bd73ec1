"""The back of an engine: leg I/O of the core as asynchronous I/O on its block devices. Shell.

Reads and writes of hosts go straight between a leg and the memory of the ring, where that is lent
(see `lending`). All else goes through private buffers.
"""

from collections import deque
from collections.abc import Iterator
from errno import ECANCELED
from pathlib import Path

from reference_router.aio import AioContext, AioOp, Buffer, BufferPool, Request
from reference_router.commands import Command, LegIo
from reference_router.control_io import Controls
from reference_router.keys import Control, ControlResult
from reference_router.legs import LegDevice, Probe
from reference_router.lending import Loan
from reference_router.scsi import BLOCK_BYTES, Op

_AIO_DEPTH = 1024
_EIO = 5
IN_FLIGHT_LIMIT = 128
"""I/O under way on one leg. More than a disk's queue takes would block io_submit(), and with it the
engine, on a leg that is slow (nr_requests of the block layer is 256 and less)."""
_STRAIGHT = (Op.READ, Op.WRITE)


class Back:
    """The legs of one engine. `legs` is a path by unit and array, `sizes` is bytes by unit."""

    def __init__(
        self, legs: dict[str, dict[str, str]], *, arrays: tuple[str, ...], sizes: dict[str, int]
    ) -> None:
        self._aio = AioContext(_AIO_DEPTH)
        self._pool = BufferPool()
        self.probes = [
            Probe(
                LegDevice(unit, arrays.index(array), Path(path), sizes[unit]), self._aio, self._pool
            )
            for unit, paths in legs.items()
            for array, path in paths.items()
        ]
        self._devices = {(each.device.unit, each.device.leg): each.device for each in self.probes}
        self._busy = dict.fromkeys(self._devices, 0)
        self._waiting: dict[tuple[str, int], deque[LegIo]] = {
            place: deque() for place in self._devices
        }
        self._controls = Controls(self._devices)

    @property
    def event_fd(self) -> int:
        """Becomes readable when I/O has ended; to poll edge-triggered."""
        return self._aio.event_fd

    @property
    def control_fd(self) -> int:
        """Becomes readable when a control command has ended; to poll edge-triggered."""
        return self._controls.event_fd

    def submit(self, ios: list[LegIo]) -> None:
        """Start leg I/O, or keep it until the leg has room for it."""
        requests = []
        for io in ios:
            place = (io.mirror.name, io.leg)
            # The router's own copies are one at a time, and what they read is only in their buffer.
            if self._busy[place] < IN_FLIGHT_LIMIT or io.owner.op == Op.COPY:
                requests.append(self._request(io))
            else:
                self._waiting[place].append(io)
        self._aio.submit(requests)

    def _request(self, io: LegIo) -> Request:
        place = (io.mirror.name, io.leg)
        self._busy[place] += 1
        fd = self._devices[place].fd
        op = AioOp.WRITE if io.write else AioOp.READ
        size, offset = io.blocks * BLOCK_BYTES, io.lba * BLOCK_BYTES
        loan = self._loan(io)
        if loan is None:
            return Request(io, fd, op, self._buffer(io).address, size, offset)
        loan.under_way.append(io)
        io.buffer = loan
        part = loan.part((io.lba - io.owner.lba) * BLOCK_BYTES, size)
        return Request(io, fd, op, 0, size, offset, part)

    def _make_room(self, place: tuple[str, int]) -> Iterator[LegIo]:
        """Start what waits for a leg; yield what is not wanted any more, which ends at once."""
        waiting = self._waiting[place]
        while waiting and self._busy[place] < IN_FLIGHT_LIMIT:
            io = waiting.popleft()
            if io.abandoned:
                yield io
            else:
                self._aio.submit([self._request(io)])

    def submit_controls(self, controls: list[Control]) -> None:
        """Start control commands. Those to one leg are executed in order."""
        self._controls.submit(controls)

    def ended(
        self,
    ) -> Iterator[tuple[LegIo, int] | tuple[Probe, int] | tuple[Control, ControlResult]]:
        """Yield what has ended: leg I/O with 0 or an errno, probes with bytes read, controls."""
        for cookie, result in self._aio.reap():
            if isinstance(cookie, LegIo):
                place = (cookie.mirror.name, cookie.leg)
                self._busy[place] -= 1
                yield cookie, self._leg_ended(cookie, result)
                if self._waiting[place]:
                    for io in self._make_room(place):
                        yield io, ECANCELED
            elif isinstance(cookie, Probe):
                yield cookie, result
        yield from self._controls.ended()

    def data(self, command: Command) -> bytes | memoryview:
        """Return what a command has read, in order of its pieces."""
        pieces = sorted(command.pieces, key=lambda piece: piece[0])
        views = [buffer.view[:size] for _, buffer, size in pieces]
        return views[0] if len(views) == 1 else b"".join(views)

    def pieces(self, command: Command) -> list[tuple[int, memoryview]]:
        """Return what a command has read into private buffers, and where in its data it goes."""
        start = command.lba
        return [
            ((lba - start) * BLOCK_BYTES, buffer.view[:size])
            for lba, buffer, size in command.pieces
        ]

    def release(self, command: Command) -> None:
        """Take the buffers back of what a command has read."""
        if command.pieces:
            for _, buffer, _ in command.pieces:
                self._pool.put(buffer)
            command.pieces = []

    def _loan(self, io: LegIo) -> Loan | None:
        """Return the ring's memory for a leg I/O, if it is lent.

        A piece that is read once more, because its first leg was dropped, gets a private buffer
        while the first read is under way: that could still write to the memory.
        """
        command = io.owner
        if command.op not in _STRAIGHT:
            return None
        loan: Loan | None = command.token.entry.loan
        if loan is None or (not io.write and loan.under_way and _disputed(loan)):
            return None
        return loan

    def _buffer(self, io: LegIo) -> Buffer:
        """Return the buffer of a leg I/O: a read gets its own, writes of one owner share one."""
        owner = io.owner
        if not io.write:
            buffer = self._pool.get(io.blocks * BLOCK_BYTES)
        elif owner.buffer is None:
            buffer = owner.buffer = self._pool.get(io.blocks * BLOCK_BYTES)
            owner.token.fill(buffer.view[: io.blocks * BLOCK_BYTES])
        else:
            buffer = owner.buffer
        buffer.users += 1
        io.buffer = buffer
        return buffer

    def _leg_ended(self, io: LegIo, result: int) -> int:
        size = io.blocks * BLOCK_BYTES
        error = 0 if result == size else (-result if result < 0 else _EIO)
        buffer, owner = io.buffer, io.owner
        if isinstance(buffer, Loan):
            buffer.under_way.remove(io)
            if buffer.answered and not buffer.under_way:
                owner.token.front.give_back(owner.token.entry)
            return error
        buffer.users -= 1
        if io.write:
            if not buffer.users:
                owner.buffer = None
                self._pool.put(buffer)
        elif error or io.abandoned or owner.answered:
            self._pool.put(buffer)
        elif owner.op == Op.COPY:
            owner.buffer = buffer
        else:
            owner.pieces.append((io.lba, buffer, size))
        return error


def _disputed(loan: Loan) -> bool:
    return any(isinstance(io, LegIo) and io.abandoned for io in loan.under_way)
