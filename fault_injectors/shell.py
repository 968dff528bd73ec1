"""Where a fault acts: this machine, or one reached by OpenSSH. Every call is bounded in time."""

import glob
import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

STDERR_LINES_MAX = 20
REAP_TIMEOUT_S = 1.0
FILE_TIMEOUT_S = 15.0
"""For one read or write of a file. A write of "running" to an sd's state rescans it in the
calling thread (store_state_field in drivers/scsi/scsi_sysfs.c), which a dead target can block."""


class FaultError(Exception):
    """A fault could not be applied, seen or healed; the message says what, where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A command that ended."""

    argv: tuple[str, ...]
    exit_status: int
    stdout: str
    stderr: str

    def failure(self) -> str:
        """Return one text with the command, its exit status and its last lines on stderr."""
        tail = " | ".join(self.stderr.strip().splitlines()[-STDERR_LINES_MAX:])
        return f"{shlex.join(self.argv)}: exit status {self.exit_status}: {tail or 'no message'}"


class Shell(Protocol):
    """Runs commands and touches files where a fault is to be applied.

    Every method raises FaultError, naming the command or file, when it fails or takes too long.
    """

    @property
    def reach(self) -> str:
        """How the lab file names this place: "local" or "ssh:user@name"."""
        ...

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        """Run *argv* without a shell; with *check*, an exit status other than 0 is an error."""
        ...

    def read_text(self, path: str) -> str:
        """Return the text of a file."""
        ...

    def write_text(self, path: str, text: str) -> None:
        """Write *text* to an existing file in one go, as sysfs wants it."""
        ...

    def exists(self, path: str) -> bool:
        """Tell whether *path* is there."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Return the sorted paths that match *pattern*, in which only `*` and `?` are special."""
        ...

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """Send a signal; a process that is gone is an error."""
        ...


def _complete(argv: Sequence[str], *, timeout_s: float, text: str = "") -> Completed:
    """Run *argv* to its end; on time-out kill its process group and raise FaultError.

    A child in uninterruptible sleep does not die; it is left behind after REAP_TIMEOUT_S, since
    waiting for it would hang the caller on the very fault that is being healed.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise FaultError(f"{shlex.join(argv)}: cannot be started: {error}") from error
    try:
        stdout, stderr = child.communicate(text, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        try:
            child.communicate(timeout=REAP_TIMEOUT_S)
            fate = "killed"
        except subprocess.TimeoutExpired:
            fate = f"does not die (process {child.pid})"
        message = f"{shlex.join(argv)}: no end within {timeout_s:g} s; {fate}"
        raise FaultError(message) from None
    return Completed(argv=tuple(argv), exit_status=child.returncode, stdout=stdout, stderr=stderr)


def _checked(completed: Completed, *, check: bool) -> Completed:
    if check and completed.exit_status != 0:
        raise FaultError(completed.failure())
    return completed


class LocalShell:
    """This machine, as the user that runs the suite."""

    __slots__ = ()
    reach = "local"

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        """See Shell.run."""
        return _checked(_complete(argv, timeout_s=timeout_s), check=check)

    def read_text(self, path: str) -> str:
        """See Shell.read_text."""
        read: list[str] = []
        self._bounded(lambda: read.append(Path(path).read_text(encoding="utf-8")), "read", path)
        return read[0]

    def write_text(self, path: str, text: str) -> None:
        """See Shell.write_text."""

        def write() -> None:
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)

        self._bounded(write, f"write {text.strip()!r} to", path)

    def exists(self, path: str) -> bool:
        """See Shell.exists."""
        return os.path.lexists(path)

    def glob(self, pattern: str) -> list[str]:
        """See Shell.glob."""
        return sorted(glob.glob(pattern.replace("[", "[[]")))  # noqa: PTH207 - absolute patterns

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """See Shell.send_signal."""
        try:
            os.kill(pid, number)
        except OSError as error:
            raise FaultError(f"{number.name} to process {pid}: {error.strerror}") from error

    @staticmethod
    def _bounded(act: Callable[[], None], verb: str, path: str) -> None:
        """Run *act* in a thread for at most FILE_TIMEOUT_S; the kernel may block it for ever."""
        failed: list[OSError | UnicodeDecodeError] = []

        def guarded() -> None:
            try:
                act()
            except (OSError, UnicodeDecodeError) as error:
                failed.append(error)

        thread = threading.Thread(target=guarded, name=f"{verb} {path}", daemon=True)
        thread.start()
        thread.join(FILE_TIMEOUT_S)
        if thread.is_alive():
            raise FaultError(f"cannot {verb} {path}: no end within {FILE_TIMEOUT_S:g} s")
        if failed:
            raise FaultError(f"cannot {verb} {path}: {failed[0]}") from failed[0]


SSH_UNREACHABLE = 255
"""Exit status of ssh(1) for its own errors."""
UNREACHABLE = "cannot be reached"
"""In the message of a FaultError about a machine that no command got to."""


class SshShell:
    """A machine reached by OpenSSH; one connection is kept and shared (ControlMaster)."""

    __slots__ = ("_destination", "_prefix")

    def __init__(self, destination: str, *, program: str = "ssh") -> None:
        self._destination = destination
        sockets = Path(tempfile.gettempdir()) / f"certify-ssh-{os.getuid()}"
        sockets.mkdir(mode=0o700, exist_ok=True)
        self._prefix = (
            program,
            *("-o", "BatchMode=yes"),
            *("-o", "ConnectTimeout=5"),
            *("-o", "ServerAliveInterval=2"),
            *("-o", "ServerAliveCountMax=3"),
            *("-o", "ControlMaster=auto"),
            *("-o", f"ControlPath={sockets}/%C"),
            *("-o", "ControlPersist=60"),
            destination,
            "--",
        )

    @property
    def reach(self) -> str:
        """See Shell.reach."""
        return f"ssh:{self._destination}"

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        """See Shell.run; a machine that cannot be reached is an error even without *check*."""
        return self._remote(shlex.join(argv), timeout_s=timeout_s, check=check)

    def read_text(self, path: str) -> str:
        """See Shell.read_text."""
        return self._remote(f"cat -- {shlex.quote(path)}", timeout_s=FILE_TIMEOUT_S).stdout

    def write_text(self, path: str, text: str) -> None:
        """See Shell.write_text."""
        line = f"test -e {shlex.quote(path)} && cat > {shlex.quote(path)}"
        self._remote(line, timeout_s=FILE_TIMEOUT_S, text=text)

    def exists(self, path: str) -> bool:
        """See Shell.exists."""
        line = f"test -e {shlex.quote(path)} -o -L {shlex.quote(path)}"
        return self._remote(line, timeout_s=FILE_TIMEOUT_S, check=False).exit_status == 0

    def glob(self, pattern: str) -> list[str]:
        """See Shell.glob."""
        parts = re.split(r"([*?])", pattern)
        words = "".join(part if part in "*?" else shlex.quote(part) for part in parts if part)
        line = f'for p in {words}; do test -e "$p" && printf "%s\\n" "$p"; done; true'
        return sorted(self._remote(line, timeout_s=FILE_TIMEOUT_S).stdout.splitlines())

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """See Shell.send_signal."""
        name = number.name.removeprefix("SIG")
        self._remote(f"kill -{name} {pid:d}", timeout_s=FILE_TIMEOUT_S)

    def _remote(
        self, line: str, *, timeout_s: float, check: bool = True, text: str = ""
    ) -> Completed:
        """Run one line of sh(1) on the machine."""
        completed = _complete((*self._prefix, line), timeout_s=timeout_s, text=text)
        if completed.exit_status == SSH_UNREACHABLE:
            raise FaultError(f"{self.reach} {UNREACHABLE}: {completed.failure()}")
        return _checked(completed, check=check)


def shell_for(reach: str) -> Shell:
    """Return the shell that a lab file calls *reach*: "local" or "ssh:user@name"."""
    if reach == "local":
        return LocalShell()
    scheme, _, destination = reach.partition(":")
    if scheme != "ssh" or not destination:
        raise FaultError(f'reach {reach!r}: expected "local" or "ssh:user@name"')
    return SshShell(destination)
