"""Control commands to the legs, a thread for each leg: a hung array stops no other. Shell.

The engine's loop never waits here. A thread that is stuck in the kernel cannot be stopped; its
command is given up after a while, and so are those that come until it is back.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import Protocol

from reference_router.keys import Control, ControlOp, ControlResult
from reference_router.reserve_codec import (
    ScsiCommand,
    ScsiEnd,
    commands_of,
    error_result,
    result_of,
)
from reference_router.scsi_ioctl import TIMEOUT_MS, execute, may_abort

QUEUE_LIMIT = 8
"""Control commands under way or waiting on one leg."""

GIVE_UP_MS = TIMEOUT_MS + 1000
"""After this the kernel is taken to be stuck with a command: its time-out has not ended it."""

_ATTENTIONS_MAX = 4  # an array keeps one unit attention of each kind, and tells one a command

Execute = Callable[[int, ScsiCommand], ScsiEnd]


class Leg(Protocol):
    """What is needed of a leg's device."""

    @property
    def fd(self) -> int:
        """The open block device, or -1."""


class _Job:
    """A control command with its own descriptor of the device, -1 when that was closed."""

    __slots__ = ("control", "fd", "since_ns")

    def __init__(self, control: Control, fd: int, since_ns: int) -> None:
        self.control = control
        self.fd = fd
        self.since_ns = since_ns


class _Worker:
    """The thread of one leg. `jobs` are those whose end was not told yet, in order; one
    that was given up is not among them, and its end will not be told."""

    def __init__(self, name: str, run: Callable[["_Worker"], None]) -> None:
        self.queue: SimpleQueue[_Job] = SimpleQueue()
        self.jobs: deque[_Job] = deque()
        self.given_up: _Job | None = None
        threading.Thread(target=run, args=(self,), name=name, daemon=True).start()


class Controls:
    """Executes control commands. `legs` is by unit and leg; `clock` is in ns.

    `event_fd` becomes readable with every end. Meant for edge-triggered polling: the counter is
    never read.
    """

    def __init__(
        self,
        legs: Mapping[tuple[str, int], Leg],
        *,
        execute: Execute = execute,
        may_abort: Callable[[int], bool] = may_abort,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._legs = legs
        self._execute = execute
        self._may_abort = may_abort
        self._clock = clock
        self._workers: dict[tuple[str, int], _Worker] = {}
        self._done: deque[tuple[_Worker, _Job, ControlResult]] = deque()  # from the threads
        self._refused: list[tuple[Control, ControlResult]] = []

    def submit(self, controls: list[Control]) -> None:
        """Start control commands. Those of one leg are executed in order."""
        for control in controls:
            why = self._start(control)
            if why:
                self._refused.append((control, error_result(why)))
                os.eventfd_write(self.event_fd, 1)

    def ended(self) -> Iterator[tuple[Control, ControlResult]]:
        """Yield what has ended, every control command once.

        To be called now and then without an event too: that is when stuck ones are given up.
        """
        refused, self._refused = self._refused, []
        yield from refused
        while self._done:
            worker, job, result = self._done.popleft()
            if job is worker.given_up:
                worker.given_up = None
            else:
                worker.jobs.remove(job)
                yield job.control, result
            if worker.jobs:
                worker.jobs[0].since_ns = self._clock()
        for worker in self._workers.values():
            yield from self._give_up(worker)

    def _start(self, control: Control) -> str:
        """Give a control command to its leg's thread; return why not, or ""."""
        place = (control.unit, control.leg)
        fd = self._legs[place].fd
        if fd < 0:
            return "no device"
        worker = self._workers.get(place)
        if worker is None:
            name = f"control {control.unit}/{control.leg}"
            worker = self._workers[place] = _Worker(name, self._run)
        if worker.given_up is not None or len(worker.jobs) >= QUEUE_LIMIT:
            return "still busy"
        try:
            # Of its own, for the device may be closed meanwhile and the number be another file's.
            job = _Job(control, os.dup(fd), self._clock())
        except OSError as error:
            return str(error)
        worker.jobs.append(job)
        worker.queue.put(job)
        return ""

    def _give_up(self, worker: _Worker) -> Iterator[tuple[Control, ControlResult]]:
        """Give up what the thread is stuck with, and take back what waits behind it."""
        if not worker.jobs or self._clock() - worker.jobs[0].since_ns < GIVE_UP_MS * 1_000_000:
            return
        stuck = worker.given_up = worker.jobs.popleft()
        for job in _take_all(worker.queue):
            os.close(job.fd)
            worker.jobs.remove(job)
            yield job.control, error_result("still busy")
        why = f"no answer within {GIVE_UP_MS} ms; it may take effect yet"
        yield stuck.control, error_result(why)

    # In the threads

    def _run(self, worker: _Worker) -> None:
        while True:
            job = worker.queue.get()
            try:
                result = self._carry_out(job)
            except OSError as error:
                result = error_result(str(error))
            finally:
                os.close(job.fd)
            self._done.append((worker, job, result))
            os.eventfd_write(self.event_fd, 1)

    def _carry_out(self, job: _Job) -> ControlResult:
        control = job.control
        aborts = control.op is ControlOp.PREEMPT_AND_ABORT and self._may_abort(job.fd)
        ends: list[ScsiEnd] = []
        for command in commands_of(control, aborts=aborts):
            end = self._execute(job.fd, command)
            for _ in range(_ATTENTIONS_MAX):
                if not end.unit_attention:
                    break
                end = self._execute(job.fd, command)
            ends.append(end)
            if end.failure or end.status:
                break
        return result_of(control, ends)


def _take_all(queue: SimpleQueue[_Job]) -> list[_Job]:
    """Take back what the thread has not taken: each job is had by one of the two."""
    taken: list[_Job] = []
    try:
        while True:
            taken.append(queue.get_nowait())
    except Empty:
        return taken
