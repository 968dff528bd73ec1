"""Serves metrics by HTTP on a Unix socket or a loopback port, in a thread of the supervisor. Shell.

One request at a time, each with a time limit. The thread only reads a snapshot that the
supervisor's loop puts there. Both share the interpreter, so the thread runs just below the
supervisor's own priority: were it to wait for a processor in the middle of an answer, a tombstone
would wait with it.
"""

import contextlib
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from reference_router.metrics import CONTENT_TYPE, parse_address, render

_PATH = "/metrics"
_REQUEST_LIMIT_S = 2.0


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    timeout = _REQUEST_LIMIT_S

    def do_GET(self) -> None:
        """Answer /metrics."""
        if self.path.partition("?")[0] != _PATH:
            self.send_error(404, f"expected {_PATH}")
            return
        body = render(self.server.snapshot()).encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Return who asks; a Unix socket has no name for it."""
        return "local"

    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape is no event."""


class _Server(socketserver.TCPServer):
    allow_reuse_address = True
    snapshot: Callable[[], dict[str, Any]]

    def __init__(self, family: int, address: Any) -> None:  # noqa: ANN401 - as the family has it
        self.address_family = family
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that left."""


class MetricsServer:
    """The thread and its socket. `snapshot` gives the newest status and must not block."""

    def __init__(self, address: str, snapshot: Callable[[], dict[str, Any]]) -> None:
        """Listen at `address`, see `parse_address`. Raises OSError, ValueError."""
        where = parse_address(address)
        self._path = where if isinstance(where, Path) else None
        self._server = _listen(where)
        self._server.snapshot = snapshot
        self._thread = threading.Thread(target=self._serve, daemon=True, name="metrics")
        self._thread.start()

    def close(self) -> None:
        """Stop, and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            mine = os.sched_getparam(os.getpid()).sched_priority  # of the supervisor's main thread
            if mine > 1:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(mine - 1))
        self._server.serve_forever()


def _listen(where: Path | tuple[str, int]) -> _Server:
    if isinstance(where, tuple):
        return _Server(socket.AF_INET6 if ":" in where[0] else socket.AF_INET, where)
    where.parent.mkdir(parents=True, exist_ok=True)
    where.unlink(missing_ok=True)
    return _Server(socket.AF_UNIX, str(where))
