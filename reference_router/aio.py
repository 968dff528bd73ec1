"""Linux asynchronous I/O by system call: submit reads and writes in batches, reap them by eventfd.

The kernel's own interface (`io_submit(2)`), not glibc's threads. When a process dies, the kernel
waits in exit_aio() for all of it before it closes the process's files and reports its death, so
nothing of a dead engine can reach an array after its supervisor has been told.
"""

import ctypes
import errno
import os
import struct
from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from mmap import mmap

_IOCB = struct.Struct("<QIIHhiQQqQII")  # struct iocb
_EVENT = struct.Struct("<QQqq")
_HEADER = struct.Struct("<IIIIIIII")  # struct aio_ring in fs/aio.c
_RING_MAGIC = 0xA10A10A1
_FLAG_EVENTFD = 1
_BUFFER_BYTES_MIN = 4096
_SYSCALL = {"x86_64": (206, 207, 209, 208), "aarch64": (0, 1, 2, 4)}  # setup destroy submit get


class AioOp(IntEnum):
    """aio_lio_opcode (include/uapi/linux/aio_abi.h)."""

    READ = 0
    WRITE = 1
    READ_VECTOR = 7
    WRITE_VECTOR = 8


class Buffer:
    """Page-aligned private memory for one transfer."""

    __slots__ = ("address", "memory", "order", "users", "view")

    def __init__(self, order: int) -> None:
        self.order = order
        self.memory = mmap(-1, 1 << order)
        self.view = memoryview(self.memory)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.users = 0


class BufferPool:
    """Buffers by power of two, used again last-in first-out so that their pages stay mapped.

    Not bounded by itself: what is in use is bounded by the data areas of the rings, and twice
    that while abandoned I/O is under way.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[Buffer]] = {}

    def get(self, size_bytes: int) -> Buffer:
        """Return a buffer of at least that size."""
        order = max(size_bytes - 1, _BUFFER_BYTES_MIN - 1).bit_length()
        free = self._free.get(order)
        return free.pop() if free else Buffer(order)

    def put(self, buffer: Buffer) -> None:
        """Give a buffer back that no I/O uses any more."""
        self._free.setdefault(buffer.order, []).append(buffer)


_VECTORED = {AioOp.READ: AioOp.READ_VECTOR, AioOp.WRITE: AioOp.WRITE_VECTOR}


class Request:
    """One transfer between a file and memory; `cookie` comes back with its end.

    With `segments`, (address, length) pairs, it goes from or to those in turn, and `address` does
    not count.
    """

    __slots__ = ("address", "cookie", "fd", "offset_bytes", "op", "segments", "size_bytes")

    def __init__(
        self,
        cookie: object,
        fd: int,
        op: AioOp,
        address: int,
        size_bytes: int,
        offset_bytes: int,
        segments: list[tuple[int, int]] | None = None,
    ) -> None:
        self.cookie = cookie
        self.fd = fd
        self.op = op
        self.address = address
        self.size_bytes = size_bytes
        self.offset_bytes = offset_bytes
        self.segments = segments


class AioContext:
    """One kernel context with room for `depth` requests; more wait in a backlog, in order.

    `event_fd` becomes readable with every completion. Meant for edge-triggered polling: the
    counter is never read.
    """

    def __init__(self, depth: int) -> None:
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        numbers = _SYSCALL[os.uname().machine]
        self._destroy, self._submit, self._get = (ctypes.c_long(each) for each in numbers[1:])
        context = ctypes.c_ulong(0)
        if self._syscall(ctypes.c_long(numbers[0]), ctypes.c_long(depth), ctypes.byref(context)):
            raise OSError(ctypes.get_errno(), f"io_setup of {depth} requests failed")
        self._context = context
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._iocbs = ctypes.create_string_buffer(_IOCB.size * depth)
        self._iocbs_view = memoryview(self._iocbs).cast("B")
        base = ctypes.addressof(self._iocbs)
        self._pointers = [base + _IOCB.size * slot for slot in range(depth)]
        self._batch = (ctypes.c_uint64 * depth)()
        self._free = list(range(depth))
        self._cookies: list[object] = [None] * depth
        self._backlog: deque[Request] = deque()
        self._refused: list[tuple[object, int]] = []
        self._vectors: list[object] = []  # of the batch; the kernel reads them while it submits
        self._events = ctypes.create_string_buffer(_EVENT.size * depth)
        self._ring = _map_ring(context.value)

    def close(self) -> None:
        """Wait for what is under way and give the context back."""
        self._syscall(self._destroy, self._context)
        os.close(self.event_fd)

    def submit(self, requests: list[Request]) -> None:
        """Start requests. A request that the kernel refuses ends with its errno, like others."""
        self._backlog.extend(requests)
        self._push()

    def reap(self) -> Iterator[tuple[object, int]]:
        """Yield (cookie, result) of requests that ended: bytes moved, or minus an errno."""
        refused, self._refused = self._refused, []
        yield from refused
        for data, _, result, _ in self._completions():
            cookie, self._cookies[data] = self._cookies[data], None
            self._free.append(data)
            yield cookie, result
        if self._backlog:
            self._push()

    def _push(self) -> None:
        while self._backlog and self._free:
            slots = self._prepare()
            done = self._syscall(
                self._submit, self._context, ctypes.c_long(len(slots)), self._batch
            )
            error = ctypes.get_errno() if done < 0 else 0
            self._vectors.clear()
            accepted = max(done, 0)
            if accepted == len(slots):
                continue
            self._take_back(slots[accepted:], error)
            if error in (0, errno.EAGAIN):
                return  # full for now: more room comes with the next completion

    def _prepare(self) -> list[tuple[int, Request]]:
        slots: list[tuple[int, Request]] = []
        while self._backlog and self._free:
            request, slot = self._backlog.popleft(), self._free.pop()
            op, address, count = request.op, request.address, request.size_bytes
            if request.segments is not None:
                op, address, count = self._vector(request.op, request.segments)
            _IOCB.pack_into(
                self._iocbs_view,
                slot * _IOCB.size,
                *(slot, 0, 0, op, 0, request.fd, address, count),
                *(request.offset_bytes, 0, _FLAG_EVENTFD, self.event_fd),
            )
            self._cookies[slot] = request.cookie
            self._batch[len(slots)] = self._pointers[slot]
            slots.append((slot, request))
        return slots

    def _vector(self, op: AioOp, segments: list[tuple[int, int]]) -> tuple[AioOp, int, int]:
        """Return operation, address and count for segments, as an array of struct iovec."""
        if len(segments) == 1:
            return op, *segments[0]
        flat = [number for segment in segments for number in segment]
        vector = (ctypes.c_uint64 * len(flat))(*flat)
        self._vectors.append(vector)
        return _VECTORED[op], ctypes.addressof(vector), len(segments)

    def _take_back(self, slots: list[tuple[int, Request]], error: int) -> None:
        for slot, _ in slots:
            self._cookies[slot] = None
            self._free.append(slot)
        rest = [request for _, request in slots]
        if error not in (0, errno.EAGAIN):
            self._refused.append((rest.pop(0).cookie, -error))
            os.eventfd_write(self.event_fd, 1)
        self._backlog.extendleft(reversed(rest))

    def _completions(self) -> Iterator[tuple[int, int, int, int]]:
        if self._ring is not None:
            yield from self._ring.completions()
            return
        count = len(self._cookies)
        got = self._syscall(
            self._get, self._context, ctypes.c_long(0), ctypes.c_long(count), self._events, None
        )
        for index in range(max(got, 0)):
            yield _EVENT.unpack_from(self._events, index * _EVENT.size)


class _CompletionRing:
    """The completion ring that the kernel maps into the process: reaping costs no system call.

    struct aio_ring of fs/aio.c; user space may advance `head`, the kernel reads it
    (user_refill_reqs_available). fio and libaio do the same.
    """

    def __init__(self, address: int, slots: int) -> None:
        size = _HEADER.size + slots * _EVENT.size
        self._memory = memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")
        self._words = self._memory[: _HEADER.size].cast("I")
        self._slots = slots

    def completions(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield the events between head and tail, and free them."""
        words = self._words
        head, tail = words[2], words[3]
        while head != tail:
            event = _EVENT.unpack_from(self._memory, _HEADER.size + head * _EVENT.size)
            head = (head + 1) % self._slots
            words[2] = head
            yield event


def _map_ring(address: int) -> _CompletionRing | None:
    header = _HEADER.unpack(ctypes.string_at(address, _HEADER.size))
    _, slots, _, _, magic, _, incompatible, header_bytes = header
    if magic != _RING_MAGIC or incompatible or header_bytes != _HEADER.size:
        return None
    return _CompletionRing(address, slots)
