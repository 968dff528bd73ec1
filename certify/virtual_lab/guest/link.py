"""Cut the link between the reference router's engines, mend it, say whether it is cut.

The link is a Unix socket that engine 1 listens on. To cut it without a relay in its way, which
would slow it down for everybody, the connected socket is borrowed from the engine's process by
pidfd_getfd(2) and shut down: both ends see the end of the stream, as with a pulled cable. The
socket's name is moved aside, so that nobody can connect again.
"""

import ctypes
import os
import socket
import sys
from pathlib import Path

from certify.virtual_lab import layout

PLACE = layout.RUN / "link-1.sock"
ASIDE = layout.RUN / "link-1.cut"
UNIX = Path("/proc/net/unix")
CONNECTED = "03"
"""SS_CONNECTED (include/uapi/linux/net.h), as /proc/net/unix prints it."""
PIDFD_GETFD = 438
"""System call number, the same on all architectures (Linux 5.6)."""


def cut() -> None:
    """Move the name aside, then shut down every session. Raises OSError."""
    if PLACE.exists():
        PLACE.rename(ASIDE)
    for inode in sessions():
        for pid, descriptor in owners(inode):
            shut_down(pid, descriptor)


def mend() -> None:
    """Give the socket its name back; engines connect by themselves."""
    if ASIDE.exists():
        ASIDE.rename(PLACE)


def is_cut() -> bool:
    """Tell whether there is no session and none can begin."""
    return ASIDE.exists() and not PLACE.exists() and not sessions()


def sessions() -> set[str]:
    """Return the inodes of connected sockets that engine 1 accepted (unix_seq_show)."""
    lines = (line.split() for line in UNIX.read_text(encoding="ascii").splitlines()[1:])
    return {
        fields[6]
        for fields in lines
        if len(fields) > 7 and fields[5] == CONNECTED and fields[7] == str(PLACE)
    }


def owners(inode: str) -> list[tuple[int, int]]:
    """Return the processes that have a socket open, with their descriptors of it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(entry) == f"socket:[{inode}]":  # noqa: PTH115 - no file is behind it
                found.append((int(entry.parts[2]), int(entry.name)))
        except OSError:
            continue
    return found


def shut_down(pid: int, descriptor: int) -> None:
    """Shut down another process's socket in both directions."""
    process = os.pidfd_open(pid)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        ours = libc.syscall(PIDFD_GETFD, process, descriptor, 0)
        if ours < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"pidfd_getfd of process {pid}: {os.strerror(code)}")
    finally:
        os.close(process)
    with socket.socket(fileno=ours) as session:
        session.shutdown(socket.SHUT_RDWR)


def main() -> int:
    """Run one verb; is_cut exits 0 for yes."""
    verb = sys.argv[1]
    if verb == "is_cut":
        return 0 if is_cut() else 1
    {"cut": cut, "mend": mend}[verb]()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
