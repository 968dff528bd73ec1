"""The back of an engine: leg I/O of the core as asynchronous I/O on its block devices. Shell.

Data goes through private buffers, never straight between a leg and a ring: a leg I/O that was
abandoned still ends some day, and by then the ring's memory may be another command's.
"""

from collections.abc import Iterator
from pathlib import Path

from reference_router.aio import AioContext, AioOp, Buffer, BufferPool, Request
from reference_router.legs import LegDevice, Probe
from reference_router.mirror import Command, LegIo
from reference_router.scsi import BLOCK_BYTES

_AIO_DEPTH = 1024
_EIO = 5


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

    @property
    def event_fd(self) -> int:
        """Becomes readable when I/O has ended; to poll edge-triggered."""
        return self._aio.event_fd

    def submit(self, ios: list[LegIo]) -> None:
        """Start leg I/O."""
        requests = []
        for io in ios:
            fd = self._devices[io.mirror.name, io.leg].fd
            op = AioOp.WRITE if io.write else AioOp.READ
            size, offset = io.blocks * BLOCK_BYTES, io.lba * BLOCK_BYTES
            requests.append(Request(io, fd, op, self._buffer(io).address, size, offset))
        self._aio.submit(requests)

    def ended(self) -> Iterator[tuple[LegIo, int] | tuple[Probe, int]]:
        """Yield what has ended: leg I/O with 0 or an errno, probes with the bytes read."""
        for cookie, result in self._aio.reap():
            if isinstance(cookie, LegIo):
                yield cookie, self._leg_ended(cookie, result)
            elif isinstance(cookie, Probe):
                yield cookie, result

    def data(self, command: Command) -> bytes | memoryview:
        """Return what a read has read, in order of its pieces."""
        pieces = sorted(command.buffer, key=lambda piece: piece[0])
        views = [buffer.view[:size] for _, buffer, size in pieces]
        return views[0] if len(views) == 1 else b"".join(views)

    def release(self, command: Command) -> None:
        """Take the buffers of a command back that was answered."""
        if not command.write:
            for _, buffer, _ in command.buffer or ():
                self._pool.put(buffer)

    def _buffer(self, io: LegIo) -> Buffer:
        """Return the buffer of a leg I/O: a read gets its own, writes of one owner share one."""
        owner = io.owner
        buffer = owner.buffer
        if not io.write or not isinstance(buffer, Buffer):
            buffer = self._pool.get(io.blocks * BLOCK_BYTES)
            if io.write and isinstance(owner, Command):
                owner.buffer = buffer
                front, entry = owner.token
                front.gather(entry, buffer.view[: io.blocks * BLOCK_BYTES])
        buffer.users += 1
        io.buffer = buffer
        return buffer

    def _leg_ended(self, io: LegIo, result: int) -> int:
        size = io.blocks * BLOCK_BYTES
        error = 0 if result == size else (-result if result < 0 else _EIO)
        buffer, owner = io.buffer, io.owner
        buffer.users -= 1
        if io.write or error or io.abandoned:
            if not buffer.users:
                self._pool.put(buffer)
        elif isinstance(owner, Command):
            owner.buffer = [*(owner.buffer or ()), (io.lba, buffer, size)]
        else:
            owner.buffer = buffer
        return error


def _devices(
    legs: dict[str, dict[str, str]], arrays: tuple[str, ...], sizes: dict[str, int]
) -> list[LegDevice]:
    return [
        LegDevice(unit, arrays.index(array), Path(path), sizes[unit])
        for unit, paths in legs.items()
        for array, path in paths.items()
    ]
