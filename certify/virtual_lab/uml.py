"""User Mode Linux: Debian's kernel as an ordinary process, at native speed, without root or KVM."""

import contextlib
import mmap
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from certify.virtual_lab.boot import Boot, BootError, cache_folder, need, run_tool

MODULES = Path("/usr/lib/uml/modules")
MEMORY_FILE_TIMEOUT_S = 5.0
SHARED_FREE_BYTES = 1536 << 20  # what must be free in /dev/shm for a guest's memory to go there
TOUCH_BYTES = 8 << 20  # at a time: Python's mmap keeps other threads waiting
SHIM_SOURCE = Path(__file__).with_name("uml_xstate.c")


class Uml:
    """The package user-mode-linux, with a shim where the host's processor needs one.

    Its one processor is a handful of host processes that wake each other, one at a time. Where the
    host's scheduler spreads them, each system call and each page fault in the guest wakes another
    processor, twice, and takes four times as long (docs/virtual-lab.md).
    """

    name: ClassVar[str] = "uml"
    one_processor: ClassVar[bool] = True
    wake_interval_s: ClassVar[float] = 0.05
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
            f"mem={boot.memory_mib}M",
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
            *(f"ubd{letter}={disk}" for letter, disk in zip("abcdefgh", boot.disks, strict=False)),
            *(
                f"vec{number}:transport=fd,fd={one.fd},vec=0,mac={one.mac}"
                for number, one in enumerate(boot.interfaces)
            ),
            f"init={boot.folder}/init.sh",
        ]

    def environment(self) -> dict[str, str]:
        """Return where UML keeps its memory file and which shim it loads."""
        extra = {"TMPDIR": _memory_folder()}
        if needs_shim():
            extra["LD_PRELOAD"] = str(shim_path())
        return extra

    def settle(self, pid: int, memory_mib: int) -> None:
        """Have the host find all of the guest's memory now, not page by page while it measures."""
        touch_end(memory_file(pid, memory_mib << 20), memory_mib << 20)

    def wake(self, pid: int) -> None:
        """Send the guest the signal of its timer, SIGALRM, if its kernel is there to take it.

        UML 6.1 loses one now and then: one that comes while another is handled is dropped
        (arch/um/os-Linux/signal.c, unblock_signals). If it was for anything but the tick, the
        kernel believes for ever that its next event is set (kernel/time/hrtimer.c,
        hrtimer_reprogram): no timer of the guest ends any more, and it is busy being idle. One
        signal too many has it look, find nothing and set its next event anew.
        """
        with contextlib.suppress(ProcessLookupError):
            if catches(pid, signal.SIGALRM):
                os.kill(pid, signal.SIGALRM)


def memory_file(pid: int, least_bytes: int) -> Path:
    """Return the memory file of the guest whose process is *pid*, as that process holds it open.

    UML makes it early in its boot, without a name. Raises BootError if it is not there in 5 s.
    """
    deadline = time.monotonic() + MEMORY_FILE_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):  # a descriptor, or the process, just closed
            for link in Path(f"/proc/{pid}/fd").iterdir():
                found = link.stat()
                if found.st_nlink == 0 and found.st_size >= least_bytes:
                    return link
        time.sleep(0.02)
    raise BootError(f"linux.uml, process {pid}, opened no memory file; is TMPDIR full?")


def touch_end(path: Path, length: int) -> None:
    """Have a page of memory behind each page of a file's last *length* bytes; they stay.

    What comes before is a gap in which UML's own program and heap are, which the guest never uses
    (arch/um/kernel/um_arch.c, "exec-shield gap").

    A page that nobody has touched yet costs the guest's one processor a fault on the host, a page
    to be cleared, and, where the host is a guest itself, a fault there: a third of its time while
    an engine was killed, so that I/O was late by 400 ms (docs/virtual-lab.md).
    """
    flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        begin = max(0, size - length) // mmap.PAGESIZE * mmap.PAGESIZE
        for offset in range(begin, size, TOUCH_BYTES):
            piece = min(TOUCH_BYTES, size - offset)
            mmap.mmap(stream.fileno(), piece, flags, mmap.PROT_READ, offset=offset).close()


def catches(pid: int, number: signal.Signals) -> bool:
    """Return whether the process has a handler for a signal; what it does not catch may end it."""
    with contextlib.suppress(FileNotFoundError):  # it has ended
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


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
    if usable and shutil.disk_usage(shared).free > SHARED_FREE_BYTES:
        return str(shared)
    return os.environ.get("TMPDIR", "/tmp")  # noqa: S108
