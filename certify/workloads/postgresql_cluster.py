"""A PostgreSQL cluster of our own: its programs, its settings, its template, its tools.

Nothing of the machine's own PostgreSQL is touched: own folder, own socket, no TCP, an unprivileged
user. Settings that durability hangs on stay at their defaults (fsync, full_page_writes,
synchronous_commit on); data checksums are on.
"""

import os
import pwd
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from certify.lab import LabError
from fault_injectors import Completed, FaultError, LocalShell, Shell

LOCK = "postmaster.pid"
TEMPLATE = "zerostall-postgresql"
INSTALLED = Path("/usr/lib/postgresql")
PROGRAMS = ("initdb", "pg_ctl", "psql", "pgbench", "pg_amcheck", "pg_checksums")
USERS = ("postgres", "nobody")
CLIENTS = 3
RATE_PER_S = 40
NICENESS = 10
"""Behind the probes, where both share a CPU: the database's own lateness is told, not judged."""
SCALE = 1
"""pgbench's: 100,000 accounts, 15 MB."""
MAKE_S = 180.0
START_S = 90.0
TOOL_S = 120.0

SETTINGS = f"""\
listen_addresses = ''
max_connections = {CLIENTS + 5}
shared_buffers = 16MB
min_wal_size = 4MB
max_wal_size = 16MB
checkpoint_timeout = 30s
autovacuum = off  # seconds of load leave nothing to clean up, and it would cost CPU
jit = off
"""
"""Checkpoints are frequent, so that a fault meets one."""

SCHEMA = """\
CREATE TABLE acknowledged (
    client integer, n integer, delta integer NOT NULL, PRIMARY KEY (client, n));
CREATE EXTENSION amcheck;
"""

TRANSACTION = """\
\\set n :n + 1
\\set aid random(1, 100000)
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
INSERT INTO acknowledged (client, n, delta) VALUES (:client_id, :n, :delta);
END;
"""
"""`n` counts the transactions of a client as pgbench's log does, so an acknowledged one has a row
with its own name, and the balances must add up to what the rows say."""

IMBALANCE = (
    "SELECT (SELECT sum(abalance) FROM pgbench_accounts)"
    " - (SELECT coalesce(sum(delta), 0) FROM acknowledged)"
)
ROWS = "SELECT client, n FROM acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Where PostgreSQL's programs are, and as whom they are run."""

    folder: Path
    user: str

    def path(self, name: str) -> str:
        """Return the full path of a program."""
        return str(self.folder / name)

    def argv(self, name: str, *arguments: str) -> tuple[str, ...]:
        """Return the command line that runs a program as the unprivileged user."""
        gid = pwd.getpwnam(self.user).pw_gid
        who = ("setpriv", f"--reuid={self.user}", f"--regid={gid}", "--clear-groups")
        return (*who, "--", "nice", "-n", str(NICENESS), self.path(name), *arguments)

    def owns(self, path: Path) -> bool:
        """Say whether *path* is a folder of the user's: anybody may have put one there."""
        try:
            return path.lstat().st_uid == pwd.getpwnam(self.user).pw_uid and not path.is_symlink()
        except FileNotFoundError:
            return False

    def own(self, path: Path) -> None:
        """Give *path* to the user."""
        entry = pwd.getpwnam(self.user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def find_programs(installed: Path = INSTALLED) -> Programs:
    """Return Debian's newest PostgreSQL; raise LabError naming the package if it is missing."""
    folders = [path / "bin" for path in installed.glob("*") if path.name.isdecimal()]
    folders.sort(key=lambda path: int(path.parent.name), reverse=True)
    for folder in folders:
        if all((folder / name).exists() for name in PROGRAMS):
            return Programs(folder=folder, user=_user())
    raise LabError(
        f"PostgreSQL is not installed: {installed}/*/bin with {', '.join(PROGRAMS)} is expected; "
        "Debian package postgresql-15"
    )


def _user() -> str:
    if os.geteuid() != 0:
        raise LabError("PostgreSQL beside a scenario needs root: a file system is mounted")
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in USERS if user in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster in the folder *data*; socket and server log are in *work*. Raises FaultError."""

    programs: Programs
    data: Path
    work: Path
    shell: Shell

    def run(self, name: str, *arguments: str, timeout_s: float, check: bool = True) -> Completed:
        """Run one of PostgreSQL's programs."""
        argv = self.programs.argv(name, *arguments)
        return self.shell.run(argv, timeout_s=timeout_s, check=check)

    def start(self) -> None:
        """Start the server; return when it takes connections, after recovery if need be."""
        options = f"-k {shlex.quote(str(self.work))}"
        log = str(self.work / "server.log")
        flags = ("-D", str(self.data), "-l", log, "-o", options, "-s", "-w", "-t", f"{START_S:.0f}")
        self.run("pg_ctl", *flags, "start", timeout_s=START_S + 10)

    def stop(self, mode: str) -> None:
        """Stop the server: "fast" with a checkpoint, "immediate" without, as a crash."""
        flags = ("-D", str(self.data), "-m", mode, "-s", "-w", "-t", f"{START_S:.0f}")
        self.run("pg_ctl", *flags, "stop", timeout_s=START_S + 10)

    def forget_crash(self) -> None:
        """Remove the lock file that a crashed host left: no process of before is there after one.

        Here the host goes on, and the number in the file may be another process's or a zombie's.
        """
        (self.data / LOCK).unlink(missing_ok=True)

    @property
    def running(self) -> bool:
        """Say whether the server left a file that says so."""
        return (self.data / LOCK).exists()

    def connection(self) -> tuple[str, ...]:
        """Return the options of a client program."""
        return ("-h", str(self.work), "-U", "postgres")

    def query(self, sql: str) -> list[str]:
        """Return the lines that *sql* gives, fields separated by "|"."""
        words = ("-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql)
        done = self.run("psql", *self.connection(), *words, "postgres", timeout_s=TOOL_S)
        return done.stdout.split()

    def last_words(self) -> str:
        """Return the last that the server said of an error, else the last line of its log."""
        try:
            text = (self.work / "server.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return "the server said nothing"
        lines = text.splitlines()
        grave = [line for line in lines if any(word in line for word in ("PANIC:", "FATAL:"))]
        return " ".join((grave or lines or ["the server said nothing"])[-1].split())[:200]


def make_template(
    *, shell: Shell | None = None, tell: Callable[[str], None] = lambda _text: None
) -> Path:
    """Return the folder of a cluster with pgbench's tables, made now unless it is there.

    It is made once per machine, on a local disk, and copied to the device for every
    repeat: so every repeat begins with the same database. Raises LabError.
    """
    programs = find_programs()
    place = Path(tempfile.gettempdir()) / f"{TEMPLATE}-{programs.folder.parent.name}"
    if programs.owns(place) and (place / "whole").exists():
        return place / "data"
    try:
        if place.exists():
            shutil.rmtree(place)
        place.mkdir(mode=0o755)
    except OSError as error:
        raise LabError(f"no room for a PostgreSQL cluster: {error}") from error
    programs.own(place)
    tell("making a PostgreSQL cluster")
    try:
        _make(
            Cluster(programs=programs, data=place / "data", work=place, shell=shell or LocalShell())
        )
    except FaultError as error:
        raise LabError(f"no PostgreSQL cluster could be made: {error}") from error
    (place / "whole").touch()
    return place / "data"


def _make(cluster: Cluster) -> None:
    flags = ("-N", "-k", "--wal-segsize=1", "-A", "trust", "-U", "postgres")
    where = ("-E", "UTF8", "--locale=C", "-D", str(cluster.data))
    cluster.run("initdb", *flags, *where, timeout_s=MAKE_S)
    with (cluster.data / "postgresql.conf").open("a", encoding="utf-8") as stream:
        stream.write(SETTINGS)
    cluster.start()
    try:
        filling = ("-i", "-q", "-s", str(SCALE), "postgres")
        cluster.run("pgbench", *cluster.connection(), *filling, timeout_s=MAKE_S)
        cluster.query(SCHEMA)
    finally:
        cluster.stop("fast")


def pgbench_argv(cluster: Cluster, script: Path, prefix: Path) -> Sequence[str]:
    """Return the command line of pgbench: open loop, every transaction logged.

    It goes on until SIGALRM, which is how its own -T ends it: transactions under way are finished
    and the log is written out.
    """
    load = ("-c", str(CLIENTS), "-j", "1", "-R", str(RATE_PER_S), "-T", "86400")
    log = ("-l", f"--log-prefix={prefix}", "-f", str(script), "-D", "n=0")
    return cluster.programs.argv("pgbench", *cluster.connection(), "-n", *load, *log, "postgres")


def aborted_clients(words: str) -> int:
    """Return how many of pgbench's clients gave up, from what it said on stderr."""
    return len(re.findall(r"client \d+ (?:script \d+ )?aborted", words))
