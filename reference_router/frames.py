"""Frames of the link: a byte stream becomes bodies that the peer sent, in order, unaltered. Pure.

A frame is a header, a body and, but for the first of a session, an authentication tag:

    magic 4s | version u16 | kind u8 | 0 u8 | body length u32 | body | HMAC-SHA256

A session begins with a NONCE each way, which nothing protects yet. Both nonces and the key of the
configuration make one key per direction (RFC 2104 as the derivation), and the tag covers the
frame's number, header and body. So garbage, another key, a frame of another session, of the other
direction, twice or out of turn is found. The PROOF each way shows that the sender has the key;
then BODY frames follow. Magic and version stay where they are in every version to come.
"""

import hmac
import struct
from enum import IntEnum

from reference_router.messages import PROTOCOL_VERSION

NONCE_BYTES = 16
TAG_BYTES = 32  # SHA-256
CARD_BYTES_MAX = 256
BODY_BYTES_MAX = 8 << 20
"""Maps are the longest: three, hexadecimal, a bit a region: 10 TiB at 1 MiB a region fit."""

_MAGIC = b"ZSLF"
_HEADER = struct.Struct(">4sHBBI")
_NUMBER = struct.Struct(">Q")
_PURPOSE = b"zerostall link session"


class FrameError(Exception):
    """What arrived is no frame of this session; the message says what was expected and seen."""


class Kind(IntEnum):
    """Kinds of frames, in the order in which a session expects them first."""

    NONCE = 1
    PROOF = 2
    BODY = 3


_LENGTHS = {
    Kind.NONCE: (NONCE_BYTES, NONCE_BYTES),
    Kind.PROOF: (0, CARD_BYTES_MAX),  # so a stranger cannot make this side keep much
    Kind.BODY: (0, BODY_BYTES_MAX),
}


class Codec:
    """One session's frames, both ways. `nonce` must be new for each session.

    `card` is what the proof tells the peer about the sender; the peer's is in `peer_card` once
    `established`. After a FrameError the codec is of no use any more and says the same again.
    """

    def __init__(
        self,
        key: bytes,
        *,
        listens: bool,
        nonce: bytes,
        card: bytes = b"",
        version: int = PROTOCOL_VERSION,
    ) -> None:
        self.peer_card = b""
        self._key = key
        self._listens = listens
        self._nonce = nonce
        self._card = card
        self._version = version
        self._expected = Kind.NONCE
        self._buffer = bytearray()
        self._output = self._head(Kind.NONCE, nonce) + nonce
        self._send_key = self._receive_key = b""
        self._sent = self._received = 0
        self._error = ""

    @property
    def established(self) -> bool:
        """Tell whether the peer has proven that it has the key."""
        return self._expected is Kind.BODY

    @property
    def buffered_bytes(self) -> int:
        """Bytes of a frame that has arrived in part."""
        return len(self._buffer)

    def output(self) -> bytes:
        """Take what the session itself has to send: the nonce at first, then the proof."""
        output, self._output = self._output, b""
        return output

    def seal(self, body: bytes) -> bytes:
        """Return the frame of `body`. Raises FrameError if it is too long, or too early."""
        if not self.established:
            raise FrameError("the session is not established: nothing can be sent yet")
        if len(body) > BODY_BYTES_MAX:
            raise FrameError(f"a body of {len(body)} bytes: expected at most {BODY_BYTES_MAX}")
        return self._seal(Kind.BODY, body)

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes, cut anywhere; return the bodies that are complete.

        Raises FrameError. Bodies before the wrong frame in the same `data` are lost with it.
        """
        if self._error:
            raise FrameError(self._error)
        self._buffer += data
        try:
            return self._bodies()
        except FrameError as error:
            self._error = str(error)
            self._buffer.clear()
            raise

    def _bodies(self) -> list[bytes]:
        bodies: list[bytes] = []
        buffer, start = self._buffer, 0
        while (length := self._body_length(start)) >= 0:
            kind = self._expected
            end = start + _HEADER.size + length
            stop = end + (0 if kind is Kind.NONCE else TAG_BYTES)
            if len(buffer) < stop:
                break
            if kind is not Kind.NONCE:
                self._check_tag(bytes(buffer[start:end]), bytes(buffer[end:stop]))
            body = bytes(buffer[start + _HEADER.size : end])
            if kind is Kind.BODY:
                bodies.append(body)
            elif kind is Kind.PROOF:
                self.peer_card = body
                self._expected = Kind.BODY
            else:
                self._begin(body)
            start = stop
        del buffer[:start]
        return bodies

    def _body_length(self, start: int) -> int:
        """Return what the header at `start` says, -1 if it has not all arrived."""
        seen = bytes(self._buffer[start : start + _HEADER.size])
        if len(seen) < _HEADER.size:
            if not _MAGIC.startswith(seen[: len(_MAGIC)]):  # do not wait for the rest of garbage
                raise FrameError(f"no frame: expected {_MAGIC!r}, seen {seen!r}")
            return -1
        magic, version, kind, reserved, length = _HEADER.unpack(seen)
        if magic != _MAGIC:
            raise FrameError(f"no frame: expected {_MAGIC!r}, seen {seen!r}")
        if version != self._version:
            raise FrameError(f"peer speaks link version {version}, here {self._version}")
        expected = self._expected
        if kind != expected or reserved:
            raise FrameError(
                f"frame kind: expected {int(expected)} ({expected.name}) and 0, "
                f"seen {kind} and {reserved}"
            )
        least, most = _LENGTHS[expected]
        if not least <= length <= most:
            raise FrameError(
                f"length of a {expected.name} frame: expected {least} to {most} bytes, "
                f"seen {length}"
            )
        return int(length)

    def _begin(self, nonce: bytes) -> None:
        if hmac.compare_digest(nonce, self._nonce):
            raise FrameError("the peer's nonce is this side's own: the stream comes back as it is")
        nonces = self._nonce + nonce if self._listens else nonce + self._nonce
        of_listener = hmac.digest(self._key, _PURPOSE + b"L" + nonces, "sha256")
        of_dialer = hmac.digest(self._key, _PURPOSE + b"D" + nonces, "sha256")
        self._send_key = of_listener if self._listens else of_dialer
        self._receive_key = of_dialer if self._listens else of_listener
        self._expected = Kind.PROOF
        self._output += self._seal(Kind.PROOF, self._card)

    def _check_tag(self, frame: bytes, tag: bytes) -> None:
        expected = _tag(self._receive_key, self._received, frame)
        if not hmac.compare_digest(expected, tag):
            if self._expected is Kind.PROOF:
                raise FrameError("the peer's proof is wrong: it has another link_key")
            raise FrameError(
                f"tag of frame {self._received}: expected another one: "
                "the stream was altered, or a frame is missing or repeated"
            )
        self._received += 1

    def _seal(self, kind: Kind, body: bytes) -> bytes:
        frame = self._head(kind, body) + body
        tag = _tag(self._send_key, self._sent, frame)
        self._sent += 1
        return frame + tag

    def _head(self, kind: Kind, body: bytes) -> bytes:
        return _HEADER.pack(_MAGIC, self._version, kind, 0, len(body))


def _tag(key: bytes, number: int, frame: bytes) -> bytes:
    return hmac.digest(key, _NUMBER.pack(number) + frame, "sha256")
