"""A small process that starts all others, so that the measuring one never has to.

Starting a process from Python holds the interpreter's lock until the child has become another
program. Where the suite, the host and the system under test share one CPU that is hundreds of ms
in which no probe sends or takes an answer: the suite would measure itself. So a helper is started
before the probes are. It is asked over a pipe, one request at a time, a JSON line each way, and
what it starts steps back for others.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fault_injectors.shell import (
    FILE_TIMEOUT_S,
    Completed,
    FaultError,
    LocalShell,
    Shell,
    shell_for,
)

NICENESS = 5
"""Behind everything of the default, yet not starved by it."""
GRACE_S = 30.0
"""Over the command's own time-out: a helper that takes longer is given up."""
STOP_S = 5.0
LOCAL = "local"


@dataclass(slots=True)
class Helper:
    """The helper's other end. Safe for several threads, which then wait for each other."""

    _process: "subprocess.Popen[bytes] | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start the helper; harmless if it runs."""
        if self._process is None:
            root = str(Path(__file__).resolve().parents[1])
            self._process = subprocess.Popen(
                [sys.executable, "-m", "certify.helper"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, "PYTHONPATH": root},
            )

    def stop(self) -> None:
        """End the helper; harmless if it does not run."""
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            with suppress(subprocess.TimeoutExpired):  # it waits in the kernel: leave it there
                process.wait(STOP_S)
        process.stdout.close()

    def shell_for(self, reach: str) -> Shell:
        """Return the shell that a lab file calls *reach*, whose commands the helper starts."""
        if reach == LOCAL:
            return HelpedLocalShell(self)
        return HelpedRemoteShell(helper=self, reach=reach)

    def ask(self, reach: str, method: str, arguments: dict[str, Any], *, timeout_s: float) -> Any:  # noqa: ANN401 - JSON
        """Let the helper call a method of the shell for *reach*; return what it returned.

        Raises FaultError with the shell's message, or because the helper does not answer.
        """
        request = json.dumps({"reach": reach, "method": method, "arguments": arguments})
        with self._lock:
            answer = json.loads(self._exchange(request.encode() + b"\n", timeout_s + GRACE_S))
        if "error" in answer:
            raise FaultError(answer["error"])
        return answer["value"]

    def _exchange(self, request: bytes, timeout_s: float) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise FaultError("the suite's helper process was not started")
        try:
            process.stdin.write(request)
            answer = b""
            while not answer.endswith(b"\n"):
                if not select.select([process.stdout], [], [], timeout_s)[0]:
                    raise FaultError(f"the suite's helper gave no answer in {timeout_s:g} s")
                part = os.read(process.stdout.fileno(), 1 << 16)
                if not part:
                    raise FaultError("the suite's helper process has ended")
                answer += part
        except BrokenPipeError as error:
            raise FaultError("the suite's helper process has ended") from error
        return answer


class HelpedLocalShell(LocalShell):
    """This machine: its files need no command, its commands are started by the helper."""

    __slots__ = ("_helper",)

    def __init__(self, helper: Helper) -> None:
        self._helper = helper

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        """See Shell.run."""
        return _run(self._helper, self.reach, argv, timeout_s=timeout_s, check=check)


@dataclass(frozen=True, slots=True)
class HelpedRemoteShell:
    """Another machine: the helper starts the ssh(1) that each call needs."""

    helper: Helper
    reach: str

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        """See Shell.run."""
        return _run(self.helper, self.reach, argv, timeout_s=timeout_s, check=check)

    def read_text(self, path: str) -> str:
        """See Shell.read_text."""
        return str(self._ask("read_text", path=path))

    def write_text(self, path: str, text: str) -> None:
        """See Shell.write_text."""
        self._ask("write_text", path=path, text=text)

    def exists(self, path: str) -> bool:
        """See Shell.exists."""
        return bool(self._ask("exists", path=path))

    def glob(self, pattern: str) -> list[str]:
        """See Shell.glob."""
        return [str(path) for path in self._ask("glob", pattern=pattern)]

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """See Shell.send_signal."""
        self._ask("send_signal", pid=pid, number=int(number))

    def _ask(self, method: str, **arguments: str | int) -> Any:  # noqa: ANN401 - JSON
        return self.helper.ask(self.reach, method, arguments, timeout_s=FILE_TIMEOUT_S)


def _run(
    helper: Helper, reach: str, argv: Sequence[str], *, timeout_s: float, check: bool
) -> Completed:
    arguments = {"argv": list(argv), "timeout_s": timeout_s, "check": check}
    value = helper.ask(reach, "run", arguments, timeout_s=timeout_s)
    return Completed(**{**value, "argv": tuple(value["argv"])})


def serve(requests: Iterable[bytes], answer: Callable[[bytes], object]) -> None:
    """Answer every request with one line, until there are no more."""
    shells: dict[str, Shell] = {}
    for line in requests:
        request = json.loads(line)
        try:
            reach = request["reach"]
            shell = shells.setdefault(reach, shell_for(reach))
            told = {"value": _call(shell, request["method"], request["arguments"])}
        except FaultError as error:
            told = {"error": str(error)}
        answer(json.dumps(told).encode() + b"\n")


def _call(shell: Shell, method: str, arguments: dict[str, Any]) -> object:
    if method == "run":
        return asdict(shell.run(**arguments))
    if method == "send_signal":
        shell.send_signal(arguments["pid"], signal.Signals(arguments["number"]))
        return None
    calls: dict[str, Callable[..., object]] = {
        "read_text": shell.read_text,
        "write_text": shell.write_text,
        "exists": shell.exists,
        "glob": shell.glob,
    }
    return calls[method](**arguments)


def main() -> None:
    """Be the helper: requests on stdin, answers on stdout, until stdin is closed."""
    # Ctrl-C at a terminal reaches all of its processes; healing still needs this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    serve(sys.stdin.buffer, lambda line: os.write(sys.stdout.fileno(), line))


if __name__ == "__main__":
    main()
