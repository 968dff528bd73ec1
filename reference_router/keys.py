"""Reservation keys: the record that a router keeps on the arrays, without writing a block. Pure.

Each engine registers a key on each leg through its own nexus. The key is the record; the
reservation is Write Exclusive - All Registrants, so that an engine whose key was preempted cannot
write.
"""

from dataclasses import dataclass
from enum import StrEnum

MAGIC = 0x5A53
EPOCH_MAX = 0xFFFFFFFF
WRITE_EXCLUSIVE_ALL_REGISTRANTS = 0x7  # SPC-4 table 53
_CLEAN = 0x1
_HOLDS = 0x2


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a reservation key says: 16 bits magic, 4 engine, 4 flags, 8 unit check, 32 epoch.

    `epoch` is the newest epoch at which the leg was known to be in sync, 0 for a leg that is being
    copied to. `clean` says that nothing was under way when the engine left, `holds` that hosts
    have persistent reservations, which the engines keep.
    """

    engine: int
    check: int
    epoch: int
    clean: bool = False
    holds: bool = False

    def pack(self) -> int:
        """Return the 64-bit key."""
        flags = (_CLEAN if self.clean else 0) | (_HOLDS if self.holds else 0)
        return MAGIC << 48 | self.engine << 44 | flags << 40 | self.check << 32 | self.epoch


def unpack(key: int) -> Key | None:
    """Return what `key` says, or None if it is not of this router's kind."""
    if key >> 48 != MAGIC:
        return None
    return Key(
        engine=key >> 44 & 0xF,
        check=key >> 32 & 0xFF,
        epoch=key & 0xFFFFFFFF,
        clean=bool(key >> 40 & _CLEAN),
        holds=bool(key >> 40 & _HOLDS),
    )


class ControlOp(StrEnum):
    """PERSISTENT RESERVE commands to a leg (SPC-4 6.15, 6.16)."""

    READ_KEYS = "read keys"  # READ KEYS, then READ RESERVATION
    REGISTER = "register"  # change `key` to `other`; conflict if `key` is not registered
    REGISTER_AND_IGNORE = "register and ignore existing key"  # to `other`
    RESERVE = "reserve"  # write exclusive, all registrants
    PREEMPT_AND_ABORT = "preempt and abort"  # remove `other`
    CLEAR = "clear"  # all keys and the reservation


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """One control command to a leg, through this engine's own nexus. Its identity is its cookie."""

    unit: str
    leg: int
    op: ControlOp
    key: int = 0
    other: int = 0


class Outcome(StrEnum):
    """How a control command ended."""

    GOOD = "good"
    CONFLICT = "reservation conflict"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """The end of a control command. `keys` and `reservation_type` are READ_KEYS's answer.

    `reservation_type` is None if nothing is reserved. `why` says in words what went wrong.
    """

    outcome: Outcome
    keys: tuple[int, ...] = ()
    reservation_type: int | None = None
    why: str = ""
