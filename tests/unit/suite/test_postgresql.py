"""PostgreSQL beside a scenario: what is done in which order, what is said, what is left behind.

Method: the exercise with a host made of files and a list of commands, on which pgbench logs what
a test wants it to.
"""

import signal
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from certify.exercise import Stage
from certify.lab import LabError
from certify.workloads import postgresql
from certify.workloads.mounted import UNMOUNT_TURNS, Mounted
from certify.workloads.postgresql import PostgresqlUnderLoad
from certify.workloads.postgresql_cluster import Programs, aborted_clients, find_programs
from fault_injectors import Completed, FaultError, outstanding
from reports.record import EventKind

LOG = ["0 1 1500 0 100 1 0", "1 1 2500 0 100 2 0", "0 2 90000 0 102 1 0"]
ROWS = ["0|1", "1|1", "0|2"]


@dataclass
class Host:
    """A shell on which everything works, unless a test says otherwise."""

    calls: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=lambda: list(LOG))
    rows: list[str] = field(default_factory=lambda: list(ROWS))
    imbalance: int = 0
    fails: dict[str, tuple[int, int]] = field(default_factory=dict)  # status, on which call
    words: str = ""
    hangs: bool = False
    busy_turns: int = 0
    status: int = 0
    reach: str = "local"

    def run(self, argv, *, timeout_s, check=True):
        words = list(argv)
        if words[0] == "setpriv":
            words = words[words.index("--") + 4 :]  # after nice -n NICENESS
        name = Path(words[0]).name
        called = f"{name} {words[-1]}" if name == "pg_ctl" else name
        if name == "pg_ctl" and "-m" in words:
            called += f" {words[words.index('-m') + 1]}"
        self.calls.append(called)
        if name == "sh":
            self.folder = Path(argv[-1].split(" > ")[1].split(";")[0].strip("'")).parent
            (self.folder / "pgbench.pid").write_text("4711\n")
            (self.folder / "pgbench.err").write_text(self.words)
        status, on = self.fails.get(called, (0, 0))
        status = status if on in (0, self.calls.count(called)) else 0
        if name == "umount" and self.busy_turns:
            status, self.busy_turns = 32, self.busy_turns - 1
        out = "\n".join(self.answer(words)) if name == "psql" else ""
        done = Completed(argv=tuple(argv), exit_status=status, stdout=out, stderr="said why")
        if check and status:
            raise FaultError(done.failure())
        return done

    def answer(self, words):
        return self.rows if "FROM acknowledged" in words[-2] and "sum" not in words[-2] else ["0"]

    def send_signal(self, pid, number):
        self.calls.append(f"{number.name} {pid}")
        if self.hangs and number is not signal.SIGKILL:
            return
        (self.folder / "transactions.4711").write_text("".join(f"{one}\n" for one in self.log))
        (self.folder / "pgbench.rc").write_text(f"{self.status}\n")


@dataclass
class Told:
    """Takes events; `results` has subject, detail and whether it was good."""

    results: list[tuple[str, str, bool | None]] = field(default_factory=list)
    data: dict[str, dict] = field(default_factory=dict)

    def event(self, kind, subject, detail="", data=None, t_ns=None):
        assert kind is EventKind.EXERCISE
        self.results.append((subject, detail, data["good"]))
        self.data[subject] = data

    @property
    def goods(self):
        return {subject.removeprefix("PostgreSQL: "): good for subject, _, good in self.results}


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def exercise(host, told, tmp_path, monkeypatch):
    """The exercise on *host*; the folder of logs is tmp_path/logs."""
    programs = Programs(folder=Path("/usr/lib/postgresql/15/bin"), user="root")
    monkeypatch.setattr(Programs, "own", lambda _self, _path: None)
    monkeypatch.setattr(postgresql, "find_programs", lambda: programs)
    monkeypatch.setattr(postgresql, "make_template", lambda shell: Path("/template/data"))
    monkeypatch.setattr(postgresql, "application_unit", lambda _lab: "lu2")
    monkeypatch.setattr(postgresql, "END_S", 0.0)
    crash = "crash of the file system"
    monkeypatch.setattr(postgresql, "crash_file_system", lambda _path: host.calls.append(crash))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    devices = SimpleNamespace(map_of=lambda _unit: SimpleNamespace(device="/dev/mapper/lu2"))
    stage = Stage(
        lab=None,
        devices=devices,
        events=told,
        shells=lambda _reach: host,
        run_id="r",
        seed=1,
        ordinal=7,
        phase=lambda: "steady",
        journal=tmp_path / "journal.jsonl",
        logs=tmp_path / "logs",
    )
    return PostgresqlUnderLoad(stage=stage)


def test_a_good_run_says_so_four_times(exercise, told):
    exercise.start()
    exercise.stop()

    assert told.goods == {
        "transactions": True,
        "crash recovery": True,
        "pg_amcheck": True,
        "pg_checksums": True,
    }
    assert told.data["PostgreSQL: transactions"]["worst_ms"] == 90.0
    assert told.data["PostgreSQL: transactions"]["idle_s"] == 1
    assert told.data["PostgreSQL: crash recovery"]["present"] == 3


def test_the_order_is_that_of_a_crash(exercise, host):
    """What was copied is old and on disk; what pgbench did meets the crash unflushed."""
    exercise.start()
    exercise.stop()

    assert host.calls == [
        *("mkfs.ext4", "mount", "cp", "sync", "pg_ctl start", "sh", "SIGALRM 4711"),
        *("pg_ctl stop immediate", "crash of the file system", "umount", "mount", "pg_ctl start"),
        *("psql", "psql", "pg_amcheck", "pg_ctl stop fast", "pg_checksums", "umount", "wipefs"),
    ]


def test_the_logs_are_kept_and_the_folder_is_not(exercise, tmp_path):
    exercise.start()
    exercise.stop()

    kept = [path.name for path in (tmp_path / "logs").iterdir()]
    assert kept == ["postgresql-007-transactions.log"]
    assert list(tmp_path.glob("zerostall-pg-*")) == []


def test_a_commit_that_is_not_there_is_a_failure(exercise, host, told):
    host.rows.remove("0|1")
    exercise.start()
    exercise.stop()

    assert told.goods["crash recovery"] is False
    assert "2 of 3 commits there" in told.results[1][1]


@pytest.mark.parametrize(
    "change",
    [
        {"log": [*LOG, "1 2 deadlock 0 102 2 0"]},
        {"words": "pgbench: error: client 1 aborted in command 5 (SQL) of script 0", "status": 2},
        {"status": 1},
    ],
)
def test_failed_transactions_fail(exercise, host, told, change):
    for name, value in change.items():
        setattr(host, name, value)
    exercise.start()
    exercise.stop()

    assert told.goods["transactions"] is False


def test_a_load_that_did_nothing_says_nothing(exercise, host, told):
    host.log, host.rows = [], []
    exercise.start()
    exercise.stop()

    assert told.goods["transactions"] is None
    assert told.goods["crash recovery"] is None


def test_a_load_that_hangs_is_a_failure_and_is_killed(exercise, host, told):
    host.hangs = True
    exercise.start()
    exercise.stop()

    assert told.goods["transactions"] is False
    assert "SIGKILL 4711" in host.calls


@pytest.mark.parametrize("tool", ["pg_amcheck", "pg_checksums"])
def test_what_a_tool_finds_is_a_failure(exercise, host, told, tool):
    host.fails[tool] = (2, 0)
    exercise.start()
    exercise.stop()

    assert told.goods[tool] is False


def test_a_server_that_does_not_come_up_fails_and_leaves_nothing(exercise, host, told):
    host.fails["pg_ctl start"] = (1, 2)
    exercise.start()
    with pytest.raises(FaultError):
        exercise.stop()

    assert told.goods["crash recovery"] is False
    assert host.calls[-2:] == ["umount", "wipefs"]


def test_a_run_that_is_killed_leaves_the_mount_in_the_journal(exercise, host, tmp_path):
    """What heals it needs nothing but the journal, and is gone when all went well."""
    exercise.start()
    (entry,) = outstanding(tmp_path / "journal.jsonl")
    healing = entry.fault().heal_argv[-1]

    assert entry.subject == "PostgreSQL on /dev/mapper/lu2"
    assert "data/postmaster.pid" in healing
    assert "umount" in healing

    exercise.stop()
    assert outstanding(tmp_path / "journal.jsonl") == []


def test_half_a_start_is_undone(exercise, host):
    host.fails["pg_ctl start"] = (1, 1)
    with pytest.raises(FaultError):
        exercise.start()
    exercise.stop()

    assert host.calls[-2:] == ["umount", "wipefs"]


def test_a_device_that_takes_no_file_system_is_not_unmounted(exercise, host):
    host.fails["mkfs.ext4"] = (1, 0)
    with pytest.raises(FaultError):
        exercise.start()
    exercise.stop()

    assert "umount" not in host.calls


@pytest.mark.parametrize(("busy_turns", "unmounted"), [(3, True), (UNMOUNT_TURNS, False)])
def test_a_busy_file_system_is_unmounted_when_its_last_user_is_gone(
    host, tmp_path, busy_turns, unmounted
):
    """The children of a server that was stopped at once end a little after it."""
    naps = []
    unit = Mounted(shell=host, device="/dev/lu2", work=tmp_path, journal=None, sleep=naps.append)
    unit.make()
    host.busy_turns = busy_turns
    with nullcontext() if unmounted else pytest.raises(FaultError, match="said why"):
        unit.unmount()

    assert unit.mounted is not unmounted
    assert len(naps) == min(busy_turns, UNMOUNT_TURNS - 1)


def test_a_missing_postgresql_is_named_with_its_package(tmp_path):
    with pytest.raises(LabError, match="postgresql-15"):
        find_programs(tmp_path)


def test_clients_that_gave_up_are_counted():
    words = "client 0 aborted in command 3\nclient 2 aborted while establishing connection\nx"

    assert aborted_clients(words) == 2
