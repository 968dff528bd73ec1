"""What the suite and a worker on another host tell each other: MessagePack, one message each.

All times are of the host that stamped them, in ns of its CLOCK_MONOTONIC.
"""

from typing import Any

import msgspec

from certify.division import Division
from reports.record import EventKind, IoRecord


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Base of all messages; its name is on the wire."""


class Order(Message, frozen=True, kw_only=True):
    """Suite: what to probe, and how. It writes the versions from `first_seq` on."""

    host: str
    unit: str
    wwid: str
    division: Division
    number: int  # of this host in the division
    run: int
    first_seq: int
    last_seq: int  # no other host writes one of these
    interval_ns: int
    beat_s: float


class Begin(Message, frozen=True, kw_only=True):
    """Suite: start the probes."""


class Ask(Message, frozen=True, kw_only=True):
    """Suite: what time is it there? Without one for long, a worker ends by itself."""

    number: int


class Halt(Message, frozen=True, kw_only=True):
    """Suite: let nothing more become due, and wait so long for what is under way."""

    drain_s: float


class Hello(Message, frozen=True, kw_only=True):
    """Worker: it runs, and what it is."""

    version: str


class Ready(Message, frozen=True, kw_only=True):
    """Worker: the device is open; what it is on that host."""

    device: str


class Answer(Message, frozen=True, kw_only=True):
    """Worker: when the question came, and when this went."""

    number: int
    heard_ns: int
    told_ns: int


class Ios(Message, frozen=True, kw_only=True):
    """Worker, several times a second: what ended since, and how long the oldest has waited."""

    rows: list[IoRecord]
    waiting_ms: float


class Told(Message, frozen=True, kw_only=True):
    """Worker: something to record that is no I/O."""

    kind: EventKind
    subject: str
    detail: str
    data: dict[str, Any]
    t_ns: int


class Failed(Message, frozen=True, kw_only=True):
    """Worker: it cannot go on, and why."""

    reason: str


class Done(Message, frozen=True, kw_only=True):
    """Worker: every I/O was told."""


ToWorker = Order | Begin | Ask | Halt
ToSuite = Hello | Ready | Answer | Ios | Told | Failed | Done

_TO_WORKER = msgspec.msgpack.Decoder(ToWorker)
_TO_SUITE = msgspec.msgpack.Decoder(ToSuite)


def encode(message: Message) -> bytes:
    """Return a message as it is sent."""
    return msgspec.msgpack.encode(message)


def for_worker(data: bytes) -> ToWorker:
    """Return what the suite sent; raise msgspec.DecodeError for anything else."""
    return _TO_WORKER.decode(data)


def for_suite(data: bytes) -> ToSuite:
    """Return what a worker sent; raise msgspec.DecodeError for anything else."""
    return _TO_SUITE.decode(data)
