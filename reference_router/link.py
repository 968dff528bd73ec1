"""The link to another daemon: authenticated sessions, always tried again. Shell, no protocol.

Between two engines the one of lower id listens, the other connects; an engine connects to the
witness. Addresses: a path (Unix socket), or
"tcp:HOST:PORT". A connection counts only when its peer has proven that it has the key; until then
the next one replaces it, so a stranger is in nobody's way.
"""

import contextlib
import errno
import os
import secrets
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from reference_router.frames import NONCE_BYTES, Codec
from reference_router.messages import MessageError
from reference_router.peer_process import PeerProcess, card_of
from reference_router.session import RECEIVE_BYTES, Session

_RETRY_NS = 100_000_000
_REFUSED_NS = 1_000_000_000  # between sessions that come to nothing, so that no log is flooded
_HALF_OPEN_NS = 1_000_000_000
_RECEIVE_BYTES_MAX = 1 << 20  # at a time: the loop has other work
_BACKLOG = 4
# A peer host that vanished without closing its sockets is noticed after 1 + 3 x 1 s.
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)

_Message = TypeVar("_Message")


class Link(Generic[_Message]):
    """One end of the link. `epoll` gets and loses its sockets here.

    `encode` and `decode` are of the messages that it carries; `decode` raises MessageError.

    What a peer or a stranger does is never an exception: the session is closed, and `closed_why`
    says why. Construction raises OSError or ValueError for an address that cannot be used.
    """

    def __init__(
        self,
        address: str,
        *,
        listens: bool,
        epoll: select.epoll,
        key: bytes,
        encode: Callable[[_Message], bytes],
        decode: Callable[[bytes], _Message],
    ) -> None:
        self._encode, self._decode = encode, decode
        self._family, self._where = resolve(address)
        self._epoll = epoll
        self._key = key
        self._card = card_of(os.getpid())
        self._listener = self._listen(address) if listens else None
        self._waiting: socket.socket | None = None  # accepted while a session was up
        self._half_open: Session | None = None
        self._session: Session | None = None
        self._process: PeerProcess | None = None
        self._now_ns = self._next_try_ns = self._next_news_ns = 0
        self._news = self._told = ""
        self.closed_why = ""

    @property
    def up(self) -> bool:
        """Tell whether there is a session with a peer that has the key."""
        return self._session is not None

    def connect(self, now_ns: int) -> bool:
        """Go on towards a session, a step at a time; tell whether one has come up."""
        self._now_ns = now_ns
        self._accept()
        if self._session is not None:
            return False
        self._open()
        half_open = self._half_open
        if half_open is None:
            return False
        half_open.flush()
        half_open.read()
        if half_open.failed:
            # What was refused before the peer's first byte is a peer that is not there yet.
            self._drop(half_open, half_open.failed, tell=half_open.heard or half_open.refused)
            return False
        if not half_open.established:
            if now_ns - half_open.began_ns > _HALF_OPEN_NS:
                self._drop(half_open, "no proof of the key within a second", tell=True)
            return False
        self._begin(half_open)
        return True

    def receive(self) -> Iterator[_Message]:
        """Yield what has arrived, and send what is pending.

        When the session has ended, `up` is False afterwards; an end behind messages is read by the
        next call, for which `epoll` wakes.
        """
        session = self._session
        if session is None:
            return
        session.flush()
        left = _RECEIVE_BYTES_MAX
        more = True
        while more:
            got = 0 if session.refused or left <= 0 else session.read()
            left -= got
            # Less than was asked for is all there is, `epoll` tells of more: a system call less.
            more = got == RECEIVE_BYTES or (got > 0 and bool(session.failed))
            yield from self._messages(session)
            if self._session is not session:
                return
        if session.failed:
            self._end(session.failed, refused=session.refused)

    def send(self, messages: list[_Message]) -> None:
        """Send messages, or as much as the socket takes; the rest when `epoll` says it can go.

        If that fails, the next `receive` ends the session: the peer may have said something.
        """
        if self._session is not None:
            self._session.send([self._encode(message) for message in messages])

    def flush(self) -> None:
        """Send what is pending."""
        if self._session is not None:
            self._session.flush()

    def close(self, why: str) -> None:
        """Close the session, if there is one; a new one is tried later."""
        if self._session is not None:
            self._end(why, refused=True)

    def dispose(self) -> None:
        """Close everything, for good."""
        self.close("disposed of")
        if self._half_open is not None:
            self._half_open.close()
        if self._process is not None:
            self._process.close()
        for each in (self._listener, self._waiting):
            if each is not None:
                each.close()

    def peer_is_dead(self) -> bool:
        """Tell whether the process of the last session's peer has certainly ended.

        Never for tcp, nor through a relay. The socket closes a moment before the process has
        ended; `epoll` wakes at the end, so ask again then.
        """
        return self._process is not None and self._process.ended()

    def news(self) -> str:
        """Take why connections came to nothing, at most once a second, and not the same again."""
        if not self._news or self._now_ns < self._next_news_ns:
            return ""
        news, self._news = self._news, ""
        self._told = news
        self._next_news_ns = self._now_ns + _REFUSED_NS
        return news

    def _messages(self, session: Session) -> Iterator[_Message]:
        """Yield what is in the inbox, until the session is closed or one is no message."""
        while session.inbox and self._session is session:
            try:
                message = self._decode(session.inbox.popleft())
            except MessageError as error:
                session.refuse(str(error))
                session.inbox.clear()
                return
            yield message

    def _begin(self, session: Session) -> None:
        self._session, self._half_open = session, None
        if self._process is not None:
            self._process.close()
        self._process = session.process()
        self._next_try_ns = session.began_ns + _REFUSED_NS
        self._news = self._told = ""

    def _end(self, why: str, *, refused: bool) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self.closed_why = why
        if refused:
            self._next_try_ns = max(self._next_try_ns, self._now_ns + _REFUSED_NS)

    def _drop(self, half_open: Session, why: str, *, tell: bool) -> None:
        half_open.close()
        self._half_open = None
        self.closed_why = why
        if tell:
            self._next_try_ns = self._now_ns + _REFUSED_NS
            if why != self._told:
                self._news = why

    # Sockets

    def _accept(self) -> None:
        """Take a connection. While a session is up it waits: the peer's old one may be ending."""
        if self._listener is None:
            return
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        if self._waiting is not None:
            self._waiting.close()
        self._waiting = peer

    def _open(self) -> None:
        """Make the newest connection the half-open session."""
        if self._listener is not None:
            peer, self._waiting = self._waiting, None
        else:
            peer = self._dial()
        if peer is None:
            return
        if self._half_open is not None:
            self._half_open.close()
        tune(peer)
        nonce = secrets.token_bytes(NONCE_BYTES)
        listens = self._listener is not None
        codec = Codec(self._key, listens=listens, nonce=nonce, card=self._card)
        self._half_open = Session(peer, codec, epoll=self._epoll, began_ns=self._now_ns)

    def _listen(self, address: str) -> socket.socket:
        listener = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        if self._family == socket.AF_UNIX:
            Path(address).parent.mkdir(parents=True, exist_ok=True)
            Path(address).unlink(missing_ok=True)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._where)
        if self._family == socket.AF_UNIX:
            Path(address).chmod(0o600)
        listener.listen(_BACKLOG)
        self._epoll.register(listener, select.EPOLLIN)
        return listener

    def _dial(self) -> socket.socket | None:
        if self._half_open is not None or self._now_ns < self._next_try_ns:
            return None
        self._next_try_ns = self._now_ns + _RETRY_NS
        peer = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            peer.connect(self._where)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                peer.close()
                return None
        return peer


def tune(peer: socket.socket) -> None:
    """See that a connection tells soon that the other box is gone."""
    if peer.family != socket.AF_UNIX:
        for level, option, value in _KEEPALIVE:
            with contextlib.suppress(OSError):
                peer.setsockopt(level, option, value)


def resolve(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    """Return the family of an address, and what to bind or to connect to."""
    if not address.startswith("tcp:"):
        return socket.AF_UNIX, address
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host.strip("[]"), int(port))
