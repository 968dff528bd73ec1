"""What two engines say to each other over the link, and its wire form: one JSON object a line."""

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum

PROTOCOL_VERSION = 1


class MessageError(Exception):
    """A line from the peer is not a message of this protocol version."""


class LegState(StrEnum):
    """The state of a leg, agreed by both engines.

    IN_SYNC legs are written and read; RESYNCING legs are written, and copied to; STALE legs are
    neither. ABSENT is only ever shown: a stale leg that this engine cannot reach.
    """

    IN_SYNC = "in_sync"
    RESYNCING = "resyncing"
    STALE = "stale"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class UnitState:
    """Leg states of one logical unit at an epoch, and the region whose writes are held (or -1)."""

    unit: str
    epoch: int
    states: tuple[LegState, ...]
    held_region: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message each way. `config` is a digest of what both must have in common."""

    version: int
    engine: int
    config: str
    serving: bool
    serving_ms: int
    may_cold_start: bool
    units: tuple[UnitState, ...]


@dataclass(frozen=True, slots=True)
class Welcome:
    """Leader to a newcomer: the states; with it the newcomer is a member."""

    units: tuple[UnitState, ...]


@dataclass(frozen=True, slots=True)
class Available:
    """Follower to leader: whether it reaches a leg, and no old I/O of its own is under way there.

    `identity` is the designator that the array gives the leg, "" if it gives none.
    """

    unit: str
    leg: int
    available: bool
    identity: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """Follower to leader: a leg failed or passed its deadline, at this epoch."""

    unit: str
    leg: int
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """Leader to follower, first half of a barrier: hold new host I/O and drain."""

    unit: str
    epoch: int
    states: tuple[LegState, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Follower to leader: holding and drained."""

    unit: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Leader to follower, second half of a barrier: the states hold now, go on."""

    unit: str
    epoch: int
    states: tuple[LegState, ...]


@dataclass(frozen=True, slots=True)
class HoldRegion:
    """Leader to follower: hold host writes that touch this region, and drain those under way."""

    unit: str
    region: int


@dataclass(frozen=True, slots=True)
class RegionHeld:
    """Follower to leader: no write touches the region."""

    unit: str
    region: int


@dataclass(frozen=True, slots=True)
class ReleaseRegion:
    """Leader to follower: the region is copied, let its writes go on."""

    unit: str
    region: int


Message = (
    Hello
    | Welcome
    | Available
    | Suspect
    | Prepare
    | Prepared
    | Commit
    | HoldRegion
    | RegionHeld
    | ReleaseRegion
)
_KINDS: dict[str, type[Message]] = {
    "hello": Hello,
    "welcome": Welcome,
    "available": Available,
    "suspect": Suspect,
    "prepare": Prepare,
    "prepared": Prepared,
    "commit": Commit,
    "hold_region": HoldRegion,
    "region_held": RegionHeld,
    "release_region": ReleaseRegion,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(message: Message) -> bytes:
    """Return the wire form of `message`, newline included."""
    body = dataclasses.asdict(message)
    body["kind"] = _NAMES[type(message)]
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Return the message in `line`. Raises MessageError saying what is wrong with it."""
    try:
        body = json.loads(line)
        kind = _KINDS[body.pop("kind")]
        if "states" in body:
            body["states"] = _states(body["states"])
        if "units" in body:
            body["units"] = tuple(
                UnitState(**{**unit, "states": _states(unit["states"])}) for unit in body["units"]
            )
        return kind(**body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MessageError(f"not a message: {line[:200]!r}: {error!r}") from error


def _states(words: list[str]) -> tuple[LegState, ...]:
    return tuple(LegState(word) for word in words)
