"""The two engines as an operator and a debugger see them: status, log, signals."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certify.virtual_lab import layout
from reference_router.control import ask
from reference_router.state_file import is_redundant

CONFIG = layout.RUN / "router.toml"
POLL_S = 0.02


def wait_until(what: str, holds: Callable[[], Any], timeout_s: float = 15.0) -> Any:
    """Return what `holds` gives once that is true. Raises TimeoutError that says `what`."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:.0f} s for this: {what}")
        time.sleep(POLL_S)


@dataclass(frozen=True)
class Engine:
    """One engine with its supervisor."""

    name: str

    @property
    def log_path(self) -> Path:
        """The log of the supervisor and its engines."""
        return layout.RUN / f"{self.name}.log"

    def status(self) -> dict[str, Any]:
        """Ask the supervisor, which must not be stopped."""
        return ask(layout.RUN / f"{self.name}.ctl", "status")

    def unit(self, name: str = "lu0") -> dict[str, Any]:
        """Return the status of a unit, empty if the engine is away."""
        return self.status().get("units", {}).get(name, {})

    @property
    def pid(self) -> int:
        """The engine's process, 0 if there is none."""
        return self.status()["pid"] or 0

    @property
    def supervisor(self) -> int:
        """The supervisor's process."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"supervise" in words and self.name.encode() in words:
                    return int(folder.name)
        raise ProcessLookupError(f"no supervisor of {self.name}")

    def start(self, *words: str) -> None:
        """Start a dead engine, as `reference_router start` does."""
        ask(layout.RUN / f"{self.name}.ctl", "start", **dict.fromkeys(words, True))

    def run(self, verb: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the router's command line."""
        argv = [sys.executable, "-m", "reference_router", verb, "--config", str(CONFIG)]
        argv += ["--engine", self.name, *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    def kill(self, pid: int = 0) -> None:
        """SIGKILL the engine and wait until its supervisor has buried it."""
        os.kill(pid or self.pid, signal.SIGKILL)
        self.wait_dead()

    def wait_dead(self, timeout_s: float = 15.0) -> None:
        """Wait until the engine is gone and its tombstone stands."""
        wait_until(f"{self.name} is dead", lambda: self.status()["tombstone"], timeout_s)

    def log_from(self, offset: int) -> str:
        """Return what the log says after `offset`."""
        with self.log_path.open("rb") as file:
            file.seek(offset)
            return file.read().decode(errors="replace")

    @property
    def log_end(self) -> int:
        """Where the log ends now."""
        return self.log_path.stat().st_size


ENGINES = tuple(Engine(name) for name in layout.ENGINES)
UNITS = tuple(unit.name for unit in layout.LOGICAL_UNITS)


def redundant() -> bool:
    """Tell whether both engines say so, of the same epoch."""
    reports = [engine.status() for engine in ENGINES]
    if not all(is_redundant(report) for report in reports):
        return False
    epochs = [[report["units"][unit]["epoch"] for unit in UNITS] for report in reports]
    repairs = [report["units"][unit]["repairs_left"] for report in reports for unit in UNITS]
    return epochs[0] == epochs[1] and not any(repairs)


def leader_first() -> tuple[Engine, Engine]:
    """Return the leader and the follower of lu0."""
    one, two = ENGINES
    return (one, two) if one.unit()["members"][0] == 1 else (two, one)
