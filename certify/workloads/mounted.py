"""The application's unit with a file system on it, journalled like a fault while it is mounted.

A run that is killed leaves the mount and what runs on it; `certify heal` ends both, from the
journal, as it does everything else that a run left behind.
"""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from certify.workloads.postgresql_cluster import LOCK
from fault_injectors import CommandFault, FaultError, Journal, Shell

TIMEOUT_S = 120.0
UNMOUNT_TURNS = 75
UNMOUNT_AGAIN_S = 0.2
LABEL = "zerostall"
"""Certify takes a file system with this label for its own, and may overwrite it."""

_END = """\
kill -KILL $(cat {pgbench}) 2>/dev/null
kill -QUIT $(head -n 1 {lock}) 2>/dev/null
for turn in 1 2 3 4 5 6 7 8 9 10; do umount {mount} && exit 0; sleep 1; done
exit 1"""
"""SIGQUIT is how PostgreSQL is stopped at once, its children included."""


@dataclass(slots=True, kw_only=True)
class Mounted:
    """An ext4 on *device*, mounted in the folder `mnt` of *work*; raises FaultError."""

    shell: Shell
    device: str
    work: Path
    journal: Path | None
    sleep: Callable[[float], None] = time.sleep
    made: bool = field(init=False, default=False)
    mounted: bool = field(init=False, default=False)
    _key: str = field(init=False, default="")

    @property
    def folder(self) -> Path:
        """Where it is mounted."""
        return self.work / "mnt"

    def make(self) -> None:
        """Make a new file system, with nothing left to write later, and mount it."""
        self.folder.mkdir()
        self.made = True
        no_lazy = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
        self._run("mkfs.ext4", "-q", "-F", "-L", LABEL, "-E", no_lazy, self.device)
        if self.journal is not None:
            self._key = Journal(self.journal).intend(self._as_fault(), reach=self.shell.reach)
        self.mount()

    def mount(self) -> None:
        """Mount it, replaying its journal if need be."""
        self._run("mount", "-t", "ext4", self.device, str(self.folder))
        self.mounted = True

    def unmount(self) -> None:
        """Unmount it; nothing may run on it any more.

        The children of a server that was stopped at once end a little after it: while they are
        there umount says "busy", so it is tried again for a while. Raises FaultError.
        """
        turns = UNMOUNT_TURNS
        while self.mounted:
            try:
                self._run("umount", str(self.folder))
                self.mounted = False
            except FaultError:
                turns -= 1
                if not turns:
                    raise
                self.sleep(UNMOUNT_AGAIN_S)

    def give_back(self) -> None:
        """Leave the unit unmounted and without a file system; harmless if none was made."""
        if self.mounted:
            self.unmount()
        if self._key and self.journal is not None:
            Journal(self.journal).healed(self._key)
            self._key = ""
        if self.made:
            self.made = False
            self._run("wipefs", "--all", "--quiet", self.device)

    def _as_fault(self) -> CommandFault:
        mount = str(self.folder)
        end = _END.format(
            pgbench=shlex.quote(str(self.work / "pgbench.pid")),
            lock=shlex.quote(str(self.folder / "data" / LOCK)),
            mount=shlex.quote(mount),
        )
        return CommandFault(
            subject=f"PostgreSQL on {self.device}",
            apply_argv=("mount", "-t", "ext4", self.device, mount),
            probe_argv=("findmnt", "--noheadings", "--mountpoint", mount),
            heal_argv=("sh", "-c", end),
        )

    def _run(self, *argv: str) -> None:
        self.shell.run(argv, timeout_s=TIMEOUT_S)
