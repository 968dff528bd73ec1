"""A second host on the same logical unit, without multipath: its own small path selector.

One operation is one write or read with all its retries over the paths of that host, as an
application sees it. Writes begin on the last path, reads on the first, so that what one engine
wrote the other one reads. An answer that is no success sends the operation to the next path; a
unit attention is asked again (SAM-5 5.14). It goes on until it succeeds or the scenario ends.
"""

import errno
import os
import select
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from certify import cdb
from certify.deadline import Clock, Deadline
from certify.history import OTHER_HOST
from certify.ledger import BLOCK_BYTES, SECTORS_PER_BLOCK
from certify.probes import Emit
from certify.scsi import Completion, SenseKey
from certify.sg import TIMEOUT_MS, SgQueue
from certify.sg_node import GONE, Find, node_of, open_queue, reopened
from certify.tags import SECTOR_BYTES
from certify.workload import NO_TAG, Request, Workload
from reports.record import IoOutcome, IoRecord

OPERATIONS_MAX = 512
"""Under way or waiting for a path; beyond it what is due waits, still counting from then."""
RETRY_NS = 50_000_000
"""So long a path that failed is left alone; else hundreds of operations would ask it in turn."""
POLL_MS_MAX = 20
GONE_S = 0.002
JOIN_S = 1.0


@dataclass(slots=True, kw_only=True)
class _Operation:
    """One write or read on its way to success."""

    probe: str
    k: int
    due_ns: int
    request: Request
    workload: Workload
    lane: int
    sent_ns: int = -1  # of the first attempt


@dataclass(slots=True, kw_only=True)
class _Stream:
    """What is due: operation k at start + k * interval."""

    probe: str
    workload: Workload
    lane: int  # where an operation begins
    next_k: int = 0


@dataclass(slots=True, kw_only=True)
class OtherHost:
    """Writes and reads by host *name* through *devices* (/dev/sgN), one of each per *interval_ns*.

    `start`, `stop`, `drain`; not to be started again. *block_bytes* is the logical unit's own.
    """

    name: str
    devices: list[str]
    interval_ns: int
    writes: Workload
    reads: Workload
    emit: Emit
    hctls: list[str] = field(default_factory=list)  # where to look for each path again
    find: Find = node_of
    block_bytes: int = SECTOR_BYTES
    clock: Clock = time.monotonic_ns
    failure: str = field(init=False, default="")
    _lanes: list[SgQueue] = field(init=False, default_factory=list)
    _streams: list[_Stream] = field(init=False, default_factory=list)
    _left_alone: dict[int, int] = field(init=False, default_factory=dict)  # path -> until, ns
    _waiting: deque[_Operation] = field(init=False, default_factory=deque)
    _sent: dict[int, _Operation] = field(init=False, default_factory=dict)  # by attempt
    _next_attempt: int = field(init=False, default=0)
    _start_ns: int = field(init=False, default=0)
    _stop_ns: int | None = field(init=False, default=None)
    _finished: threading.Event = field(init=False, default_factory=threading.Event)
    _thread: threading.Thread | None = field(init=False, default=None)

    def start(self) -> None:
        """Open every path and begin; raises OSError when one cannot be opened."""
        self._lanes = [open_queue(device, self.clock) for device in self.devices]
        probe, last = f"{OTHER_HOST}{self.name}", len(self._lanes) - 1
        self._streams = [
            _Stream(probe=f"{probe}-write", workload=self.writes, lane=last),
            _Stream(probe=f"{probe}-read", workload=self.reads, lane=0),
        ]
        self._start_ns = self.clock()
        self._thread = threading.Thread(target=self._guard, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let nothing more become due; returns at once."""
        self._stop_ns = self.clock()

    def drain(self, deadline: Deadline) -> int:
        """After `stop`, wait for what is under way; record the rest as NEVER, return how many."""
        if self._thread is None:
            return 0
        while (self._open or self._is_behind()) and not deadline.passed and self._thread.is_alive():
            time.sleep(POLL_MS_MAX / 1e3)
        self._finished.set()
        self._thread.join(JOIN_S)
        left = self._open
        for one in left:
            self._record(one, -1, IoOutcome.NEVER, one.request.tag, "")
        unsent = self._record_unsent()
        if not left and not self._thread.is_alive():
            for lane in self._lanes:
                os.close(lane.fileno())
        return len(left) + unsent

    def _is_behind(self) -> bool:
        """Say whether something was due before the stop that is no operation yet."""
        stop_ns = self._stop_ns or 0
        return any(self._due_ns(stream) < stop_ns for stream in self._streams)

    @property
    def _open(self) -> list[_Operation]:
        return [*list(self._sent.values()), *list(self._waiting)]

    def _guard(self) -> None:
        """Keep what ended the thread: a host that died must not look like a quiet one."""
        try:
            while not self._finished.is_set():
                self._take_due()
                self._send_waiting()
                self._reap_all()
        except Exception as error:
            self.failure = f"{self.name}: {error!r}"
            raise

    def _due_ns(self, stream: _Stream) -> int:
        return self._start_ns + stream.next_k * self.interval_ns

    def _take_due(self) -> None:
        """Make an operation of all that has become due, as far as there is room."""
        now = self.clock()
        for stream in self._streams:
            while (due_ns := self._due_ns(stream)) <= now:
                stopped = self._stop_ns is not None and due_ns >= self._stop_ns
                if stopped or len(self._sent) + len(self._waiting) >= OPERATIONS_MAX:
                    break
                request = stream.workload.next()
                if request is None:
                    break
                one = _Operation(
                    probe=stream.probe,
                    k=stream.next_k,
                    due_ns=due_ns,
                    request=request,
                    workload=stream.workload,
                    lane=stream.lane,
                )
                stream.next_k += 1
                self._waiting.append(one)

    def _send_waiting(self) -> None:
        for _ in range(len(self._waiting)):
            if self._usable(0) is None:
                return
            one = self._waiting.popleft()
            if not self._send(one):
                self._waiting.append(one)

    def _usable(self, first: int) -> int | None:
        """Return the first path from *first* on that did not just fail, None if all did."""
        now, count = self.clock(), len(self._lanes)
        order = ((first + step) % count for step in range(count))
        return next((one for one in order if self._left_alone.get(one, 0) <= now), None)

    def _send(self, one: _Operation) -> bool:
        """Send an operation by its path; return False when it has to wait."""
        path = self._usable(one.lane)
        if path is None:
            return False
        one.lane = path
        request, attempt = one.request, self._next_attempt
        first = request.offset_bytes // self.block_bytes
        count = BLOCK_BYTES // self.block_bytes
        lane = self._lanes[one.lane]
        before_ns = self.clock()
        try:
            if request.data is None:
                command = cdb.read(first, count, width=16)
                lane.submit(attempt, command, data_in_length=BLOCK_BYTES, timeout_ms=TIMEOUT_MS)
            else:
                command = cdb.write(first, count, width=16)
                lane.submit(attempt, command, data_out=request.data, timeout_ms=TIMEOUT_MS)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == GONE:
                self._reopen(one.lane)
            self._next_path(one)
            return False
        self._next_attempt += 1
        self._sent[attempt] = one
        one.sent_ns = before_ns if one.sent_ns < 0 else one.sent_ns
        return True

    def _reopen(self, number: int) -> None:
        """Look for a path that was removed: it may be back, by another node.

        What was under way by it is tried again, as after any other failure.
        """
        lane = self._lanes[number]
        fresh = None
        if self.hctls:
            fresh = reopened(lane, self.hctls[number], self.find, self.clock)
        if fresh is None:
            return
        self._lanes[number] = fresh
        for attempt, one in list(self._sent.items()):
            if one.lane == number:
                del self._sent[attempt]
                self._next_path(one)
                self._waiting.append(one)

    def _next_path(self, one: _Operation) -> None:
        self._left_alone[one.lane] = self.clock() + RETRY_NS
        one.lane = (one.lane + 1) % len(self._lanes)

    def _reap_all(self) -> None:
        poll = select.poll()
        lanes = {lane.fileno(): lane for lane in self._lanes}
        for descriptor, lane in lanes.items():
            if len(lane):
                poll.register(descriptor, select.POLLIN)
        for descriptor, event in poll.poll(self._patience_ms()):
            if not event & select.POLLIN:
                time.sleep(GONE_S)  # a removed device is always ready, with nothing to read
                continue
            while (ended := lanes[descriptor].reap()) is not None:
                self._end(self._sent.pop(ended[0]), ended[1])

    def _patience_ms(self) -> float:
        if self._waiting and self._usable(0) is not None:
            return 1.0
        next_ns = min(self._due_ns(stream) for stream in self._streams)
        return min(POLL_MS_MAX, max(1.0, (next_ns - self.clock()) / 1e6))

    def _end(self, one: _Operation, completion: Completion) -> None:
        good = completion.is_good and (
            one.request.data is not None or len(completion.data) == BLOCK_BYTES
        )
        if good:
            tag, sectors = one.workload.ended(one.request, good=True, data=completion.data)
            self._record(one, completion.done_ns, IoOutcome.GOOD, tag, sectors)
            return
        sense = completion.sense
        if sense is None or sense.key != SenseKey.UNIT_ATTENTION:
            self._next_path(one)
        self._waiting.append(one)

    def _record_unsent(self) -> int:
        """Record what was due before the stop and for which there was no room."""
        count = 0
        for stream in self._streams:
            while self._stop_ns is not None and self._due_ns(stream) < self._stop_ns:
                nothing = Request(op=stream.workload.op, lba=-1)
                one = _Operation(
                    probe=stream.probe,
                    k=stream.next_k,
                    due_ns=self._due_ns(stream),
                    request=nothing,
                    workload=stream.workload,
                    lane=0,
                )
                self._record(one, -1, IoOutcome.NOT_SENT, NO_TAG, "")
                stream.next_k += 1
                count += 1
        return count

    def _record(
        self, one: _Operation, done_ns: int, outcome: IoOutcome, tag: int, sectors: str
    ) -> None:
        sent = one.sent_ns >= 0
        self.emit(
            IoRecord(
                probe=one.probe,
                k=one.k,
                op=one.request.op,
                lba=one.request.lba,
                blocks=SECTORS_PER_BLOCK,
                due_ns=one.due_ns,
                sent_ns=one.sent_ns,
                done_ns=done_ns,
                outcome=outcome if sent else IoOutcome.NOT_SENT,
                errno=0 if outcome is IoOutcome.GOOD else errno.ETIMEDOUT,
                status=-1,
                sense="",
                tag=tag if sent else NO_TAG,
                sectors=sectors,
            )
        )
