"""The link between the two engines: a stream socket that is always tried again. Shell, no protocol.

The engine of lower id listens, the other connects. Addresses: a path (Unix socket), or
"tcp:HOST:PORT".
"""

import contextlib
import select
import socket
from collections.abc import Iterator
from pathlib import Path

from reference_router.messages import Message, MessageError, decode, encode

_RETRY_NS = 100_000_000
_PENDING_BYTES_MAX = 4 << 20
_RECEIVE_BYTES = 65536
# A peer host that vanished without closing its sockets is noticed after 1 + 3 x 1 s.
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


class Link:
    """One end of the link. `epoll` gets and loses its sockets here."""

    def __init__(self, address: str, *, listens: bool, epoll: select.epoll) -> None:
        self._address = address
        self._listens = listens
        self._epoll = epoll
        self._listener = self._listen() if listens else None
        self._peer: socket.socket | None = None
        self._received = bytearray()
        self._pending = bytearray()
        self._next_try_ns = 0
        self.closed_why = ""

    @property
    def up(self) -> bool:
        """Tell whether there is a connection."""
        return self._peer is not None

    def connect(self, now_ns: int) -> bool:
        """Try to get a connection, now and then; tell whether one has come up."""
        if self._peer is not None:
            self._turn_away()
            return False
        if now_ns < self._next_try_ns:
            return False
        self._next_try_ns = 0 if self._listens else now_ns + _RETRY_NS
        peer = self._accept() if self._listens else self._dial()
        if peer is None:
            return False
        peer.setblocking(False)
        self._peer = peer
        self._received.clear()
        self._pending.clear()
        self._epoll.register(peer, select.EPOLLIN)
        return True

    def receive(self) -> Iterator[Message]:
        """Yield what has arrived. When the peer is gone, `up` is False afterwards."""
        while self._peer is not None:
            try:
                data = self._peer.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self.close(f"receive: {error}")
                return
            if not data:
                self.close("closed by the peer")
                return
            self._received += data
            *lines, rest = bytes(self._received).split(b"\n")
            self._received = bytearray(rest)
            for line in lines:
                try:
                    yield decode(line)
                except MessageError as error:
                    self.close(str(error))
                    return

    def send(self, messages: list[Message]) -> None:
        """Send messages, or as much as the socket takes; `flush` sends the rest."""
        if self._peer is None:
            return
        for message in messages:
            self._pending += encode(message)
        self.flush()

    def flush(self) -> None:
        """Send what is pending. A peer that takes nothing for long is given up."""
        while self._peer is not None and self._pending:
            try:
                sent = self._peer.send(self._pending)
            except BlockingIOError:
                if len(self._pending) > _PENDING_BYTES_MAX:
                    self.close("the peer does not read")
                return
            except OSError as error:
                self.close(f"send: {error}")
                return
            del self._pending[:sent]

    def close(self, why: str) -> None:
        """Close the connection, if there is one; a new one is tried later."""
        if self._peer is not None:
            self._epoll.unregister(self._peer)
            self._peer.close()
            self._peer = None
            self.closed_why = why

    def _listen(self) -> socket.socket:
        family, where = _resolve(self._address)
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        if family == socket.AF_UNIX:
            Path(self._address).parent.mkdir(parents=True, exist_ok=True)
            Path(self._address).unlink(missing_ok=True)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(1)
        self._epoll.register(listener, select.EPOLLIN)
        return listener

    def _turn_away(self) -> None:
        """Refuse a second connection: the peer tries again, when the first is known to be dead."""
        if self._listener is not None:
            with contextlib.suppress(BlockingIOError):
                self._listener.accept()[0].close()

    def _accept(self) -> socket.socket | None:
        if self._listener is None:
            return None
        try:
            peer, _ = self._listener.accept()
        except BlockingIOError:
            return None
        self._tune(peer)
        return peer

    def _dial(self) -> socket.socket | None:
        family, where = _resolve(self._address)
        peer = socket.socket(family, socket.SOCK_STREAM)
        peer.settimeout(0.05)  # far below the heartbeat time-out
        try:
            peer.connect(where)
        except OSError:
            peer.close()
            return None
        self._tune(peer)
        return peer

    def _tune(self, peer: socket.socket) -> None:
        if peer.family != socket.AF_UNIX:
            for level, option, value in _KEEPALIVE:
                with contextlib.suppress(OSError):
                    peer.setsockopt(level, option, value)


def _resolve(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if not address.startswith("tcp:"):
        return socket.AF_UNIX, address
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host.strip("[]"), int(port))
