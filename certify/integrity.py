"""Did every read return what it had to? Pure.

One operation is one application write or read with all the retries beneath it. Each 512-byte
sector is one register. The write probe never has two writes outstanding on a sector, and every
write has a sequence number of its own, so the versions of a sector are totally ordered and the
check is a look-up per read rather than a search:

- a read must return a version that is at least the newest one acknowledged before the read was
  sent (otherwise the write is *lost*, or the read *stale* if the version is seen again later);
- it must return a version whose write had been sent before the read was done;
- it must not go behind a version that an earlier, finished read has already seen.

A write that failed or never ended may be there or not, until a later one was acknowledged. A
read that shows an acknowledged write in some of its sectors but not in others is *torn*.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from certify.tags import Sector, SectorState, parse_sectors
from reports.record import IoOutcome, IoRecord


class Violation(StrEnum):
    """What is wrong with a sector that was read."""

    LOST = "lost"  # an acknowledged write is not there, and was not seen later either
    STALE = "stale"  # an older version than one acknowledged or read before
    TORN = "torn"
    MISPLACED = "misplaced"
    CORRUPT = "corrupt"  # a wrong checksum, an unknown version, or data of another run


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One sector of one read that was not what it had to be."""

    violation: Violation
    lba: int
    seen: str
    expected: str
    io: IoRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """What became of the data."""

    sectors_written: int  # acknowledged
    sectors_verified: int
    mismatches: list[Mismatch]

    def counts(self) -> dict[Violation, int]:
        """Return how many sectors show each violation."""
        return dict(Counter(mismatch.violation for mismatch in self.mismatches))


@dataclass(slots=True)
class _Register:
    """The versions of one sector, as they were written and read."""

    sent: dict[int, int] = field(default_factory=dict)  # version -> when its write was sent
    acknowledged: list[tuple[int, int]] = field(default_factory=list)  # (done, version), sorted
    seen: list[tuple[int, int]] = field(default_factory=list)  # (done, newest version read)

    def floor(self, when_ns: int) -> int:
        """Return the oldest version that a read sent at *when_ns* may return; -1: any."""
        return max(_newest(self.acknowledged, when_ns), _newest(self.seen, when_ns))

    def may_return(self, version: int, done_ns: int) -> bool:
        """Say whether a read that was done at *done_ns* can have seen *version* at all.

        A version older than any of this history is what the sector held before it.
        """
        when_ns = self.sent.get(version)
        return version < min(self.sent) if when_ns is None else when_ns <= done_ns

    def acknowledge(self, done_ns: int, version: int) -> None:
        """Remember an acknowledged write; to be called in the order of *done_ns*."""
        self.acknowledged.append((done_ns, max(version, _last(self.acknowledged))))

    def note_seen(self, done_ns: int, version: int) -> None:
        """Remember that a read returned *version*; to be called in the order of *done_ns*."""
        self.seen.append((done_ns, max(version, _last(self.seen))))


def _last(ordered: Sequence[tuple[int, int]]) -> int:
    return ordered[-1][1] if ordered else -1


def _newest(ordered: Sequence[tuple[int, int]], when_ns: int) -> int:
    """Return the version of the last entry before *when_ns*; -1 if there is none."""
    index = bisect_left(ordered, (when_ns, -1))
    return ordered[index - 1][1] if index else -1


def check(ios: Iterable[IoRecord]) -> Integrity:
    """Judge every read of the application and of the read-back against the writes."""
    rows = [io for io in ios if io.probe.startswith(("app-", "readback"))]
    registers = _registers(rows)
    reads = sorted(
        (io for io in rows if io.op == "read" and io.outcome is IoOutcome.GOOD),
        key=lambda io: io.done_ns,
    )
    mismatches: list[Mismatch] = []
    verified = 0
    for io in reads:
        known = [
            (lba, sector) for lba, sector in _sectors(io) if _comparable(sector, lba, registers)
        ]
        verified += len(known)
        found = [_judge(io, lba, sector, registers.get(lba)) for lba, sector in known]
        mismatches += _torn_if_mixed([one for one in found if one is not None], len(found))
    written = sum(io.blocks for io in rows if io.op == "write" and io.outcome is IoOutcome.GOOD)
    return Integrity(
        sectors_written=written,
        sectors_verified=verified,
        mismatches=_tell_stale_from_lost(mismatches, registers),
    )


def _registers(rows: Iterable[IoRecord]) -> dict[int, _Register]:
    registers: dict[int, _Register] = defaultdict(_Register)
    writes = [io for io in rows if io.op == "write" and io.outcome is not IoOutcome.NOT_SENT]
    for io in sorted(writes, key=lambda io: io.done_ns):
        for lba in range(io.lba, io.lba + io.blocks):
            registers[lba].sent[io.tag] = io.sent_ns
            if io.outcome is IoOutcome.GOOD:
                registers[lba].acknowledge(io.done_ns, io.tag)
    return registers


def _sectors(io: IoRecord) -> list[tuple[int, Sector]]:
    lbas = range(io.lba, io.lba + io.blocks)
    if io.sectors:
        return list(zip(lbas, parse_sectors(io.sectors), strict=True))
    return [(lba, Sector(state=SectorState.VALID, seq=io.tag, lba=lba)) for lba in lbas]


_DAMAGE = {
    SectorState.MISPLACED: Violation.MISPLACED,
    SectorState.FOREIGN: Violation.CORRUPT,
    SectorState.TORN: Violation.TORN,
    SectorState.CORRUPT: Violation.CORRUPT,
}


def _comparable(sector: Sector, lba: int, registers: dict[int, _Register]) -> bool:
    """Say whether anything can be said: not of an intact sector that this history never wrote."""
    return lba in registers or sector.state in _DAMAGE


def _judge(io: IoRecord, lba: int, sector: Sector, register: _Register | None) -> Mismatch | None:
    if register is None or sector.state in _DAMAGE:
        violation = _DAMAGE[sector.state]
        return _mismatch(violation, io, lba, sector, "an intact sector of this LBA")
    version = sector.seq
    floor = register.floor(io.sent_ns)
    if version < floor:
        return _mismatch(Violation.STALE, io, lba, sector, f"version {floor} or newer")
    if not register.may_return(version, io.done_ns):
        return _mismatch(Violation.CORRUPT, io, lba, sector, "a version that had been written")
    register.note_seen(io.done_ns, version)
    return None


def _torn_if_mixed(found: list[Mismatch], judged: int) -> list[Mismatch]:
    """Call stale sectors torn when other sectors of the same read are up to date."""
    if len(found) == judged:
        return found
    return [
        replace(one, violation=Violation.TORN) if one.violation is Violation.STALE else one
        for one in found
    ]


def _mismatch(
    violation: Violation, io: IoRecord, lba: int, sector: Sector, expected: str
) -> Mismatch:
    seen = f"{sector.state}, version {sector.seq}" if sector.seq >= 0 else str(sector.state)
    return Mismatch(violation=violation, lba=lba, seen=seen, expected=expected, io=io)


def _tell_stale_from_lost(
    mismatches: list[Mismatch], registers: dict[int, _Register]
) -> list[Mismatch]:
    """Call a stale read a lost write when nobody read a good version of the sector afterwards."""
    return [
        replace(found, violation=Violation.LOST)
        if found.violation is Violation.STALE and _never_seen_again(found, registers)
        else found
        for found in mismatches
    ]


def _never_seen_again(found: Mismatch, registers: dict[int, _Register]) -> bool:
    seen = registers[found.lba].seen
    return not seen or seen[-1][0] <= found.io.done_ns
