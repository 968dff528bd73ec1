"""One connection of the link: a socket, its codec and what is pending. Shell.

Nothing here raises for what the peer or the network does: `failed` says it, `refused` whether the
peer said something that it must not say.
"""

import select
import socket
from collections import deque

from reference_router.frames import BODY_BYTES_MAX, Codec, FrameError
from reference_router.peer_process import PeerProcess

PENDING_BYTES_MAX = 2 * BODY_BYTES_MAX
RECEIVE_BYTES = 65536


class Session:
    """A connection from its first byte on. `epoll` has its socket until `close`.

    `inbox` holds the bodies that have arrived. `began_ns` is when it was connected or dialled.
    """

    def __init__(
        self, peer: socket.socket, codec: Codec, *, epoll: select.epoll, began_ns: int
    ) -> None:
        peer.setblocking(False)
        self.began_ns = began_ns
        self.failed = ""
        self.refused = False
        self.heard = False
        self.inbox: deque[bytes] = deque()
        self._peer = peer
        self._codec = codec
        self._epoll = epoll
        self._pending = bytearray()
        self._waits_to_send = False
        epoll.register(peer, select.EPOLLIN)
        self._introduce()

    @property
    def established(self) -> bool:
        """Tell whether the peer has proven that it has the key."""
        return self._codec.established

    def process(self) -> PeerProcess:
        """Return what is known of the process at the other end."""
        return PeerProcess(self._peer, self._codec.peer_card, epoll=self._epoll)

    def read(self) -> int:
        """Take once what has arrived; return the bytes, 0 if there is nothing or never will be.

        It goes on after a failure to send: a peer that left has said so before.
        """
        try:
            data = self._peer.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._fail(f"receive: {error}")
            return 0
        if not data:
            where = " in the middle of a frame" if self._codec.buffered_bytes else ""
            self._fail(f"closed by the peer{where}")
            return 0
        self.heard = True
        try:
            self.inbox.extend(self._codec.feed(data))
        except FrameError as error:
            self._introduce()  # so that a peer with another key can tell it too
            self.refuse(str(error))
            return 0
        self._introduce()
        return len(data)

    def send(self, bodies: list[bytes]) -> None:
        """Send bodies, or as much as the socket takes; the rest when it takes more."""
        for body in bodies:
            try:
                self._push(self._codec.seal(body))
            except FrameError as error:
                self.refuse(str(error))
        self.flush()

    def flush(self) -> None:
        """Send what is pending, as much as the socket takes."""
        while self._pending and not self.failed:
            try:
                sent = self._peer.send(self._pending)
            except BlockingIOError:
                break
            except OSError as error:
                self._fail(f"send: {error}")
            else:
                del self._pending[:sent]
        waits = bool(self._pending)
        if waits != self._waits_to_send:
            self._waits_to_send = waits
            self._epoll.modify(self._peer, select.EPOLLIN | (select.EPOLLOUT if waits else 0))

    def refuse(self, why: str) -> None:
        """Give the session up for what the peer said, or for what it cannot be told."""
        self.refused = True
        self.failed = why
        self._pending.clear()

    def close(self) -> None:
        """Close the connection."""
        self._epoll.unregister(self._peer)
        self._peer.close()

    def _introduce(self) -> None:
        if output := self._codec.output():
            self._push(output)
            self.flush()

    def _push(self, data: bytes) -> None:
        if self.failed:
            return
        if len(self._pending) + len(data) > PENDING_BYTES_MAX:
            self.flush()
        if len(self._pending) + len(data) > PENDING_BYTES_MAX:
            self._fail(f"the peer does not read: {len(self._pending)} bytes are pending")
            return
        self._pending += data

    def _fail(self, why: str) -> None:
        self._pending.clear()
        if not self.failed:
            self.failed = why
