"""A machine of dictionaries for tests of faults: files, processes, device-mapper, commands."""

import fnmatch
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from fault_injectors import Completed, FaultError


@dataclass
class FakeShell:
    """Implements Shell on plain data; `calls` tells what was asked of it."""

    files: dict[str, str] = field(default_factory=dict)
    commands: dict[str, Callable[[], tuple[int, str]]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    reach: str = "local"

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        self.calls.append(" ".join(argv))
        status, text = self._answer(tuple(argv))
        completed = Completed(argv=tuple(argv), exit_status=status, stdout=text, stderr=text)
        if check and status != 0:
            raise FaultError(completed.failure())
        return completed

    def _answer(self, argv: tuple[str, ...]) -> tuple[int, str]:
        return self.commands[" ".join(argv)]()

    def read_text(self, path: str) -> str:
        if path not in self.files:
            raise FaultError(f"cannot read {path}: missing")
        return self.files[path]

    def write_text(self, path: str, text: str) -> None:
        self.calls.append(f"write {text!r} {path}")
        if path in self.refused or path not in self.files or not text.endswith("\n"):
            raise FaultError(f"cannot write {path}")
        self.files[path] = text

    def exists(self, path: str) -> bool:
        return path in self.files

    def glob(self, pattern: str) -> list[str]:
        found = {"/".join(path.split("/")[: pattern.count("/") + 1]) for path in self.files}
        return sorted(path for path in found if fnmatch.fnmatchcase(path, pattern))

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        self.calls.append(f"{number.name} {pid}")
        path = f"/proc/{pid}/stat"
        if number is signal.SIGKILL:
            del self.files[path]
            return
        state = "T" if number is signal.SIGSTOP else "S"
        self.set_process(pid, state=state, start_time=777)

    def set_process(self, pid: int, *, state: str = "S", start_time: int = 777) -> None:
        middle = " ".join("0" for _ in range(18))
        self.files[f"/proc/{pid}/stat"] = f"{pid} (a (b) c) {state} {middle} {start_time} 0 0\n"


@dataclass
class FakeDeviceMapper(FakeShell):
    """A FakeShell whose dmsetup keeps tables, and may die after any verb."""

    live: dict[str, str] = field(default_factory=dict)
    inactive: dict[str, str] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    dies_at: str = ""
    told: list[str] = field(default_factory=list)

    def _answer(self, argv: tuple[str, ...]) -> tuple[int, str]:
        if argv[0] != "dmsetup":
            return self.commands[argv[0]]()
        verb = argv[2]
        if verb == self.dies_at:
            raise KeyboardInterrupt
        if verb == "load":
            self.inactive[argv[3]] = argv[5]
            return 0, ""
        if verb == "message":
            self.told.append(" ".join(argv[3:]))
            return 0, ""
        if "minor" in argv:
            return 0, f"  {sorted(self.live).index(argv[-1])}\n"
        devices = [word for word in argv[3:] if word in self.live]
        if verb == "suspend":
            self.suspended.update(devices)
        elif verb == "resume":
            self.live |= {d: self.inactive.pop(d) for d in devices if d in self.inactive}
            self.suspended.difference_update(devices)
        return 0, "".join(self._line(verb, device, len(devices)) for device in devices)

    def _line(self, verb: str, device: str, count: int) -> str:
        if verb == "info":
            return f"{device} {'Suspended' if device in self.suspended else 'Active'}\n"
        if verb != "table":
            return ""
        prefix = f"{device}: " if count > 1 else ""
        return "".join(f"{prefix}{line}\n" for line in self.live[device].splitlines())


@pytest.fixture
def shell() -> FakeShell:
    """Two SCSI devices of a path, one of another, and the engine's process."""
    states = {
        f"/sys/class/scsi_device/{hctl}/device/state": "running\n"
        for hctl in ("2:0:1:0", "2:0:1:1", "3:0:1:0")
    }
    return FakeShell(files=states)


@pytest.fixture
def device_mapper() -> FakeDeviceMapper:
    """An array of two logical units, each linear on a disk of its own."""
    return FakeDeviceMapper(
        live={"b-lu0": "0 131072 linear 7:0 0", "b-lu1": "0 65536 linear 7:1 8"}
    )
