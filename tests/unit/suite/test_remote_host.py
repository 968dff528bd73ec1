"""The suite's end of a worker: orders out, records in, and a clear word when the host is gone.

Method: a real worker in a process of its own, by execnet without SSH, on a file.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from certify.deadline import Deadline
from certify.division import Division
from certify.hosts.fleet import Fleet
from certify.hosts.gateway import specification
from certify.hosts.messages import Order
from certify.hosts.remote import RemoteHost
from certify.lab import Host, LabError
from reports.record import EventKind, IoOutcome, IoRecord

ROOT = Path(__file__).resolve().parents[3]
SIZE = 8 << 20
PYTHON = shlex.join(["env", f"PYTHONPATH={ROOT}", sys.executable])
SPEC = f"popen//python={PYTHON}//id=host2"
ORDER = Order(
    host="host2",
    unit="lu0",
    wwid="3600a",
    division=Division(size_bytes=SIZE, seed=1, hosts=2, common=True),
    number=1,
    run=7,
    first_seq=1001,
    last_seq=5000,
    interval_ns=2_000_000,
    beat_s=0.01,
)
SOURCE = """
import os, time
from certify.hosts import worker
def open_unit(order):
    return {path!r}, os.open({path!r}, os.O_RDWR)
{more}
worker.serve(channel, open_unit=open_unit, clock={clock})
"""


@dataclass
class Suite:
    """What the suite is given, and a host that gives it."""

    disk: str
    rows: list[IoRecord] = field(default_factory=list)
    events: list[tuple[EventKind, str, str, dict[str, Any], int]] = field(default_factory=list)
    hosts: list[RemoteHost] = field(default_factory=list)

    def host(
        self, *, more: str = "", clock_there: str = "time.monotonic_ns", **changes: Any
    ) -> RemoteHost:
        source = SOURCE.format(path=self.disk, more=more, clock=clock_there)
        values = {"spec": SPEC, "source": source} | changes
        host = RemoteHost(order=ORDER, emit=self.rows.append, tell=self.tell, **values)
        self.hosts.append(host)
        return host

    def tell(self, *event: Any) -> None:
        self.events.append(event)

    def of_kind(self, kind: EventKind) -> list[tuple[str, str, dict[str, Any]]]:
        return [(subject, text, data) for one, subject, text, data, _ in self.events if one is kind]

    def states(self) -> list[str]:
        return [data["state"] for _, _, data in self.of_kind(EventKind.HOST)]


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[Suite]:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(SIZE))
    suite = Suite(str(disk))
    yield suite
    for host in suite.hosts:
        host.stop()
        host.drain(Deadline.after(10.0))


def until(condition: Callable[[], bool]) -> None:
    deadline = Deadline.after(20.0)
    while not condition():
        assert not deadline.passed, "it did not get there within 20 s"
        time.sleep(0.01)


def worker_process(host: RemoteHost) -> int:
    """Return the process of a worker, which is a child of this one."""
    (gateway,) = host._gateway._group
    return gateway._io.popen.pid


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_that_ended_there_is_recorded_here_in_this_hosts_time(suite: Suite):
    before = time.monotonic_ns()
    host = suite.host()
    host.connect()
    host.begin()
    until(lambda: len(suite.rows) >= 40)
    host.stop()
    host.drain(Deadline.after(10.0))

    assert {row.outcome for row in suite.rows} == {IoOutcome.GOOD}
    assert {row.probe for row in suite.rows} == {"host:host2-write", "host:host2-read"}
    for row in suite.rows:
        assert before <= row.due_ns <= row.sent_ns <= row.done_ns <= time.monotonic_ns()
    assert host.written() == sorted({row.lba for row in suite.rows if row.op == "write"})
    assert suite.states() == ["on", "ended"]
    assert host.failure == ""


def test_a_clock_that_is_hours_apart_is_corrected(suite: Suite):
    before = time.monotonic_ns()
    host = suite.host(clock_there="lambda: time.monotonic_ns() + 10**13")
    host.connect()
    host.begin()
    until(lambda: len(suite.rows) >= 10)
    host.stop()
    host.drain(Deadline.after(10.0))

    (_, _, first), (_, _, last) = suite.of_kind(EventKind.CLOCK)
    assert abs(first["shift_ns"] + 10**13) <= first["error_ns"]
    assert (first["when"], last["when"]) == ("before", "after")
    assert last["used_ns"] == first["shift_ns"]
    slack = first["error_ns"]
    for row in suite.rows:
        assert before - slack <= row.due_ns <= row.done_ns <= time.monotonic_ns() + slack


def test_nothing_is_left_behind(suite: Suite):
    host = suite.host()
    host.connect()
    process = worker_process(host)
    host.begin()
    host.stop()
    host.drain(Deadline.after(10.0))

    assert not is_there(process)


def test_a_host_that_dies_is_a_failure_with_its_reason(suite: Suite):
    host = suite.host()
    host.connect()
    host.begin()
    until(lambda: bool(suite.rows))
    os.kill(worker_process(host), signal.SIGKILL)
    until(lambda: bool(host.failure))

    assert host.failure == "host2: its SSH connection ended"
    assert suite.states() == ["on", "lost"]
    assert suite.of_kind(EventKind.CLOCK)[-1][2]["when"] == "last"


def test_a_host_that_the_fault_takes_away_is_no_failure(suite: Suite):
    host = suite.host(may_be_lost=True)
    host.connect()
    host.begin()
    os.kill(worker_process(host), signal.SIGKILL)
    until(lambda: "lost" in suite.states())

    assert host.failure == ""
    assert host.flowing(0.0)


def test_a_host_that_is_stopped_is_lost_when_it_was_silent(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("certify.hosts.remote.SILENT_S", 0.5)
    monkeypatch.setattr("certify.hosts.remote.ASK_S", 0.1)
    host = suite.host()
    host.connect()
    process = worker_process(host)
    host.begin()
    until(lambda: bool(suite.rows))
    os.kill(process, signal.SIGSTOP)
    try:
        until(lambda: bool(host.failure))
    finally:
        os.kill(process, signal.SIGCONT)

    assert host.failure.startswith("host2: silent for ")


def test_another_version_is_refused(suite: Suite):
    host = suite.host(more="worker.__version__ = '0.0.9'")

    with pytest.raises(LabError, match=r"^host host2: expected Zerostall \S+ there, seen 0\.0\.9$"):
        host.connect()


def test_a_host_without_zerostall_says_what_is_missing(suite: Suite):
    host = suite.host(source="import certify.no_such_module")

    with pytest.raises(LabError, match="host host2: its worker did not start: ModuleNotFoundError"):
        host.connect()


def test_a_host_whose_device_may_not_be_written_says_why(suite: Suite):
    refuse = "def open_unit(order):\n    raise ValueError('lu0 is mounted')"
    host = suite.host(more=refuse)

    with pytest.raises(LabError, match=r"^host host2: lu0 is mounted$"):
        host.connect()


def test_a_host_that_cannot_be_reached_is_told(suite: Suite):
    host = suite.host(spec="popen//python=/nonexistent/python//id=host2")

    with pytest.raises(LabError, match=r"^host host2: cannot be reached, or has no such Python"):
        host.connect()


def test_a_fleet_names_the_host_that_failed(suite: Suite):
    fleet = Fleet([suite.host(), suite.host(source="import certify.no_such_module")])

    with pytest.raises(LabError, match="host host2"):
        fleet.connect()


def test_ssh_has_a_connection_of_its_own_that_ends_when_the_host_is_silent():
    host = Host(name="host2", reach="ssh:root@host2", python=["env", "A=b c", "/opt/python"])

    spec = specification(host)

    assert " root@host2//python=env 'A=b c' /opt/python//id=host2" in spec
    for option in ("BatchMode=yes", "ControlPath=none", "ServerAliveInterval=2"):
        assert f"-o {option}" in spec


def test_what_execnet_cannot_express_is_refused():
    host = Host(name="host2", reach="ssh:root@host2", python=["//server/python"])

    with pytest.raises(LabError, match='host host2: python: expected no "//" in it'):
        specification(host)
