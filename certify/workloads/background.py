"""A process that goes on beside the scenario, started and ended through a shell.

The measuring process starts none itself (see certify.helper): a short command line leaves the
process behind in a session of its own, with its output in files. `rc` appears when it has ended.
"""

import shlex
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from certify.deadline import Deadline
from fault_injectors import FaultError, Shell

START_S = 20.0
POLL_S = 0.1


@dataclass(slots=True, kw_only=True)
class Background:
    """One process with the files `<name>.out`, `.err`, `.pid`, `.rc` in *folder*."""

    shell: Shell
    folder: Path
    name: str
    sleep: Callable[[float], None] = time.sleep
    _started: bool = field(init=False, default=False)

    def start(self, argv: Sequence[str], *, cwd: Path | None = None) -> None:
        """Start *argv*; return when it was started. Raises FaultError."""
        out, err, pid, rc = (self.file(end) for end in ("out", "err", "pid", "rc"))
        for path in (out, err, pid, rc):
            path.unlink(missing_ok=True)
        command = shlex.join(argv)
        inner = f"{command} & echo $! > {pid}; wait $!; echo $? > {rc}"
        where = f"cd {shlex.quote(str(cwd))} && " if cwd else ""
        line = f"{where}setsid sh -c {shlex.quote(inner)} </dev/null >{out} 2>{err} &"
        self.shell.run(("sh", "-c", line), timeout_s=START_S)
        self._started = True

    def file(self, end: str) -> Path:
        """Return the file of *end*: out, err, pid or rc."""
        return self.folder / f"{self.name}.{end}"

    def exit_status(self) -> int | None:
        """Return the exit status, None while it runs."""
        try:
            text = self.file("rc").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        return int(text) if text else None

    def end(self, number: signal.Signals, *, timeout_s: float) -> int | None:
        """Ask it to end by a signal; return its exit status, None if it had to be killed."""
        if not self._started:
            return None
        status = self._signalled(number, timeout_s)
        if status is None:
            self._signalled(signal.SIGKILL, timeout_s)
        return status

    def _signalled(self, number: signal.Signals, timeout_s: float) -> int | None:
        deadline = Deadline.after(timeout_s)
        if (status := self.exit_status()) is not None:
            return status
        # What ended just now, or never began, has no process; the files tell.
        with suppress(FaultError, FileNotFoundError, ValueError):
            self.shell.send_signal(int(self.file("pid").read_text(encoding="ascii")), number)
        while (status := self.exit_status()) is None and not deadline.passed:
            self.sleep(POLL_S)
        return status
