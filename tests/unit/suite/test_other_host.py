"""The second host retries an operation over its paths until it succeeds; that is one record.

Method: a queue of answers in place of each /dev/sgN; a pipe makes it ready to be polled.
"""

import errno
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from certify.deadline import Deadline
from certify.ledger import Ledger, Ledgers
from certify.other_host import OtherHost
from certify.scsi import Completion, HostStatus, Status, decode_sense
from certify.tags import run_number
from certify.workload import TaggedReads, TaggedWrites
from reports.record import IoOutcome, IoRecord

NOT_READY = bytes([0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 4, 0x0C, 0, 0, 0, 0])
ATTENTION = bytes([0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0, 0, 0, 0, 0])
RUN = run_number("test")

Answer = Completion | OSError | None
"""None: never."""


def completion(status: int = Status.GOOD, host_status: int = 0, sense: bytes = b"") -> Completion:
    return Completion(
        cdb=bytes(16), status=status, sense=decode_sense(sense), residual=0,
        host_status=host_status, driver_status=0, data=b"", sent_ns=1,
        done_ns=time.monotonic_ns(),
    )  # fmt: skip


class Disk:
    """Both paths of a disk that keeps what is written, and each answer that is not GOOD."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Callable[[int, int], Answer]):
        self.blocks: dict[bytes, bytes] = {}
        self.asked: list[int] = []  # paths, in order
        self.opened = 0
        self._answer = answer
        monkeypatch.setattr("certify.sg_node.SgQueue", self._open)

    def _open(self, descriptor: int, *, clock: Callable[[], int]) -> "Path":
        self.opened += 1
        return Path(self, descriptor)

    def answer(self, path: int, cdb: bytes, data_out: bytes | None) -> Answer:
        self.asked.append(path)
        ended = self._answer(path, len(self.asked))
        if not isinstance(ended, Completion) or not ended.is_good:
            return ended
        if data_out is not None:
            self.blocks[cdb[2:14]] = data_out
            return ended
        data = self.blocks.get(cdb[2:14], bytes(4096))
        return Completion(
            cdb=cdb, status=0, sense=None, residual=0, host_status=0, driver_status=0,
            data=data, sent_ns=1, done_ns=time.monotonic_ns(),
        )  # fmt: skip


class Path:
    """Stands in for SgQueue."""

    count = 0

    def __init__(self, disk: Disk, descriptor: int) -> None:
        os.close(descriptor)
        self._number = Path.count = (Path.count + 1) % 2
        self._disk = disk
        self._read, self._write = os.pipe()
        self._ready: list[tuple[int, Completion]] = []
        self._under_way = 0

    def fileno(self) -> int:
        return self._read

    def __len__(self) -> int:
        return self._under_way

    def submit(self, pack_id: int, cdb: bytes, **rest: Any) -> int:
        ended = self._disk.answer(self._number, cdb, rest.get("data_out"))
        if isinstance(ended, OSError):
            raise ended
        self._under_way += 1
        if ended is not None:
            self._ready.append((pack_id, ended))
            os.write(self._write, b"x")
        return 1

    def reap(self) -> tuple[int, Completion] | None:
        if not self._ready:
            return None
        os.read(self._read, 1)
        self._under_way -= 1
        return self._ready.pop(0)


def run(
    disk: Disk, *, operations: int, drain_s: float = 10.0, present: tuple[str, ...] = ()
) -> tuple[list[IoRecord], int]:
    """Let the host work until the disk was asked often enough; return its records and drain's."""
    Path.count = 1  # the first path that is opened is number 0
    ledger = Ledger(1 << 20, hot=8, cold=8, seed=1, owner=1, owners=2)
    others = Ledger(1 << 20, hot=1, cold=1, seed=1)
    seen: list[IoRecord] = []
    host = OtherHost(
        name="host2",
        devices=[os.devnull, os.devnull],
        hctls=["1:0:0:0", "2:0:0:0"],
        find=lambda hctl: os.devnull if hctl in present else None,
        interval_ns=1_000_000,
        writes=TaggedWrites(ledger, run=RUN, writer=2, first_seq=1),
        reads=TaggedReads(Ledgers([others, ledger]), run=RUN, seed=1),
        emit=seen.append,
    )
    host.start()
    deadline = Deadline.after(10.0)
    while len(disk.asked) < operations:
        assert not deadline.passed, host.failure
        time.sleep(0.001)
    host.stop()
    never = host.drain(Deadline.after(drain_s))
    assert host.failure == ""
    return seen, never


def test_what_it_writes_by_one_path_it_reads_by_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, lambda path, nth: completion())

    seen, never = run(disk, operations=40)

    written = {io.tag for io in seen if io.op == "write"}
    assert never == 0
    assert {io.probe for io in seen} == {"host:host2-write", "host:host2-read"}
    assert {io.outcome for io in seen} == {IoOutcome.GOOD}
    assert all(io.tag in written for io in seen if io.op == "read")
    assert len(disk.asked) == len(seen)
    assert set(disk.asked) == {0, 1}


@pytest.mark.parametrize(
    "broken",
    [
        lambda: completion(Status.CHECK_CONDITION, sense=NOT_READY),
        lambda: completion(host_status=HostStatus.NO_CONNECT),
        lambda: completion(Status.BUSY),
        lambda: OSError(errno.ENXIO, "offline"),
    ],
)
def test_path_that_fails_is_left_for_the_other(
    monkeypatch: pytest.MonkeyPatch, broken: Callable[[], Answer]
) -> None:
    disk = Disk(monkeypatch, lambda path, nth: broken() if path == 1 else completion())

    seen, never = run(disk, operations=40)

    assert never == 0
    assert {io.outcome for io in seen} == {IoOutcome.GOOD}
    assert {io.op for io in seen} == {"write", "read"}
    assert 0 < disk.asked.count(1) <= len(disk.asked) / 2, "it is to be left alone for a while"


def test_unit_attention_is_asked_again_on_the_same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(
        monkeypatch,
        lambda path, nth: (
            completion(Status.CHECK_CONDITION, sense=ATTENTION) if nth == 1 else completion()
        ),
    )

    seen, _ = run(disk, operations=10)

    first = min(seen, key=lambda io: (io.due_ns, io.op == "read"))
    assert (first.op, first.outcome) == ("write", IoOutcome.GOOD)
    assert disk.asked[:2] == [1, 1]


def test_operation_without_an_answer_is_recorded_as_never(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, lambda path, nth: None)

    seen, never = run(disk, operations=5, drain_s=0.0)

    assert never == len(seen) >= 5
    assert {(io.outcome, io.done_ns) for io in seen if io.sent_ns >= 0} == {(IoOutcome.NEVER, -1)}


def test_hosts_have_blocks_of_their_own() -> None:
    first, second = (
        Ledger(1 << 20, hot=16, cold=112, seed=1, owner=owner, owners=2) for owner in (0, 1)
    )
    taken = [{ledger.take() for _ in range(128)} for ledger in (first, second)]

    assert taken[0].isdisjoint(taken[1])
    assert len(taken[0] | taken[1]) == 256


def test_path_that_was_removed_is_found_again_by_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each node that is opened is numbered; those of the first round are of devices now gone."""
    gone = {0, 1}

    def answer(path: int, nth: int) -> Answer:
        return OSError(errno.ENODEV, "removed") if path in gone and nth < 20 else completion()

    disk = Disk(monkeypatch, answer)

    seen, never = run(disk, operations=60, present=("1:0:0:0", "2:0:0:0"))

    assert never == 0
    assert {io.outcome for io in seen} == {IoOutcome.GOOD}
    assert disk.opened > 2


def test_path_that_stays_away_is_not_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(
        monkeypatch,
        lambda path, nth: OSError(errno.ENODEV, "removed") if path == 1 else completion(),
    )

    seen, never = run(disk, operations=40)

    assert (never, disk.opened) == (0, 2)
    assert {io.outcome for io in seen} == {IoOutcome.GOOD}
