"""What a fabric is told and tells: JSON, one message a packet, over its SOCK_SEQPACKET socket."""

import msgspec

from certify.virtual_lab.fabric.cable import Condition, Counters, Way

MESSAGE_OCTETS_MAX = 64 << 10


class Set(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set"):
    """Let one way of a node's cable be so; answered when it is."""

    node: str
    way: Way
    condition: Condition


class Look(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="look"):
    """Ask how all cables are and what became of the frames on them."""


class Attach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="attach"):
    """Plug a node in: its socket (SOCK_SEQPACKET, a frame a packet) comes with the message.

    One that is plugged in already is pulled first: the node was started anew.
    """

    node: str


Request = Set | Look | Attach


class WayState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way of a node's cable."""

    node: str
    way: Way
    condition: Condition
    counters: Counters
    under_way: int
    struck: int = 0  # frames that were dropped or delayed since it is as it is


class State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="state"):
    """The answer to all of them: the whole fabric after the request."""

    ways: list[WayState]
    attached: list[str]  # nodes whose socket is open
    malformed: int  # frames too short to be any


class Refused(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused"):
    """The answer to what cannot be followed; nothing was changed."""

    why: str


Answer = State | Refused

_REQUEST = msgspec.json.Decoder(Request)
_ANSWER = msgspec.json.Decoder(Answer)


def encode(message: Request | Answer) -> bytes:
    """Return the packet of a message."""
    return msgspec.json.encode(message)


def decode_request(packet: bytes) -> Request:
    """Read a request; raises msgspec.DecodeError, whose text names the field."""
    return _REQUEST.decode(packet)


def decode_answer(packet: bytes) -> Answer:
    """Read an answer; raises msgspec.DecodeError, whose text names the field."""
    return _ANSWER.decode(packet)
