"""TEST UNIT READY on every path, open loop: when did a path stop answering, and with what sense?

One thread for all paths, by the asynchronous interface of /dev/sgN. These are evidence of why
the application stalled; they are not the application.
"""

import errno
import heapq
import os
import select
import threading
import time
from dataclasses import dataclass, field

from certify import cdb
from certify.deadline import Clock, Deadline
from certify.probes import Emit
from certify.scsi import Completion, Status
from certify.sg import TIMEOUT_MS, SgQueue
from reports.record import IoOutcome, IoRecord

OP = "test_unit_ready"
POLL_MS_MAX = 100


@dataclass(slots=True, kw_only=True)
class _Lane:
    """One path: its queue and what is on its way."""

    name: str
    queue: SgQueue
    next_k: int = 0
    is_up: bool = True  # by its last answer
    pending: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # k -> k, due, sent


@dataclass(slots=True, kw_only=True)
class PathProbes:
    """Probes the paths *devices* (name -> /dev/sgN), each once per *interval_ns*.

    `start`, `stop`, `drain`; not to be started again. The paths take turns, so that they do not
    all ask at the same moment.
    """

    devices: dict[str, str]
    interval_ns: int
    emit: Emit
    clock: Clock = time.monotonic_ns
    failure: str = field(init=False, default="")
    _lanes: list[_Lane] = field(init=False, default_factory=list)
    _stopping: threading.Event = field(init=False, default_factory=threading.Event)
    _thread: threading.Thread | None = field(init=False, default=None)
    _start_ns: int = field(init=False, default=0)

    def start(self) -> None:
        """Open every path and begin; raises OSError when one cannot be opened."""
        for name, device in self.devices.items():
            descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
            self._lanes.append(_Lane(name=name, queue=SgQueue(descriptor, clock=self.clock)))
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
            for k, due_ns, sent_ns in lane.pending.values():
                self._record(lane, k, due_ns, sent_ns, -1, IoOutcome.NEVER)
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
        try:
            sent_ns = lane.queue.submit(k, cdb.test_unit_ready(), timeout_ms=TIMEOUT_MS)
        except BlockingIOError:
            self._record(lane, k, due_ns, -1, -1, IoOutcome.NOT_SENT)
        except OSError as error:
            now = self.clock()
            code = error.errno or errno.EIO
            self._record(lane, k, due_ns, now, now, IoOutcome.ERROR, code=code)
        else:
            lane.pending[k] = (k, due_ns, sent_ns)

    def _reap_all(self, lanes: list[_Lane], *, timeout_ms: float) -> None:
        waiting = select.poll()
        by_descriptor = {lane.queue.fileno(): lane for lane in lanes if lane.pending}
        for descriptor in by_descriptor:
            waiting.register(descriptor, select.POLLIN)
        for descriptor, _ in waiting.poll(timeout_ms):
            self._reap(by_descriptor[descriptor])

    def _reap(self, lane: _Lane) -> None:
        while lane.pending:
            ended = lane.queue.reap()
            if ended is None:
                return
            k, completion = ended
            _, due_ns, sent_ns = lane.pending.pop(k)
            self._record(
                lane,
                k,
                due_ns,
                sent_ns,
                completion.done_ns,
                outcome_of(completion),
                status=completion.status,
                sense=completion.sense_code,
            )

    def _record(
        self,
        lane: _Lane,
        k: int,
        due_ns: int,
        sent_ns: int,
        done_ns: int,
        outcome: IoOutcome,
        *,
        code: int = 0,
        status: int = -1,
        sense: str = "",
    ) -> None:
        lane.is_up = outcome is IoOutcome.GOOD
        self.emit(
            IoRecord(
                probe=f"path:{lane.name}",
                k=k,
                op=OP,
                lba=-1,
                blocks=0,
                due_ns=due_ns,
                sent_ns=sent_ns,
                done_ns=done_ns,
                outcome=outcome,
                errno=code,
                status=status,
                sense=sense,
                tag=-1,
                sectors="",
            )
        )


def outcome_of(completion: Completion) -> IoOutcome:
    """Say how a SCSI command ended, in the words of a run folder."""
    if not completion.reached_target:
        return IoOutcome.TRANSPORT
    if completion.status == Status.CHECK_CONDITION:
        return IoOutcome.CHECK_CONDITION
    return IoOutcome.GOOD if completion.status == Status.GOOD else IoOutcome.STATUS
