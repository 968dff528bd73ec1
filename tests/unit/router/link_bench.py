"""Links on one epoll with a clock that only the test moves, and peers made by hand."""

import select
import socket

from reference_router.frames import NONCE_BYTES, Codec
from reference_router.link import Link
from reference_router.messages import decode, encode

KEY = b"k" * 32
S = 1_000_000_000
MS = 1_000_000
LIMIT_MS = 5000


class Bench:
    """Two ends of a link on one epoll, with a clock that only the test moves."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.epoll = select.epoll()
        self.now_ns = S
        self.links: list[Link] = []
        self.sockets: list[socket.socket] = []

    def link(self, *, listens: bool, key: bytes = KEY) -> Link:
        link = Link(
            self.address,
            listens=listens,
            epoll=self.epoll,
            key=key,
            encode=encode,
            decode=decode,
        )
        self.links.append(link)
        return link

    def stranger(self, said: bytes = b"") -> socket.socket:
        """Connect to the listener as somebody else, and say something."""
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(LIMIT_MS / 1000)
        self.sockets.append(peer)
        peer.connect(self.address)
        if said:
            peer.sendall(said)
        return peer

    def turn(self, count: int = 6, *, step_ns: int = MS) -> list[int]:
        """Let all links go on; return the indices of those that came up."""
        came = []
        for _ in range(count):
            self.now_ns += step_ns
            came += [i for i, link in enumerate(self.links) if link.connect(self.now_ns)]
        return came

    def close(self) -> None:
        for link in self.links:
            link.dispose()
        for each in self.sockets:
            each.close()
        self.epoll.close()


def codec_of_a_peer(said: bytes, *, key: bytes = KEY) -> Codec:
    """Return the codec of a hand-made dialer that has heard the listener's nonce."""
    codec = Codec(key, listens=False, nonce=b"D" * NONCE_BYTES)
    codec.output()
    codec.feed(said)
    return codec


def hand_made_peer(bench: Bench, link: Link, *, key: bytes = KEY) -> tuple[socket.socket, Codec]:
    """Bring the listener up with a peer whose every byte the test chooses."""
    peer = bench.stranger(Codec(key, listens=False, nonce=b"D" * NONCE_BYTES).output())
    assert bench.turn(1) == []
    codec = codec_of_a_peer(peer.recv(28, socket.MSG_WAITALL), key=key)
    peer.sendall(codec.output())
    assert bench.turn(2) == [bench.links.index(link)]
    codec.feed(peer.recv(4096))
    return peer, codec
