"""Where a running lab keeps its files, and how a dead one is told from a living one."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from certify.virtual_lab.boot import BootError

STANDING_LAB_VARIABLE = "ZEROSTALL_LAB"
"""Names the lab of `certify lab up`, for who wants more than one (the project's own tests do)."""

LOCK_TIMEOUT_S = 2.0


def base() -> Path:
    """Return this user's folder of labs; raise BootError if somebody else made it.

    Fixed below /tmp: a Unix socket's path is limited to 107 bytes and a kernel command line has
    no white space in its words, and TMPDIR may break both.
    """
    folder = Path(f"/tmp/zerostall-{os.getuid()}")  # noqa: S108 - checked to be ours and private
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    if seen.st_uid != os.getuid() or seen.st_mode & 0o077 or folder.is_symlink():
        raise BootError(f"{folder}: expected a folder of our own with mode 700; remove it")
    return folder


def standing() -> Path:
    """Return the folder of the lab that `certify lab up` starts."""
    return base() / Path(os.environ.get(STANDING_LAB_VARIABLE) or "lab").name


def new() -> Path:
    """Make the folder of a lab that lives as long as one run."""
    return Path(tempfile.mkdtemp(prefix="run-", dir=base()))


def socket_path(folder: Path) -> Path:
    """Return the keeper's socket."""
    return folder / "keeper.sock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Mark *folder* as in use while its keeper lives; remove it at the end.

    The mark is a lock, so it goes with the process, however that ends. A keeper that crashes
    leaves the folder with its log to whoever started it.
    """
    with (folder / "lock").open("w") as stream:
        _lock(stream)
        yield
        shutil.rmtree(folder, ignore_errors=True)


def _lock(stream: TextIO) -> None:
    """Take the lock; who only looks at it (`alive`) holds it for an instant."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise BootError(f"{stream.name}: another keeper holds it") from None
            time.sleep(0.01)
        else:
            return


def alive(folder: Path) -> bool:
    """Return whether *folder* has a living keeper."""
    try:
        with (folder / "lock").open("r") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def remove_dead() -> None:
    """Remove the folders of keepers that were killed before they could."""
    for folder in base().iterdir():
        if (folder / "lock").exists() and not alive(folder):
            shutil.rmtree(folder, ignore_errors=True)
