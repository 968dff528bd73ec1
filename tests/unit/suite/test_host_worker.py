"""A worker probes what it is ordered to, tells every I/O, and stops when nobody listens.

Method: the worker in this process, a queue in place of the connection, a file in place of a disk.
"""

import os
import queue
import threading
from pathlib import Path
from typing import Any

import pytest

from certify import __version__
from certify.division import Division
from certify.hosts import worker
from certify.hosts.messages import (
    Answer,
    Ask,
    Begin,
    Done,
    Failed,
    Halt,
    Hello,
    Ios,
    Message,
    Order,
    Ready,
    encode,
    for_suite,
)
from certify.lab import LabError
from reports.record import IoOutcome, IoRecord

SIZE = 8 << 20
ORDER = Order(
    host="host2",
    unit="lu0",
    wwid="3600a",
    division=Division(size_bytes=SIZE, seed=1, hosts=2, common=True),
    number=1,
    run=7,
    first_seq=1001,
    last_seq=2000,
    interval_ns=1_000_000,
    beat_s=0.01,
)


class Pipe:
    """Both ends of a connection: what the suite says, and what it heard."""

    def __init__(self) -> None:
        self.said: queue.Queue[bytes | None] = queue.Queue()
        self.heard: queue.Queue[Any] = queue.Queue()
        self.broken = False

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.said.put(encode(message))

    def send(self, item: bytes) -> None:
        if self.broken:
            raise OSError("broken")
        self.heard.put(for_suite(item))

    def receive(self, timeout: float | None = None) -> bytes:
        try:
            data = self.said.get(timeout=timeout)
        except queue.Empty:
            raise OSError("nothing yet") from None
        if data is None:
            raise EOFError
        return data

    def wait_for(self, kind: type) -> tuple[Any, list[Any]]:
        """Return the next message of a kind, and what came before it."""
        before = []
        while not isinstance(message := self.heard.get(timeout=20), kind):
            before.append(message)
        return message, before


@pytest.fixture
def disk(tmp_path: Path) -> str:
    path = tmp_path / "disk"
    path.write_bytes(bytes(SIZE))
    return str(path)


@pytest.fixture
def pipe(disk: str):
    """The suite's end of a worker that serves a file, and ends with the test."""
    pipe = Pipe()
    thread = threading.Thread(
        target=worker.serve,
        args=(pipe,),
        kwargs={"open_unit": lambda order: (disk, os.open(disk, os.O_RDWR))},
    )
    thread.start()
    pipe.thread = thread
    yield pipe
    pipe.said.put(None)
    thread.join(20)
    assert not thread.is_alive()


def probed(pipe: Pipe) -> list[IoRecord]:
    """Let the probes work until enough was told, stop them, and return all that they told."""
    rows: list[IoRecord] = []
    while len(rows) < 40:
        rows += pipe.wait_for(Ios)[0].rows
    pipe.say(Halt(drain_s=10.0))
    _, rest = pipe.wait_for(Done)
    return rows + [row for one in rest if isinstance(one, Ios) for row in one.rows]


def test_it_says_who_it_is_before_all_else(pipe: Pipe):
    assert pipe.heard.get(timeout=20) == Hello(version=__version__)


def test_a_question_is_answered_with_both_times(pipe: Pipe):
    pipe.say(Ask(number=4))

    answer, _ = pipe.wait_for(Answer)

    assert answer.number == 4
    assert 0 < answer.heard_ns <= answer.told_ns


def test_every_io_is_told_once_under_the_name_of_the_host(pipe: Pipe, disk: str):
    pipe.say(ORDER)
    assert pipe.wait_for(Ready)[0].device == disk
    pipe.say(Begin())

    rows = probed(pipe)

    assert {row.probe for row in rows} == {"host:host2-write", "host:host2-read"}
    assert {row.outcome for row in rows} == {IoOutcome.GOOD}
    versions = sorted(row.tag for row in rows if row.op == "write")
    assert versions == list(range(versions[0], versions[-1] + 1))
    assert ORDER.first_seq <= versions[0] < versions[-1] <= ORDER.last_seq


def test_it_writes_common_blocks_too(pipe: Pipe):
    pipe.say(ORDER, Begin())
    written = {row.lba for row in probed(pipe) if row.op == "write"}

    assert written & set(ORDER.division.shared(1).lbas)
    assert written & set(ORDER.division.own(1).lbas)
    assert not written & set(ORDER.division.own(0).lbas)


def test_it_still_answers_after_its_probes_ended(pipe: Pipe):
    pipe.say(ORDER, Begin(), Halt(drain_s=10.0), Ask(number=9))
    pipe.wait_for(Done)

    assert pipe.wait_for(Answer)[0].number == 9


def test_to_begin_without_an_order_is_refused(pipe: Pipe):
    pipe.say(Begin())

    assert pipe.wait_for(Failed)[0].reason == (
        "expected an order before the probes can begin, seen none"
    )


def test_what_is_no_message_is_refused(pipe: Pipe):
    pipe.said.put(b"\xc1")

    assert "MessagePack" in pipe.wait_for(Failed)[0].reason


def test_a_device_that_may_not_be_written_is_told():
    def refuse(order: Order) -> tuple[str, int]:
        raise LabError("lu0 (/dev/mapper/a) is mounted on /data")

    pipe = Pipe()
    pipe.say(ORDER)
    pipe.said.put(None)

    worker.serve(pipe, open_unit=refuse)

    assert pipe.wait_for(Failed)[0].reason == "lu0 (/dev/mapper/a) is mounted on /data"


@pytest.mark.parametrize("how", ["ended", "cannot be told"])
def test_its_probes_end_with_the_connection(pipe: Pipe, how: str):
    pipe.say(ORDER, Begin())
    pipe.wait_for(Ios)
    if how == "ended":
        pipe.said.put(None)
    else:
        pipe.broken = True

    pipe.thread.join(20)

    assert not pipe.thread.is_alive()
    assert not [one.name for one in threading.enumerate() if one.name.startswith("host:host2")]


def test_its_probes_end_when_the_suite_is_silent(pipe: Pipe, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "LEASE_S", 0.5)
    pipe.say(ORDER, Begin())

    pipe.thread.join(20)

    assert not pipe.thread.is_alive()


def test_a_host_without_the_unit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "find_map", lambda unit: None)

    with pytest.raises(LabError, match="logical unit lu0: no multipath device of 3600a"):
        worker.open_map(ORDER)
