"""An open-loop probe: I/O number k is due at start + k * interval, whatever became of the others.

One thread sends, another reaps. Where sending itself blocks, because the device's queue is full
of stalled I/O, the I/Os behind stay due: they are sent as soon as they can be, and their latency
counts from when they were due. So a stall cannot hide by stopping the clock.
"""

import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from certify.aio import AioError, AioQueue, Ended
from certify.deadline import Clock, Deadline
from certify.ledger import BLOCK_BYTES, SECTORS_PER_BLOCK
from certify.workload import NO_TAG, Request, Workload
from reports.record import IoOutcome, IoRecord

Emit = Callable[[IoRecord], None]
Overslept = Callable[[str, int, int], None]
"""Takes a probe's name, when it was to wake up and when it did, in ns."""
OVERSLEPT_INTERVALS = 3
"""Later by so many intervals than it was due, a wake-up is news; less is ordinary scheduling."""
REAP_S = 0.1
"""How long a reaper waits at a time; it only bounds how fast a probe can be stopped."""
NO_WORK_S = 0.001
DRAIN_S = 0.005
JOIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How a probe is doing right now."""

    ended: int
    errors: int
    last_ms: float
    worst_ms: float
    waiting_ms: float  # age of the oldest I/O that was due and has not ended; 0 if none


@dataclass(slots=True)
class _Counts:
    ended: int = 0
    errors: int = 0
    last_ms: float = 0.0
    worst_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """An I/O on its way."""

    k: int
    due_ns: int
    sent_ns: int
    request: Request


@dataclass(slots=True, kw_only=True)
class OpenLoopProbe:
    """Sends one block every *interval_ns* to an open block device and records every one.

    `start`, `stop`, `drain`; not to be started again. *slots* bounds what is outstanding; beyond it
    the I/Os wait for a slot, still counting from when they were due. `overslept` hears when the
    sender was late by itself: what that delays is not the system's.
    """

    name: str
    descriptor: int
    interval_ns: int
    workload: Workload
    emit: Emit
    slots: int = 1024
    overslept: Overslept | None = None
    clock: Clock = time.monotonic_ns
    sleep: Callable[[float], None] = time.sleep
    failure: str = field(init=False, default="")
    _queue: AioQueue = field(init=False)
    _free: list[int] = field(init=False, default_factory=list)
    _pending: dict[int, _Sent] = field(init=False, default_factory=dict)
    _counts: _Counts = field(init=False, default_factory=_Counts)
    _stopping: threading.Event = field(init=False, default_factory=threading.Event)
    _finished: threading.Event = field(init=False, default_factory=threading.Event)
    _start_ns: int = field(init=False, default=0)
    _stop_ns: int = field(init=False, default=0)
    _next_k: int = field(init=False, default=0)
    _threads: list[threading.Thread] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._queue = AioQueue(self.descriptor, depth=self.slots, block_bytes=BLOCK_BYTES)
        # Last in, first out: memory that was never touched costs a page fault.
        self._free = list(range(self.slots))

    def start(self) -> None:
        """Begin now; returns at once."""
        self._start_ns = self.clock()
        self._threads = [
            threading.Thread(target=self._guard, args=(loop,), name=name, daemon=True)
            for loop, name in (
                (self._send_all, f"{self.name} sends"),
                (self._reap_all, f"{self.name} reaps"),
            )
        ]
        for thread in self._threads:
            thread.start()

    def pulse(self) -> Pulse:
        """Return how the probe is doing; cheap, from any thread."""
        now = self.clock()
        dues = [sent.due_ns for sent in list(self._pending.values())]
        if not self._stopping.is_set():
            dues.append(self._due_ns(self._next_k))
        return Pulse(
            ended=self._counts.ended,
            errors=self._counts.errors,
            last_ms=self._counts.last_ms,
            worst_ms=self._counts.worst_ms,
            waiting_ms=max(0.0, (now - min(dues, default=now)) / 1e6),
        )

    def stop(self) -> None:
        """Let nothing more become due; returns at once."""
        self._stop_ns = self.clock()
        self._stopping.set()

    def drain(self, deadline: Deadline) -> int:
        """After `stop`, wait until all that was due has ended, and record the rest.

        Returns how many I/Os were due and had not ended: they are recorded as NEVER or NOT_SENT.
        Their slots stay the kernel's, which may still write to them.
        """
        sender, reaper = self._threads
        sender.join(deadline.remaining_s)
        while self._pending and not deadline.passed:
            self.sleep(DRAIN_S)
        self._finished.set()
        reaper.join(REAP_S + JOIN_S)
        never = self._record_outstanding() + self._record_unsent()
        if not never and not sender.is_alive() and not reaper.is_alive():
            self._queue.close()
        return never

    def _guard(self, loop: Callable[[], None]) -> None:
        """Keep what ended a thread: a probe that died must not look like a quiet one."""
        try:
            loop()
        except Exception as error:
            self.failure = f"{self.name}: {error!r}"
            raise

    def _due_ns(self, k: int) -> int:
        return self._start_ns + k * self.interval_ns

    def _send_all(self) -> None:
        while not self._finished.is_set():
            due_ns = self._due_ns(self._next_k)
            if self._stopping.is_set() and due_ns >= self._stop_ns:
                return
            wait_ns = due_ns - self.clock()
            if wait_ns > 0:
                self.sleep(wait_ns / 1e9)
                self._see_wake_up(due_ns)
            elif not self._send_one():
                self.sleep(NO_WORK_S)

    def _see_wake_up(self, due_ns: int) -> None:
        """Tell when this thread, which waited for nothing but the clock, was not let run."""
        if self.overslept is None:
            return
        now = self.clock()
        if now - due_ns >= OVERSLEPT_INTERVALS * self.interval_ns:
            self.overslept(self.name, due_ns, now)

    def _send_one(self) -> bool:
        """Send the I/O that is due; return False when it has to wait."""
        request = self.workload.next() if self._free else None
        if request is None:
            return False
        slot = self._free.pop()
        k, due_ns = self._next_k, self._due_ns(self._next_k)
        sent = _Sent(k, due_ns, self.clock(), request)
        self._pending[slot] = sent
        self._next_k = k + 1
        try:
            if request.data is None:
                self._queue.read(slot, request.offset_bytes)
            else:
                self._queue.write(slot, request.offset_bytes, request.data)
        except AioError as error:
            self._end(Ended(slot, -(error.errno or errno.EIO)), self.clock())
        return True

    def _reap_all(self) -> None:
        while not self._finished.is_set():
            ended = self._queue.reap(timeout_s=REAP_S)
            now = self.clock()
            for one in ended:
                self._end(one, now)

    def _end(self, one: Ended, done_ns: int) -> None:
        sent = self._pending.pop(one.slot, None)
        if sent is None:
            return  # recorded as NEVER meanwhile
        good = one.result == BLOCK_BYTES
        data = self._queue.data(one.slot) if good and sent.request.data is None else b""
        tag, sectors = self.workload.ended(sent.request, good=good, data=data)
        self._free.append(one.slot)
        latency_ms = (done_ns - sent.due_ns) / 1e6
        counts = self._counts
        counts.ended += 1
        counts.errors += not good
        counts.last_ms = latency_ms
        counts.worst_ms = max(counts.worst_ms, latency_ms)
        code = 0 if good else -one.result if one.result < 0 else errno.EIO
        outcome = IoOutcome.GOOD if good else IoOutcome.ERROR
        self.emit(self._record(sent, done_ns, outcome, code, tag, sectors))

    def _record(
        self, sent: _Sent, done_ns: int, outcome: IoOutcome, code: int, tag: int, sectors: str
    ) -> IoRecord:
        return IoRecord(
            probe=self.name,
            k=sent.k,
            op=sent.request.op,
            lba=sent.request.lba,
            blocks=SECTORS_PER_BLOCK,
            due_ns=sent.due_ns,
            sent_ns=sent.sent_ns,
            done_ns=done_ns,
            outcome=outcome,
            errno=code,
            status=-1,
            sense="",
            tag=tag,
            sectors=sectors,
        )

    def _record_outstanding(self) -> int:
        count = 0
        for slot in list(self._pending):
            sent = self._pending.pop(slot, None)
            if sent is not None:
                count += 1
                tag = sent.request.tag
                self.emit(self._record(sent, -1, IoOutcome.NEVER, 0, tag, ""))
        return count

    def _record_unsent(self) -> int:
        """Record what was due before the stop and could not even be sent."""
        count = 0
        while self._due_ns(self._next_k) < self._stop_ns:
            nothing = Request(op=self.workload.op, lba=-1, tag=NO_TAG)
            sent = _Sent(self._next_k, self._due_ns(self._next_k), -1, nothing)
            self.emit(self._record(sent, -1, IoOutcome.NOT_SENT, 0, NO_TAG, ""))
            self._next_k += 1
            count += 1
        return count


def open_device(path: str, *, writable: bool) -> int:
    """Open a block device past the page cache; raises OSError. Refuses one that is in use."""
    mode = os.O_RDWR | os.O_EXCL if writable else os.O_RDONLY
    return os.open(path, mode | os.O_DIRECT)
