"""A real database under load beside a scenario, and then the crash of its host.

start  file system and a fresh copy of the template on the unit, server up, pgbench on
stop   pgbench off: did any transaction fail, how late was the worst
       server and file system crash; mounted and started again: is every acknowledged commit there
       pg_amcheck; clean stop; pg_checksums; file system away, the unit without a signature again
"""

import shutil
import signal
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from certify.exercise import Stage
from certify.lab import LabError
from certify.workloads.background import Background
from certify.workloads.crash import crash_file_system
from certify.workloads.mounted import Mounted
from certify.workloads.pgbench_log import (
    PgbenchLogError,
    Summary,
    acknowledged,
    compare,
    parse,
    show_ms,
    summarize,
)
from certify.workloads.postgresql_cluster import (
    IMBALANCE,
    ROWS,
    TOOL_S,
    TRANSACTION,
    Cluster,
    aborted_clients,
    find_programs,
    make_template,
    pgbench_argv,
)
from certify.workloads.unit import application_unit
from fault_injectors import FaultError, Shell
from reports.record import EventKind

NAME = "PostgreSQL"
END_S = 60.0
LOG_FILES = ("server.log", "pgbench.out", "pgbench.err")


@dataclass(slots=True, kw_only=True)
class PostgresqlUnderLoad:
    """PostgreSQL on ext4 on the application's unit, from `start` to `stop`."""

    stage: Stage
    _shell: Shell = field(init=False)
    _work: Path = field(init=False)
    _unit: Mounted | None = field(init=False, default=None)
    _cluster: Cluster = field(init=False)
    _pgbench: Background = field(init=False)
    _loaded: bool = field(init=False, default=False)

    def start(self) -> None:
        """See Exercise.start."""
        stage = self.stage
        self._shell = stage.shells("local")
        device = stage.devices.map_of(application_unit(stage.lab)).device
        template = make_template(shell=self._shell)
        programs = find_programs()
        self._work = Path(tempfile.mkdtemp(prefix="zerostall-pg-"))
        programs.own(self._work)
        unit = Mounted(shell=self._shell, device=device, work=self._work, journal=stage.journal)
        data = unit.folder / "data"
        self._cluster = Cluster(programs=programs, data=data, work=self._work, shell=self._shell)
        self._pgbench = Background(shell=self._shell, folder=self._work, name="pgbench")
        self._unit = unit
        unit.make()
        self._run("cp", "-a", str(template), str(data))
        self._run("sync", "--file-system", str(data))  # a database that was made long ago
        self._cluster.start()
        self._load()

    def _load(self) -> None:
        script = self._work / "transaction.sql"
        script.write_text(TRANSACTION, encoding="utf-8")
        prefix = self._work / "transactions"
        self._pgbench.start(pgbench_argv(self._cluster, script, prefix), cwd=self._work)
        self._loaded = True

    def stop(self) -> None:
        """See Exercise.stop."""
        try:
            if self._loaded and self._unit is not None:
                told = self._stop_load()
                self._crash_and_recover(told, self._unit)
                self._check_pages()
        finally:
            self._clean_up()

    def _stop_load(self) -> set[tuple[int, int]]:
        """End pgbench, say what became of its transactions, return the acknowledged ones."""
        self._loaded = False
        status = self._pgbench.end(signal.SIGALRM, timeout_s=END_S)
        if status is None:
            self._say("transactions", "0 failed", f"no end within {END_S:g} s: hung", good=False)
        transactions = []
        try:
            for path in sorted(self._work.glob("transactions.*")):
                with path.open(encoding="ascii", errors="replace") as stream:
                    transactions += parse(stream)
        except PgbenchLogError as error:
            raise LabError(f"{NAME}: {error}") from error
        if status is not None:
            words = self._pgbench.file("err").read_text(encoding="utf-8", errors="replace")
            self._tell_transactions(summarize(transactions), aborted_clients(words), status)
        return acknowledged(transactions)

    def _tell_transactions(self, seen: Summary, aborted: int, status: int) -> None:
        failed = seen.failed + aborted
        good: bool | None = not failed and not status
        if not seen.count and good:
            good = None
        observed = f"{seen.count:,} transactions, {failed} failed; slowest {show_ms(seen.worst_ms)}"
        if status and not failed:
            observed += f"; pgbench ended with status {status}"
        skew_ns = time.time_ns() - time.monotonic_ns()
        self._say(
            "transactions",
            "0 failed",
            observed,
            good=good,
            transactions=seen.count,
            failed=failed,
            worst_ms=seen.worst_ms,
            worst_end_ns=seen.worst_end_ns - skew_ns if seen.worst_end_ns else None,
            per_second=seen.per_second,
            idle_s=seen.longest_gap_s,
        )

    def _crash_and_recover(self, told: set[tuple[int, int]], unit: Mounted) -> None:
        self._cluster.stop("immediate")
        crash_file_system(unit.folder)
        unit.unmount()
        began = time.monotonic()
        what, expected = "crash recovery", "server up again, every acknowledged commit there"
        try:
            unit.mount()
            self._cluster.forget_crash()
            self._cluster.start()
        except FaultError:
            self._say(
                what, expected, f"it did not come up: {self._cluster.last_words()}", good=False
            )
            raise
        took_s = time.monotonic() - began
        found = {_pair(line) for line in self._cluster.query(ROWS)}
        imbalance = int(self._cluster.query(IMBALANCE)[0])
        seen = compare(told, found, imbalance=imbalance)
        observed = f"up in {took_s:.1f} s; {seen.present:,} of {seen.acknowledged:,} commits there"
        if seen.unasked or seen.imbalance:
            observed += f"; {seen.unasked} that nobody made, balances off by {seen.imbalance}"
        self._say(
            what,
            expected,
            observed,
            good=seen.whole if seen.acknowledged else None,
            recovery_s=round(took_s, 3),
            acknowledged=seen.acknowledged,
            present=seen.present,
        )

    def _check_pages(self) -> None:
        words = (*self._cluster.connection(), "--all")
        done = self._cluster.run("pg_amcheck", *words, timeout_s=TOOL_S, check=False)
        self._tell_tool("pg_amcheck", "no corruption found", done.exit_status, done.stdout)
        self._cluster.stop("fast")
        flags = ("--check", "-D", str(self._cluster.data))
        done = self._cluster.run("pg_checksums", *flags, timeout_s=TOOL_S, check=False)
        self._tell_tool("pg_checksums", "no bad checksum", done.exit_status, done.stderr)

    def _tell_tool(self, name: str, expected: str, status: int, words: str) -> None:
        good = status == 0
        observed = expected if good else f"exit status {status}: {' '.join(words.split())[:160]}"
        self._say(name, expected, observed, good=good)

    def _say(
        self, what: str, expected: str, observed: str, *, good: bool | None, **more: object
    ) -> None:
        data = {"expected": expected, "good": good, **more}
        self.stage.events.event(EventKind.EXERCISE, f"{NAME}: {what}", observed, data)

    def _clean_up(self) -> None:
        """Leave no process, no mount and no file system; raises when something stays."""
        if self._loaded:
            self._pgbench.end(signal.SIGKILL, timeout_s=END_S)
        unit, self._unit = self._unit, None
        if unit is None:
            return
        self._keep()
        if unit.mounted and self._cluster.running:
            with suppress(FaultError):
                self._cluster.stop("immediate")
        unit.give_back()
        shutil.rmtree(self._work, ignore_errors=True)

    def _keep(self) -> None:
        """Keep what the programs said among the evidence; losing it is no reason to fail."""
        with suppress(OSError):
            self.stage.logs.mkdir(parents=True, exist_ok=True)
            logs = [self._work / name for name in LOG_FILES]
            for source in (*logs, *self._work.glob("transactions.*")):
                if source.exists() and source.stat().st_size:
                    stem = source.name if source.name in LOG_FILES else "transactions.log"
                    kept = self.stage.logs / f"postgresql-{self.stage.ordinal:03}-{stem}"
                    shutil.copyfile(source, kept)

    def _run(self, *argv: str) -> None:
        self._shell.run(argv, timeout_s=TOOL_S)


def _pair(line: str) -> tuple[int, int]:
    client, _, number = line.partition("|")
    return int(client), int(number)
