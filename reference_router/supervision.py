"""The channel between a supervisor and its engine: short JSON messages over a socket pair.

Engine to supervisor: "beat" (alive), "ready" (wants the rings), "opened" (has mapped them),
"status". Supervisor to engine: "open" (these rings are yours to open), "go" (they were reset:
serve), "stop" (planned stop), "manage" (attach or detach a leg).
"""

import json
import socket
from enum import StrEnum
from typing import Any

_MESSAGE_BYTES_MAX = 65536


class Kind(StrEnum):
    """What a message says."""

    BEAT = "beat"
    READY = "ready"
    OPENED = "opened"
    STATUS = "status"
    OPEN = "open"
    GO = "go"
    STOP = "stop"
    MANAGE = "manage"


class Channel:
    """One end of the socket pair (SOCK_SEQPACKET: whole messages or none)."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self.closed = False
        """Set once the other end was seen closed."""

    def fileno(self) -> int:
        """Return the descriptor, to poll."""
        return self._end.fileno()

    def send(self, kind: Kind, body: dict[str, Any] | None = None) -> bool:
        """Send a message; tell whether it went. It does not if the other end is dead or full."""
        message = json.dumps([kind, body or {}], separators=(",", ":")).encode()
        try:
            return self._end.send(message) == len(message)
        except OSError:
            return False

    def receive(self) -> tuple[Kind, dict[str, Any]] | None:
        """Return the next message, or None if there is none now."""
        try:
            message = self._end.recv(_MESSAGE_BYTES_MAX)
        except OSError:
            return None
        if not message:
            self.closed = True
            return None
        kind, body = json.loads(message)
        return Kind(kind), body

    def close(self) -> None:
        """Close this end."""
        self._end.close()


def channel_pair() -> tuple[Channel, socket.socket]:
    """Return the supervisor's end and the socket to hand to the engine."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(mine), theirs
