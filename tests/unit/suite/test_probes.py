"""An open-loop probe sends what is due, records every I/O, and counts from the due time.

Method: real asynchronous I/O on a temporary file; a device that stalls is a queue that is stalled
by hand. No time of this machine is asserted, only order and completeness.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certify.deadline import Deadline
from certify.ledger import Ledger
from certify.probes import OpenLoopProbe
from certify.tags import run_number
from certify.workload import PlainReads, TaggedReads, TaggedWrites, Workload
from reports.record import IoOutcome, IoRecord

RUN = run_number("test")
SIZE = 1 << 20


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "device"
    path.write_bytes(bytes(SIZE))
    opened = os.open(path, os.O_RDWR)
    yield opened
    os.close(opened)


def make(descriptor: int, workload: Workload, seen: list[IoRecord]) -> OpenLoopProbe:
    return OpenLoopProbe(
        name="app-write",
        descriptor=descriptor,
        interval_ns=1_000_000,
        workload=workload,
        emit=seen.append,
        slots=8,
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = Deadline.after(10.0)
    while not condition():
        assert not deadline.passed, "the probe did not get there within 10 s"
        time.sleep(0.001)


def writes(ledger: Ledger) -> TaggedWrites:
    return TaggedWrites(ledger, run=RUN, writer=1, first_seq=1)


def test_every_io_that_was_due_is_recorded_once(descriptor: int) -> None:
    seen: list[IoRecord] = []
    probe = make(descriptor, writes(Ledger(SIZE, hot=8, cold=8, seed=1)), seen)
    probe.start()
    until(lambda: probe.pulse().ended >= 20)
    probe.stop()

    never = probe.drain(Deadline.after(10.0))

    assert never == 0
    assert sorted(io.k for io in seen) == list(range(len(seen)))
    assert {io.outcome for io in seen} == {IoOutcome.GOOD}
    assert [io.tag for io in sorted(seen, key=lambda io: io.k)] == list(range(1, len(seen) + 1))


def test_ios_are_due_at_regular_times(descriptor: int) -> None:
    seen: list[IoRecord] = []
    probe = make(descriptor, PlainReads(blocks=4), seen)
    probe.start()
    until(lambda: probe.pulse().ended >= 10)
    probe.stop()
    probe.drain(Deadline.after(10.0))

    first, *rest = sorted(seen, key=lambda io: io.k)
    assert [io.due_ns - first.due_ns for io in rest] == [io.k * 1_000_000 for io in rest]


def test_what_was_written_is_read_and_recognised(descriptor: int) -> None:
    ledger = Ledger(SIZE, hot=8, cold=8, seed=1)
    written: list[IoRecord] = []
    writer = make(descriptor, writes(ledger), written)
    writer.start()
    until(lambda: writer.pulse().ended >= 8)
    writer.stop()
    writer.drain(Deadline.after(10.0))
    seen: list[IoRecord] = []
    reader = make(descriptor, TaggedReads(ledger, run=RUN, seed=1), seen)
    reader.start()
    until(lambda: reader.pulse().ended >= 8)
    reader.stop()
    reader.drain(Deadline.after(10.0))

    newest = {io.lba: io.tag for io in sorted(written, key=lambda io: io.tag)}
    assert all((io.tag, io.sectors) == (newest[io.lba], "") for io in seen)


class Stalling:
    """A workload whose requests wait until they are let go, as sending to a full queue does."""

    op = "read"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked = 0
        self._inner = PlainReads(blocks=4)

    def next(self):
        self.asked += 1
        self.gate.wait()
        return self._inner.next()

    def ended(self, request, *, good, data):
        return self._inner.ended(request, good=good, data=data)


def test_blocked_sending_does_not_shift_what_is_due(descriptor: int) -> None:
    seen: list[IoRecord] = []
    workload = Stalling()
    probe = make(descriptor, workload, seen)
    probe.start()
    until(lambda: probe.pulse().waiting_ms > 50)
    workload.gate.set()
    until(lambda: probe.pulse().waiting_ms < 10 and probe.pulse().ended > 0)
    probe.stop()
    probe.drain(Deadline.after(10.0))

    first = min(seen, key=lambda io: io.k)
    late = [io for io in seen if io.due_ns < first.sent_ns]
    assert len(late) >= 50
    assert all(io.done_ns >= first.sent_ns for io in late)
    assert probe.pulse().worst_ms > 50


def test_what_could_not_be_sent_is_recorded(descriptor: int) -> None:
    seen: list[IoRecord] = []
    workload = Stalling()
    probe = make(descriptor, workload, seen)
    probe.start()
    until(lambda: probe.pulse().waiting_ms > 5)
    probe.stop()

    never = probe.drain(Deadline.after(0.0))

    workload.gate.set()
    assert never == len(seen) >= 5
    assert {io.outcome for io in seen} == {IoOutcome.NOT_SENT}
    assert {io.done_ns for io in seen} == {-1}


def test_error_of_the_device_is_recorded_with_its_number(tmp_path: Path) -> None:
    read_only = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    seen: list[IoRecord] = []
    probe = make(read_only, PlainReads(blocks=1), seen)
    probe.start()
    until(lambda: probe.pulse().errors > 0)
    probe.stop()
    probe.drain(Deadline.after(10.0))
    os.close(read_only)

    assert {io.outcome for io in seen} == {IoOutcome.ERROR}
    assert all(io.errno > 0 for io in seen)


def test_a_sender_that_was_not_let_run_says_so(descriptor: int) -> None:
    """It slept until I/O 1 was due and woke up 50 ms later: that is no stall of the system."""
    told: list[tuple[str, int, int]] = []
    now = 0
    probe = make(descriptor, writes(Ledger(SIZE, hot=8, cold=8, seed=1)), [])
    probe.overslept = lambda name, due_ns, woke_ns: told.append((name, due_ns, woke_ns))
    probe.clock = lambda: now

    def sleep(seconds: float) -> None:
        nonlocal now
        now += int(seconds * 1e9) + (50_000_000 if now == 0 else 0)
        if now > 60_000_000:
            probe._finished.set()

    probe.sleep = sleep
    probe._send_all()

    assert told == [("app-write", 1_000_000, 51_000_000)]
