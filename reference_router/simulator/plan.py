"""What a simulated run will be put through: operations and faults, each with its time.

A plan is data: it can be printed, shrunk, kept in a file and replayed. Times are microseconds of
virtual time from the start of the run.
"""

from enum import StrEnum
from pathlib import Path

import msgspec

BLOCKS = 48
REGION_BLOCKS = 8
LEGS = ("A", "B")
ENGINES = (1, 2)


class PlanError(Exception):
    """A file is not a plan."""


class Kind(StrEnum):
    """What a fault does. Every fault ends by itself after `for_us`."""

    CRASH = "crash"  # an engine's process is killed; its supervisor starts it again
    POWER = "power"  # an engine's box goes dark: nobody tells its peer
    HANG = "hang"  # an engine stops; goes on as if nothing had been
    HANG_KILL = "hang-kill"  # an engine stops; its supervisor kills it
    STOP = "stop"  # an engine is stopped as planned, and started again
    CUT = "cut"  # the link breaks, both ends are told
    CUT_ONE = "cut-one"  # the link breaks, one end is told at once and the other late
    HOLE = "hole"  # what `engine` sends does not arrive until the end
    SILENCE = "silence"  # what both send does not arrive until the end
    DELAY = "delay"  # every message takes long
    LEG_ERROR = "leg-error"  # an array refuses I/O of one engine, or (0) of both
    LEG_HANG = "leg-hang"  # an array answers nothing, then everything
    LEG_SLOW = "leg-slow"  # an array takes long for everything
    DETACH = "detach"  # an operator takes a leg out, and attaches it again
    MEDIUM = "medium"  # a block cannot be read before it is written, or the end
    WITNESS_DOWN = "witness-down"  # the witness's box goes dark; its votes are kept
    WITNESS_CUT = "witness-cut"  # an engine, or (0) both, and the witness do not hear each other


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault. `after` > 0: the engine falls in the middle of acting, after so many actions."""

    at_us: int
    kind: Kind
    engine: int = 0
    leg: int = 0
    for_us: int = 0
    block: int = 0
    after: int = 0

    def __str__(self) -> str:
        words = [f"{self.at_us / 1000:.1f} ms: {self.kind}"]
        if self.kind in ENGINE_KINDS:
            words.append(f"engine {self.engine}")
        if self.kind in LEG_KINDS:
            words.append(f"leg {LEGS[self.leg]}")
        if self.kind in (Kind.LEG_ERROR, Kind.WITNESS_CUT):
            words.append(f"for engine {self.engine}" if self.engine else "for both engines")
        if self.kind is Kind.MEDIUM:
            words.append(f"block {self.block}")
        if self.for_us:
            words.append(f"for {self.for_us / 1000:.1f} ms")
        if self.after:
            words.append(f"after {self.after} more actions")
        return " ".join(words)


ENGINE_KINDS = frozenset(
    (Kind.CRASH, Kind.POWER, Kind.HANG, Kind.HANG_KILL, Kind.STOP, Kind.CUT_ONE, Kind.HOLE)
)
ARRAY_KINDS = frozenset((Kind.LEG_ERROR, Kind.LEG_HANG, Kind.LEG_SLOW, Kind.MEDIUM))
LEG_KINDS = ARRAY_KINDS | {Kind.DETACH}


class Planned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One operation of a host. `op` is the name of a `commands.Op`; `number` is what it writes.

    `op` REGISTER registers a reservation key, `number`, through `engine`.

    `fits`: a comparison is made with what the host believes to be there, else with something else.
    `gives_up`: it is not sent again when the engine that had it died.
    """

    number: int
    at_us: int
    host: int
    op: str
    lba: int
    blocks: int
    engine: int
    fits: bool = True
    gives_up: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole run. `seed` still decides latencies, orders and the fate of I/O under way.

    `proof_of_death`: a link that went down tells whether the peer's process has ended.
    `witness`: the engines have one.
    """

    seed: int
    proof_of_death: bool
    witness: bool = False
    operations: tuple[Planned, ...]
    faults: tuple[Fault, ...]


def save(plan: Plan, path: Path) -> None:
    """Write a plan to a file. Raises OSError."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n")


def load(path: Path) -> Plan:
    """Return the plan in a file. Raises OSError, and PlanError saying what is wrong with it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except msgspec.DecodeError as error:
        raise PlanError(f"{path}: not a plan: {error}") from error
