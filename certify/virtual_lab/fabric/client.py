"""Tell a fabric what to do, and ask it."""

import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from certify.virtual_lab.fabric import wire
from certify.virtual_lab.fabric.cable import Condition, Way
from certify.virtual_lab.fabric.switch import FabricError

ANSWER_TIMEOUT_S = 5.0


class FabricClient:
    """A connection to a fabric's socket. Every call raises FabricError if it is not followed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(ANSWER_TIMEOUT_S)
        try:
            self._socket.connect(os.fspath(path))
        except OSError as error:
            self._socket.close()
            raise FabricError(f"fabric {path}: cannot be reached: {error}") from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._socket.close()

    def attach(self, node: str, end: socket.socket) -> wire.State:
        """Plug *node* in; *end* is the fabric's end of its socket pair, and may be closed after."""
        return self._ask(wire.Attach(node=node), [end.fileno()])

    def set(self, node: str, way: Way, condition: Condition) -> wire.State:
        """Let one way of a node's cable be as *condition* says."""
        return self._ask(wire.Set(node=node, way=way, condition=condition))

    def look(self) -> wire.State:
        """Return how all cables are and what became of the frames on them."""
        return self._ask(wire.Look())

    def _ask(self, request: wire.Request, descriptors: list[int] | None = None) -> wire.State:
        try:
            socket.send_fds(self._socket, [wire.encode(request)], descriptors or [])
            packet = self._socket.recv(wire.MESSAGE_OCTETS_MAX)
        except OSError as error:
            raise FabricError(f"fabric {self._path}: {error}") from error
        if not packet:
            raise FabricError(f"fabric {self._path}: it ended")
        answer = wire.decode_answer(packet)
        if isinstance(answer, wire.Refused):
            raise FabricError(f"fabric {self._path}: {answer.why}")
        return answer
