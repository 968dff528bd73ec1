"""The control socket of a supervisor: one JSON line asks, one JSON line answers."""

import contextlib
import json
import select
import socket
from pathlib import Path
from typing import Any

_ANSWER_LIMIT_S = 10.0
_LINE_BYTES_MAX = 65536


class ControlError(Exception):
    """The supervisor could not be asked, or refused; the message says why."""


class ControlServer:
    """The supervisor's end. Clients are local and short: each asks once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(8)

    def fileno(self) -> int:
        """Return the descriptor, to poll."""
        return self._listener.fileno()

    def accept(self) -> "Client | None":
        """Return a client that has connected, or None."""
        try:
            return Client(self._listener.accept()[0])
        except OSError:
            return None

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._listener.close()
        self._path.unlink(missing_ok=True)


class Client:
    """One asker, as the supervisor sees it."""

    def __init__(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        self._peer = peer
        self._received = b""

    def fileno(self) -> int:
        """Return the descriptor, to poll."""
        return self._peer.fileno()

    def question(self) -> dict[str, Any] | None:
        """Return the question once it is whole, else None. Raises ControlError if it is none."""
        try:
            data = self._peer.recv(_LINE_BYTES_MAX)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ControlError(f"control client: {error}") from error
        self._received += data
        if not data or len(self._received) > _LINE_BYTES_MAX:
            raise ControlError("control client left without a question")
        if not self._received.endswith(b"\n"):
            return None
        try:
            question = json.loads(self._received)
        except ValueError as error:
            raise ControlError(f"control client: not JSON: {error}") from error
        if not isinstance(question, dict):
            raise ControlError("control client: expected a JSON object")
        return question

    def answer(self, body: dict[str, Any]) -> None:
        """Answer, if the client is still there, and hang up."""
        with contextlib.suppress(OSError):
            self._peer.send(json.dumps(body).encode() + b"\n")
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._peer.close()


def ask(path: Path, command: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Ask the supervisor that listens at `path`. Raises ControlError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(_ANSWER_LIMIT_S)
        try:
            peer.connect(str(path))
            peer.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            received = b""
            while not received.endswith(b"\n"):
                select.select([peer], [], [], _ANSWER_LIMIT_S)
                data = peer.recv(_LINE_BYTES_MAX)
                if not data:
                    break
                received += data
            answer = json.loads(received)
        except (OSError, ValueError) as error:
            raise ControlError(f"{path}: no answer from a supervisor: {error}") from error
    if not isinstance(answer, dict):
        raise ControlError(f"{path}: {command}: expected a JSON object, seen {answer!r}")
    if answer.get("error"):
        raise ControlError(f"{path}: {command}: {answer['error']}")
    return answer
