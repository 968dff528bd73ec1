"""Every path is asked in turn, and what it answers is recorded in the words of a run folder.

Method: a queue of answers in place of /dev/sgN; a pipe makes it ready to be polled.
"""

import errno
import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from certify.deadline import Deadline
from certify.path_probes import PathProbes, outcome_of
from certify.scsi import Completion, HostStatus, Status, decode_sense
from certify.tags import Tag, encode, run_number
from certify.workload import TaggedReads
from reports.record import IoOutcome, IoRecord

RUN = run_number("test")

NOT_READY = bytes([0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 4, 0x0C, 0, 0, 0, 0])


def completion(status: int = Status.GOOD, host_status: int = 0, sense: bytes = b"") -> Completion:
    return Completion(
        cdb=bytes(6), status=status, sense=decode_sense(sense), residual=0,
        host_status=host_status, driver_status=0, data=b"", sent_ns=1, done_ns=2,
    )  # fmt: skip


class FakeQueue:
    """Answers each command at once with what `answer` returns; None: never."""

    answer: Callable[[], Completion | None]

    def __init__(self, descriptor: int, *, clock: Callable[[], int]) -> None:
        os.close(descriptor)
        self._read, self._write = os.pipe()
        self._clock = clock
        self._ready: list[tuple[int, Completion]] = []

    def fileno(self) -> int:
        return self._read

    def submit(self, pack_id: int, cdb: bytes, **rest: Any) -> int:
        answer = type(self).answer()
        if answer is not None:
            self._ready.append((pack_id, answer))
            os.write(self._write, b"x")
        return self._clock()

    def reap(self) -> tuple[int, Completion] | None:
        if not self._ready:
            return None
        os.read(self._read, 1)
        return self._ready.pop(0)


def probed(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[], Completion | None],
    reads: TaggedReads | None = None,
) -> tuple[list[IoRecord], PathProbes]:
    """Probe two paths until each has been asked three times; return what was recorded."""
    kind = type("Queue", (FakeQueue,), {"answer": staticmethod(answer)})
    monkeypatch.setattr("certify.sg_node.SgQueue", kind)
    seen: list[IoRecord] = []
    asked: list[None] = []
    probes = PathProbes(
        devices={"p1": os.devnull, "p2": os.devnull},
        interval_ns=1_000_000,
        emit=seen.append,
        reads=reads,
    )
    inner, kind.answer = kind.answer, staticmethod(lambda: (asked.append(None), inner())[1])
    probes.start()
    deadline = Deadline.after(10.0)
    while len(asked) < 6:
        assert not deadline.passed
        time.sleep(0.001)
    probes.stop()
    return seen, probes


def test_every_path_is_asked_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, probes = probed(monkeypatch, completion)

    assert probes.drain(Deadline.after(10.0)) == 0
    assert {io.probe for io in seen} == {"path:p1", "path:p2"}
    assert {(io.op, io.outcome) for io in seen} == {("test_unit_ready", IoOutcome.GOOD)}
    for path in ("path:p1", "path:p2"):
        assert [io.k for io in seen if io.probe == path] == list(
            range(sum(io.probe == path for io in seen))
        )
    assert probes.paths_up() == (2, 2)


class Written:
    """A unit of which every block was written."""

    def choose(self, rng: random.Random) -> int:
        return 8


def data_in(data: bytes) -> Completion:
    return Completion(
        cdb=bytes(16), status=Status.GOOD, sense=None, residual=0,
        host_status=0, driver_status=0, data=data, sent_ns=1, done_ns=2,
    )  # fmt: skip


def test_every_other_command_reads_a_block_of_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    tag = Tag(run=RUN, writer=1, seq=17, utc_ns=0, monotonic_ns=0)
    reads = TaggedReads(Written(), run=RUN, seed=1)
    seen, probes = probed(monkeypatch, lambda: data_in(encode(tag, 8, 8)), reads)
    probes.drain(Deadline.after(10.0))

    crossed = [io for io in seen if io.probe.startswith("cross:")]
    assert {io.probe for io in seen} == {"path:p1", "path:p2", "cross:p1", "cross:p2"}
    assert {(io.op, io.lba, io.blocks, io.tag, io.sectors) for io in crossed} == {
        ("read", 8, 8, 17, "")
    }
    assert abs(2 * len(crossed) - len(seen)) <= 2


def test_short_read_is_an_error_and_no_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = TaggedReads(Written(), run=RUN, seed=1)
    seen, probes = probed(monkeypatch, completion, reads)
    probes.drain(Deadline.after(10.0))

    crossed = [io for io in seen if io.probe.startswith("cross:")]
    assert {(io.outcome, io.errno, io.tag) for io in crossed} == {(IoOutcome.ERROR, errno.EIO, -1)}


def test_sense_of_a_path_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = completion(Status.CHECK_CONDITION, sense=NOT_READY)
    seen, probes = probed(monkeypatch, lambda: dead)
    probes.drain(Deadline.after(10.0))

    assert {(io.outcome, io.sense) for io in seen} == {(IoOutcome.CHECK_CONDITION, "2/04/0c")}
    assert probes.paths_up() == (0, 2)


def test_path_that_never_answers_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, probes = probed(monkeypatch, lambda: None)

    never = probes.drain(Deadline.after(0.1))

    assert never == len(seen) >= 6
    assert {(io.outcome, io.done_ns) for io in seen} == {(IoOutcome.NEVER, -1)}


def test_path_that_takes_no_command_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(errno.ENXIO, "offline")

    seen, probes = probed(monkeypatch, refuse)
    probes.drain(Deadline.after(10.0))

    assert {(io.outcome, io.errno) for io in seen} == {(IoOutcome.ERROR, errno.ENXIO)}
    assert probes.failure == ""


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        (completion(), IoOutcome.GOOD),
        (completion(Status.CHECK_CONDITION), IoOutcome.CHECK_CONDITION),
        (completion(Status.BUSY), IoOutcome.STATUS),
        (completion(host_status=HostStatus.NO_CONNECT), IoOutcome.TRANSPORT),
    ],
)
def test_ends_of_a_command_are_told_apart(ended: Completion, outcome: IoOutcome) -> None:
    assert outcome_of(ended) is outcome
