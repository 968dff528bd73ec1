"""The process at the other end of a Unix socket, and the proof that it has ended. Shell.

SO_PEERCRED (unix(7)) names the process that connected or, seen from the connecting side, that
called listen(). Through a relay that is the relay, whose death proves nothing: so the peer also
says in its authenticated card which process of which boot it is, and only if both agree its death
can be proven.
"""

import contextlib
import os
import select
import socket
import struct
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def card_of(pid: int) -> bytes:
    """Return the name of a process of this boot, b"" if the boot has no id."""
    try:
        return f"{_BOOT_ID.read_text(encoding='ascii').strip()} {pid}".encode()
    except OSError:
        return b""


class PeerProcess:
    """What is known of the peer's process. Wakes `epoll` once when it ends.

    A process ends in this sense when its asynchronous I/O has ended too: the kernel waits for that
    (`exit_mm`, `exit_aio`) before it makes the pidfd readable (`exit_notify`, kernel/exit.c).
    """

    def __init__(self, peer: socket.socket, card: bytes, *, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._fd = -1
        self._ended = False
        if peer.family != socket.AF_UNIX:
            return
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, _, _ = _CREDENTIALS.unpack(raw)
        if pid <= 0 or not card or card != card_of(pid):  # 0: of a PID namespace not seen here
            return
        try:
            # If the number were taken by another process by now, that one lives: no proof, no harm.
            self._fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended = True
        except OSError:
            return
        else:
            self._epoll.register(self._fd, select.EPOLLIN | select.EPOLLONESHOT)

    def ended(self) -> bool:
        """Tell whether the process has certainly ended."""
        if not self._ended and self._fd >= 0:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            self._ended = bool(poll.poll(0))
        return self._ended

    def close(self) -> None:
        """Let go of the process: a later peer is another one."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                self._epoll.unregister(self._fd)
            os.close(self._fd)
            self._fd = -1
