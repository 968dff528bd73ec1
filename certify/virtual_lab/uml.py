"""User Mode Linux: Debian's kernel as an ordinary process, at native speed, without root or KVM."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from certify.virtual_lab.boot import MEMORY_MIB, Boot, BootError, cache_folder, need, run_tool

MODULES = Path("/usr/lib/uml/modules")
SHIM_SOURCE = Path(__file__).with_name("uml_xstate.c")


class Uml:
    """The package user-mode-linux, with a shim where the host's processor needs one.

    Its one processor is a handful of host processes that wake each other, one at a time. Where the
    host's scheduler spreads them, each system call and each page fault in the guest wakes another
    processor, twice, and takes four times as long (docs/virtual-lab.md).
    """

    name: ClassVar[str] = "uml"
    one_processor: ClassVar[bool] = True
    share_filesystem: ClassVar[str] = "hostfs"
    agent_port: ClassVar[str] = "ttyS0"
    first_word_timeout_s: ClassVar[float] = 30.0
    ready_timeout_s: ClassVar[float] = 90.0

    def prepare(self, report: Callable[[str], None]) -> None:
        """Check the package; build the shim when the processor's state is too large for UML."""
        need("linux.uml", package="user-mode-linux")
        if not MODULES.is_dir():
            raise BootError(f"{MODULES} is missing; it is in the Debian package user-mode-linux")
        if needs_shim() and not shim_path().exists():
            report("building the AMX shim for User Mode Linux")
            build_shim(shim_path())

    def modules(self) -> Path:
        """Return the package's own module folder."""
        return MODULES

    def command(self, boot: Boot) -> list[str]:
        """Return linux.uml's command line; the consoles are descriptors, never a terminal."""
        return [
            need("linux.uml", package="user-mode-linux"),
            f"mem={MEMORY_MIB}M",
            "rootfstype=hostfs",
            "rootflags=/",
            "ro",
            "loglevel=5",
            "con=null",
            f"con0=null,fd:{boot.console_fd}",
            "ssl=null",
            f"ssl0=fd:{boot.agent_fd},fd:{boot.agent_fd}",
            f"uml_dir={boot.folder}/",
            "umid=guest",
            f"init={boot.folder}/init.sh",
        ]

    def environment(self) -> dict[str, str]:
        """Return where UML keeps its memory file and which shim it loads."""
        extra = {"TMPDIR": _memory_folder()}
        if needs_shim():
            extra["LD_PRELOAD"] = str(shim_path())
        return extra


def needs_shim() -> bool:
    """Return whether the processor has AMX, whose state UML 6.1 cannot handle."""
    return " amx_tile" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")


def shim_path() -> Path:
    """Return where the built shim is kept; ld.so splits LD_PRELOAD at spaces and colons."""
    folder = cache_folder()
    if any(sign in str(folder) for sign in " :"):
        folder = Path(f"/var/tmp/zerostall-{os.getuid()}")  # noqa: S108 - owned by us, checked below
    return folder / f"uml_xstate-{SHIM_SOURCE.stat().st_mtime_ns:x}.so"


def build_shim(path: Path) -> None:
    """Compile the shim to *path*; raise BootError when there is no compiler."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise BootError(f"{path.parent} belongs to another user; a library from it is not loaded")
    compiler = need("gcc", package="gcc and libc6-dev")
    unfinished = path.with_suffix(f".{os.getpid()}")
    argv = [compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", str(unfinished), str(SHIM_SOURCE)]
    run_tool(argv, timeout_s=60)
    unfinished.replace(path)


def _memory_folder() -> str:
    shared = Path("/dev/shm")  # noqa: S108 - UML unlinks its memory file as soon as it is open
    usable = shared.is_dir() and os.access(shared, os.W_OK | os.X_OK)
    if usable and shutil.disk_usage(shared).free > MEMORY_MIB << 20:
        return str(shared)
    return os.environ.get("TMPDIR", "/tmp")  # noqa: S108
