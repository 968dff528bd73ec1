"""What every kernel needs to boot a guest, and what can go wrong with it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

MEMORY_MIB = 1536
MEMINFO = Path("/proc/meminfo")


class BootError(Exception):
    """The guest cannot boot or the lab in it cannot be brought up; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface of a guest: its end of a cable, SOCK_SEQPACKET, a frame a packet."""

    fd: int
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One boot: where its files are and which descriptors it inherits."""

    folder: Path  # holds init.sh, boot.env, settings.json; a path without white space
    share: Path  # the host folder that the guest may write to
    agent_fd: int  # our serial line's far end
    console_fd: int  # where the kernel's console goes
    memory_mib: int = MEMORY_MIB
    interfaces: tuple[Interface, ...] = ()
    disks: tuple[Path, ...] = ()  # files of the host that the guest has as block devices


class Kernel(Protocol):
    """A way to run a guest kernel. `prepare` may take time; `command` is pure."""

    name: ClassVar[str]
    one_processor: ClassVar[bool]  # whether the guest is to keep to one of the host's processors
    wake_interval_s: ClassVar[float]  # how often a guest that is up is to be woken; 0: never
    share_filesystem: ClassVar[str]  # how init.sh mounts the share
    agent_port: ClassVar[str]  # the serial line's name inside the guest
    first_word_timeout_s: ClassVar[float]  # until the agent speaks
    ready_timeout_s: ClassVar[float]  # until the lab is ready

    def prepare(self, report: Callable[[str], None]) -> None:
        """Fetch and unpack what is missing; raise BootError naming it."""

    def modules(self) -> Path:
        """Return the folder that holds a folder of modules per kernel release."""

    def command(self, boot: Boot) -> list[str]:
        """Return the argv of the guest's process."""

    def environment(self) -> dict[str, str]:
        """Return what the guest's process needs beside our own environment."""

    def settle(self, pid: int, memory_mib: int) -> None:
        """Do what makes the guest of process *pid* steady, while it boots; may take seconds."""

    def wake(self, pid: int) -> None:
        """Have the guest of process *pid* look at its timers."""


def cache_folder() -> Path:
    """Return the project's cache: in the checkout, or the user's cache for an installed wheel."""
    if chosen := os.environ.get("ZEROSTALL_CACHE"):
        return Path(chosen)
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists() and os.access(checkout, os.W_OK):
        return checkout / ".cache"
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "zerostall"


def need(program: str, *, package: str) -> str:
    """Return the full path of *program*; raise BootError naming the Debian package if missing."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise BootError(f"{program} is not installed; it is in the Debian package {package}")
    return found


def run_tool(argv: list[str], *, timeout_s: float, cwd: Path | None = None) -> str:
    """Run a tool of the boot; return its stdout; raise BootError with its last words."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=timeout_s, cwd=cwd, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BootError(f"{' '.join(argv)}: {error}") from error
    if done.returncode:
        last = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise BootError(f"{' '.join(argv)}: exit status {done.returncode}: {last}")
    return done.stdout


def require_memory(memory_mib: int = MEMORY_MIB, *, what: str = "a guest") -> None:
    """Raise BootError when the host has less free memory than *what* takes."""
    for line in MEMINFO.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            free_mib = int(line.split()[1]) // 1024
            if free_mib < memory_mib:
                raise BootError(
                    f"no memory: {what} takes up to {memory_mib} MiB, {free_mib} MiB are available"
                )
