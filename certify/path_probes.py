"""Every path by itself, open loop: when did it stop answering, with what sense, and what data?

One thread for all paths, by the asynchronous interface of /dev/sgN. TEST UNIT READY and reads of
blocks of the load take turns. A good read is an operation like one of the application, for it may
come from another engine than the one that wrote; anything else is evidence of why the application
stalled.
"""

import errno
import heapq
import os
import select
import threading
import time
from dataclasses import dataclass, field, replace

from certify import cdb
from certify.deadline import Clock, Deadline
from certify.history import CROSS, PATH
from certify.ledger import BLOCK_BYTES, SECTORS_PER_BLOCK
from certify.probes import Emit
from certify.scsi import Completion, Status
from certify.sg import TIMEOUT_MS, SgQueue
from certify.sg_node import GONE, Find, node_of, open_queue, reopened
from certify.tags import SECTOR_BYTES
from certify.workload import NO_TAG, Request, TaggedReads
from reports.record import IoOutcome, IoRecord

OP = "test_unit_ready"
POLL_MS_MAX = 100
GONE_S = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A command on its way; `request` of a read, None of TEST UNIT READY."""

    k: int
    due_ns: int
    sent_ns: int
    request: Request | None


@dataclass(slots=True, kw_only=True)
class _Lane:
    """One path: its queue and what is on its way."""

    name: str
    queue: SgQueue
    next_k: int = 0
    is_up: bool = True  # by its last answer
    pending: dict[int, _Sent] = field(default_factory=dict)  # by k


@dataclass(slots=True, kw_only=True)
class PathProbes:
    """Probes the paths *devices* (name -> /dev/sgN), each once per *interval_ns*.

    `start`, `stop`, `drain`; not to be started again. The paths take turns, so that they do not
    all ask at the same moment. With *reads*, every other command of a path is a read of a block
    that these name; *block_bytes* is the logical unit's own block size.
    """

    devices: dict[str, str]
    interval_ns: int
    emit: Emit
    hctls: dict[str, str] = field(default_factory=dict)  # name -> where to look for it again
    find: Find = node_of
    reads: TaggedReads | None = None
    block_bytes: int = SECTOR_BYTES
    clock: Clock = time.monotonic_ns
    failure: str = field(init=False, default="")
    _lanes: list[_Lane] = field(init=False, default_factory=list)
    _stopping: threading.Event = field(init=False, default_factory=threading.Event)
    _thread: threading.Thread | None = field(init=False, default=None)
    _start_ns: int = field(init=False, default=0)

    def start(self) -> None:
        """Open every path and begin; raises OSError when one cannot be opened."""
        for name, device in self.devices.items():
            self._lanes.append(_Lane(name=name, queue=open_queue(device, self.clock)))
        self._start_ns = self.clock()
        self._thread = threading.Thread(target=self._guard, name="path probes", daemon=True)
        self._thread.start()

    def paths_up(self) -> tuple[int, int]:
        """Return how many paths gave GOOD as their last answer, and how many there are."""
        return sum(lane.is_up for lane in self._lanes), len(self._lanes)

    def stop(self) -> None:
        """Send no more; returns at once."""
        self._stopping.set()

    def drain(self, deadline: Deadline) -> int:
        """After `stop`, wait for what is outstanding; record the rest as NEVER, return how many."""
        if self._thread is None:
            return 0
        self._thread.join(deadline.remaining_s)
        while any(lane.pending for lane in self._lanes) and not deadline.passed:
            self._reap_all(self._lanes, timeout_ms=10)
        never = 0
        for lane in self._lanes:
            for sent in lane.pending.values():
                self._record(lane, sent, -1, IoOutcome.NEVER)
                never += 1
            if not lane.pending:
                os.close(lane.queue.fileno())
        return never

    def _guard(self) -> None:
        """Keep what ended the thread: a probe that died must not look like a quiet one."""
        try:
            self._run()
        except Exception as error:
            self.failure = f"path probes: {error!r}"
            raise

    def _run(self) -> None:
        share = self.interval_ns // max(1, len(self._lanes))
        first = [self._start_ns + index * share for index in range(len(self._lanes))]
        dues = [(due_ns, index) for index, due_ns in enumerate(first)]
        heapq.heapify(dues)
        while not self._stopping.is_set() and dues:
            due_ns, index = dues[0]
            wait_ms = (due_ns - self.clock()) / 1e6
            if wait_ms > 0:
                self._reap_all(self._lanes, timeout_ms=min(wait_ms, POLL_MS_MAX))
                continue
            self._send(self._lanes[index], due_ns)
            heapq.heapreplace(dues, (due_ns + self.interval_ns, index))

    def _send(self, lane: _Lane, due_ns: int) -> None:
        k = lane.next_k
        lane.next_k += 1
        request = self.reads.next() if self.reads is not None and k % 2 else None
        sent = _Sent(k=k, due_ns=due_ns, sent_ns=self.clock(), request=request)
        try:
            if request is None:
                lane.queue.submit(k, cdb.test_unit_ready(), timeout_ms=TIMEOUT_MS)
            else:
                lane.queue.submit(
                    k, self._read(request), data_in_length=BLOCK_BYTES, timeout_ms=TIMEOUT_MS
                )
        except BlockingIOError:
            self._record(lane, replace(sent, sent_ns=-1), -1, IoOutcome.NOT_SENT)
        except OSError as error:
            code = error.errno or errno.EIO
            self._record(lane, sent, self.clock(), IoOutcome.ERROR, code=code)
            if code == GONE:
                self._reopen(lane)
        else:
            lane.pending[k] = sent

    def _reopen(self, lane: _Lane) -> None:
        """Look for a path that was removed: it may be back, by another node."""
        hctl = self.hctls.get(lane.name)
        fresh = reopened(lane.queue, hctl, self.find, self.clock) if hctl else None
        if fresh is None:
            return
        for sent in lane.pending.values():
            self._record(lane, sent, self.clock(), IoOutcome.ERROR, code=GONE)
        lane.pending.clear()
        lane.queue = fresh

    def _read(self, request: Request) -> bytes:
        first, count = request.offset_bytes // self.block_bytes, BLOCK_BYTES // self.block_bytes
        return cdb.read(first, count, width=16)

    def _reap_all(self, lanes: list[_Lane], *, timeout_ms: float) -> None:
        waiting = select.poll()
        by_descriptor = {lane.queue.fileno(): lane for lane in lanes if lane.pending}
        for descriptor in by_descriptor:
            waiting.register(descriptor, select.POLLIN)
        for descriptor, event in waiting.poll(timeout_ms):
            if event & select.POLLIN:
                self._reap(by_descriptor[descriptor])
            else:
                time.sleep(GONE_S)  # a removed device is always ready, with nothing to read

    def _reap(self, lane: _Lane) -> None:
        while lane.pending:
            ended = lane.queue.reap()
            if ended is None:
                return
            k, completion = ended
            self._end(lane, lane.pending.pop(k), completion)

    def _end(self, lane: _Lane, sent: _Sent, completion: Completion) -> None:
        outcome, tag, sectors = outcome_of(completion), NO_TAG, ""
        if sent.request is not None and self.reads is not None and outcome is IoOutcome.GOOD:
            if len(completion.data) == BLOCK_BYTES:
                tag, sectors = self.reads.ended(sent.request, good=True, data=completion.data)
            else:
                outcome = IoOutcome.ERROR
        self._record(
            lane,
            sent,
            completion.done_ns,
            outcome,
            code=errno.EIO if outcome is IoOutcome.ERROR else 0,
            status=completion.status,
            sense=completion.sense_code,
            tag=tag,
            sectors=sectors,
        )

    def _record(
        self,
        lane: _Lane,
        sent: _Sent,
        done_ns: int,
        outcome: IoOutcome,
        *,
        code: int = 0,
        status: int = -1,
        sense: str = "",
        tag: int = NO_TAG,
        sectors: str = "",
    ) -> None:
        lane.is_up = outcome is IoOutcome.GOOD
        request = sent.request
        self.emit(
            IoRecord(
                probe=f"{CROSS if request else PATH}{lane.name}",
                k=sent.k,
                op=request.op if request else OP,
                lba=request.lba if request else -1,
                blocks=SECTORS_PER_BLOCK if request else 0,
                due_ns=sent.due_ns,
                sent_ns=sent.sent_ns,
                done_ns=done_ns,
                outcome=outcome,
                errno=code,
                status=status,
                sense=sense,
                tag=tag,
                sectors=sectors,
            )
        )


def outcome_of(completion: Completion) -> IoOutcome:
    """Say how a SCSI command ended, in the words of a run folder."""
    if not completion.reached_target:
        return IoOutcome.TRANSPORT
    if completion.status == Status.CHECK_CONDITION:
        return IoOutcome.CHECK_CONDITION
    return IoOutcome.GOOD if completion.status == Status.GOOD else IoOutcome.STATUS
