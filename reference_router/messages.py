"""What two engines say to each other over the link, and its wire form: JSON, strictly checked."""

from enum import StrEnum

import msgspec

from reference_router.service import Attention, ServiceRequest, ServiceState

PROTOCOL_VERSION = 2


class MessageError(Exception):
    """The body of a frame is not a message of this protocol version."""


class LegState(StrEnum):
    """The state of a leg, agreed by both engines.

    IN_SYNC legs are written and read; RESYNCING legs are written, and copied to; STALE legs are
    neither. ABSENT is only ever shown: a stale leg that this engine cannot reach.
    """

    IN_SYNC = "in_sync"
    RESYNCING = "resyncing"
    STALE = "stale"
    ABSENT = "absent"


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer to a service request, carried by the barrier that made it true."""

    engine: int
    request: int
    status: int
    sense: bytes = b""
    data: bytes = b""


class UnitState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both engines agree on about one logical unit, at an epoch.

    `members` are the engines that serve it, the leader first. `detached` legs are not taken back
    by themselves. `answer` and `attentions` are of the request that this state came from.
    """

    epoch: int
    states: tuple[LegState, ...]
    members: tuple[int, ...]
    detached: tuple[int, ...] = ()
    services: ServiceState = ServiceState()
    answer: Answer | None = None
    attentions: tuple[Attention, ...] = ()


class _Message(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """Base of all messages."""


class Hello(_Message, frozen=True, tag="hello", kw_only=True):
    """The first message each way. `config` is a digest of what both must have in common."""

    version: int
    engine: int
    config: str


class Ping(_Message, frozen=True, tag="ping"):
    """Are you there? `sent_ns` is of the sender's clock, and comes back in the Pong."""

    sent_ns: int


class Pong(_Message, frozen=True, tag="pong"):
    """I am here, and will not go on without you before a lease from `sent_ns` on has run out."""

    sent_ns: int


class Standing(_Message, frozen=True, tag="standing", kw_only=True):
    """How the sender stands to a unit: whether it serves, could start it alone, or begins to."""

    unit: str
    serving: bool
    epoch: int
    may_start: bool
    claiming: bool = False


class Available(_Message, frozen=True, tag="available", kw_only=True):
    """Whether the sender reaches a leg, and no old I/O of its own is under way there.

    `identity` is the designator that the array gives the leg, "" if it gives none.
    """

    unit: str
    leg: int
    available: bool
    identity: str


class Invite(_Message, frozen=True, tag="invite", kw_only=True):
    """Leader to a newcomer: enrol on the legs in use."""

    unit: str
    state: UnitState


class Maps(_Message, frozen=True, tag="maps", kw_only=True):
    """Leader to a newcomer, before the commit that lets it in: what legs lack, what to repair.

    `dirty` and `left` are by leg: a region map, and the epochs between which it was dropped.
    """

    unit: str
    dirty: tuple[str, ...]
    left: tuple[tuple[int, int], ...]
    repairs: str


class Enrol(_Message, frozen=True, tag="enrol"):
    """Leader to follower: register on a leg that is about to be used again."""

    unit: str
    leg: int


class Enrolled(_Message, frozen=True, tag="enrolled"):
    """The sender is registered on a leg; -1: on all legs in use, as invited at this epoch."""

    unit: str
    leg: int
    epoch: int


class Suspect(_Message, frozen=True, tag="suspect"):
    """Follower to leader: a leg failed or passed its deadline, at this epoch."""

    unit: str
    leg: int
    epoch: int
    reason: str


class Prepare(_Message, frozen=True, tag="prepare"):
    """Leader to follower, first half of a barrier: hold new host I/O and drain."""

    unit: str
    state: UnitState


class Prepared(_Message, frozen=True, tag="prepared"):
    """Follower to leader: holding and drained."""

    unit: str
    epoch: int


class Commit(_Message, frozen=True, tag="commit"):
    """Leader to follower, second half of a barrier: the state of this epoch holds, go on."""

    unit: str
    epoch: int


class Want(_Message, frozen=True, tag="want"):
    """The sender wants the lease of a region, to write in it."""

    unit: str
    region: int


class Yours(_Message, frozen=True, tag="yours"):
    """The lease of a region is the receiver's, until it gives it back or away."""

    unit: str
    region: int


class Given(_Message, frozen=True, tag="given"):
    """The sender has given the lease of a region back: nobody holds it."""

    unit: str
    region: int


class Copied(_Message, frozen=True, tag="copied"):
    """Leader to follower: a region is equal on the target of a resync, or (-1) repaired."""

    unit: str
    region: int
    leg: int


class Refresh(_Message, frozen=True, tag="refresh"):
    """Follower to leader: a leg could not read a region that another leg could: write it anew."""

    unit: str
    region: int
    leg: int


class Ask(_Message, frozen=True, tag="ask"):
    """Follower to leader: a host's request that changes what both engines agree on."""

    unit: str
    request: int
    service: ServiceRequest


class Reply(_Message, frozen=True, tag="reply"):
    """Leader to follower: a request was refused, nothing has changed."""

    unit: str
    answer: Answer


class Manage(_Message, frozen=True, tag="manage"):
    """Follower to leader: an operator attaches or detaches a leg."""

    unit: str
    leg: int
    attach: bool


class Leave(_Message, frozen=True, tag="leave"):
    """Follower to leader: take the sender out, as planned."""

    unit: str


Message = (
    Hello
    | Ping
    | Pong
    | Standing
    | Available
    | Invite
    | Maps
    | Enrol
    | Enrolled
    | Suspect
    | Prepare
    | Prepared
    | Commit
    | Want
    | Yours
    | Given
    | Copied
    | Refresh
    | Ask
    | Reply
    | Manage
    | Leave
)
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    """Return the wire form of `message`."""
    return _ENCODER.encode(message)


def decode(body: bytes) -> Message:
    """Return the message in `body`. Raises MessageError saying what is wrong with it."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(f"not a message: {body[:200]!r}: {error}") from error
