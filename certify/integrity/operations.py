"""The operations of a history as columns: what the judge of the data works on.

One operation is one application write or read with all the retries beneath it: one record of a
probe whose name begins with one of OPERATION_PROBES. All of them address the same logical unit.
What a path probe did is no operation: as an operation, an attempt that timed out could take effect
at any time afterwards, and a ghost write would look legal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from certify.integrity.model import Doubt, Violation
from certify.tags import Sector, SectorState, parse_sectors
from reports.record import IoOutcome, IoRecord

OPERATION_PROBES = ("app", "host", "cross:", "readback")

FOREVER = np.iinfo(np.int64).max
"""When a write ended that was never acknowledged: it may take effect at any time, or never."""

NO_VALUE = -1
ZERO = -2
ALIEN = -3
_FOREIGN = -16  # and below: one value for each sector of another run
_VALUE_MAX = 2**62

Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Neighbouring sectors of one read that held the same: *lba* and *blocks* in 512-byte units."""

    lba: int
    blocks: int
    value: int  # a version, or ZERO, ALIEN or a number below _FOREIGN
    damage: Violation | None  # wrong whatever was written
    text: str  # what the first sector turned out to be, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Operations that may say something, one element of each array per operation."""

    row: Longs  # where its record is
    lba: Longs
    blocks: Longs
    write: Flags
    sent: Longs  # ns
    done: Longs  # ns; FOREVER for a write that was not acknowledged
    value: Longs  # of every sector; NO_VALUE for a read that is in `mixed`
    mixed: dict[int, list[Run]]  # the reads whose sectors differ, by index

    @property
    def acknowledged(self) -> Flags:
        """Which are writes that were acknowledged."""
        acknowledged: Flags = self.write & (self.done != FOREVER)
        return acknowledged


def is_operation(io: IoRecord) -> bool:
    """Say whether a record is an operation that may say something about the data.

    Not one that was never sent, and not a read that failed.
    """
    if not io.probe.startswith(OPERATION_PROBES) or io.outcome is IoOutcome.NOT_SENT:
        return False
    if io.op == "write":
        return True
    return io.op == "read" and io.outcome is IoOutcome.GOOD and bool(io.tag >= 0 or io.sectors)


def slack_ns(probe: str, doubts: Sequence[Doubt]) -> int:
    """Return by how much the stamps of a probe may be wrong."""
    return next((one.error_ns for one in doubts if probe.startswith(one.probes)), 0)


def from_records(ios: Iterable[IoRecord], doubts: Sequence[Doubt] = ()) -> Operations:
    """Take the operations out of the records of a history; `row` counts all of them."""
    kept = [(row, io) for row, io in enumerate(ios) if is_operation(io)]
    count = len(kept)
    write = np.fromiter((io.op == "write" for _, io in kept), dtype=np.bool_, count=count)
    good = np.fromiter((io.outcome is IoOutcome.GOOD for _, io in kept), np.bool_, count)
    return assemble(
        row=np.fromiter((row for row, _ in kept), np.int64, count),
        lba=np.fromiter((io.lba for _, io in kept), np.int64, count),
        blocks=np.fromiter((io.blocks for _, io in kept), np.int64, count),
        write=write,
        good=good,
        sent=np.fromiter((io.sent_ns for _, io in kept), np.int64, count),
        done=np.fromiter((io.done_ns for _, io in kept), np.int64, count),
        slack=np.fromiter((slack_ns(io.probe, doubts) for _, io in kept), np.int64, count),
        tag=np.fromiter((io.tag for _, io in kept), np.int64, count),
        sectors={
            at: io.sectors for at, (_, io) in enumerate(kept) if io.op == "read" and io.sectors
        },
    )


def assemble(
    *,
    row: Longs,
    lba: Longs,
    blocks: Longs,
    write: Flags,
    good: Flags,
    sent: Longs,
    done: Longs,
    slack: Longs,
    tag: Longs,
    sectors: dict[int, str],
) -> Operations:
    """Make operations of the columns of records; *sectors* of the reads that have some.

    An operation is taken to have begun *slack* before its stamp and to have ended so long after:
    a wrong clock can hide an order, it must never invent one. Raises ValueError for sectors that
    cannot be parsed.
    """
    mixed = {at: runs_of(int(lba[at]), text) for at, text in sectors.items()}
    value = tag.copy()
    value[list(mixed)] = NO_VALUE
    return Operations(
        row=row,
        lba=lba,
        blocks=blocks,
        write=write,
        sent=sent - slack,
        done=np.where(write & ~good, FOREVER, done + slack),
        value=value,
        mixed=mixed,
    )


def runs_of(lba: int, text: str) -> list[Run]:
    """Take the text of the sectors of a read at *lba* apart; damaged sectors stay alone."""
    runs: list[Run] = []
    for home, sector in enumerate(parse_sectors(text), start=lba):
        value, damage = _value_of(sector)
        last = runs[-1] if runs else None
        if last and damage is None and last.damage is None and last.value == value:
            runs[-1] = Run(
                lba=last.lba, blocks=last.blocks + 1, value=value, damage=None, text=last.text
            )
            continue
        runs.append(Run(lba=home, blocks=1, value=value, damage=damage, text=_text_of(sector)))
    return runs


_DAMAGE = {SectorState.MISPLACED: Violation.MISPLACED, SectorState.TORN: Violation.TORN}


def _value_of(sector: Sector) -> tuple[int, Violation | None]:
    """Return the value of a sector, and what is wrong with it whatever was written.

    What another run or somebody else wrote may be there until this history overwrites it.
    """
    match sector.state:
        case SectorState.VALID:
            return sector.seq, None
        case SectorState.ZERO:
            return ZERO, None
        case SectorState.FOREIGN:
            return _FOREIGN - hash((sector.seq, sector.lba)) % _VALUE_MAX, None
        case SectorState.CORRUPT if sector.seq < 0:
            return ALIEN, None
    return NO_VALUE, _DAMAGE.get(sector.state, Violation.CORRUPT)


def _text_of(sector: Sector) -> str:
    if sector.state is SectorState.VALID:
        return show_value(sector.seq)
    return f"{sector.state}, {show_value(sector.seq)}" if sector.seq >= 0 else str(sector.state)


def show_value(value: int) -> str:
    """Return the words for a value of a sector."""
    if value >= 0:
        return f"version {value}"
    return {ZERO: "zero", ALIEN: "corrupt"}.get(value, "data of another run")
