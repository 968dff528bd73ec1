"""Which reads of a register are wrong. Pure; for the registers that the zone test found.

The reads are taken in the order in which they ended. A read that no order of the operations before
it can explain is wrong, and counts no further; so one wrong read accuses none of those after it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from certify.integrity.model import Violation
from certify.integrity.operations import FOREVER, ZERO

BEFORE = -FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation on one register; `at` is its index in the history, times are in ns."""

    at: int
    write: bool
    sent: int
    done: int  # FOREVER for a write that was not acknowledged
    value: int


class Why(StrEnum):
    """Why a read cannot be explained."""

    EARLY = "early"  # it ended before the write of what it returned was sent
    UNWRITTEN = "unwritten"  # nobody wrote what it returned, and the register held another value
    OUT_OF_ORDER = "out of order"  # `rival` must come after what it returned, and before the read


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """A read that is wrong, and what it is at odds with."""

    op: Op
    why: Why
    rival: int | None = None  # a value; None: what the register held before the history
    accepted: int = 0  # how many reads had been found right before it


@dataclass(slots=True, kw_only=True)
class Zone:
    """From where the first operation on a value ended to where the last one began."""

    value: int | None  # None: what the register held before the history
    written_from: int
    finish: int
    start: int
    acknowledged: int  # when the write was; FOREVER if it was not


@dataclass(slots=True, kw_only=True)
class Account:
    """What was found of one register."""

    ops: Sequence[Op]
    zones: dict[int, Zone]  # as the writes alone make them
    blamed: list[Blamed] = field(default_factory=list)
    accepted: list[Op] = field(default_factory=list)
    initial: int | None = None  # what the register held before the history, once it was read

    def kind_of(self, blamed: Blamed) -> Violation:
        """Name what is wrong with a read; whether it is torn, other sectors must tell."""
        value = blamed.op.value
        if blamed.why is Why.EARLY or not self._is_older(value):
            return Violation.CORRUPT
        last = self.accepted[-1].done if self.accepted else BEFORE
        return Violation.STALE if last > blamed.op.done else Violation.LOST

    def _is_older(self, value: int) -> bool:
        """Say whether a value can be one that the register once held: written, or from before."""
        if value in self.zones or value in (self.initial, ZERO):
            return True
        return 0 <= value < min(self.zones, default=0)


def zones_of(ops: Sequence[Op]) -> dict[int, Zone]:
    """Return the zones of the writes among *ops*, without any read."""
    return {
        op.value: Zone(
            value=op.value,
            written_from=op.sent,
            finish=op.done,
            start=op.sent,
            acknowledged=op.done,
        )
        for op in ops
        if op.write
    }


def initial_zone() -> Zone:
    """Return the zone of what a register held before the history: it ended before everything."""
    return Zone(value=None, written_from=BEFORE, finish=BEFORE, start=BEFORE, acknowledged=BEFORE)


def blame(ops: Sequence[Op]) -> Account:
    """Find the reads of one register that are wrong, in O(n log n)."""
    account = Account(ops=ops, zones=zones_of(ops))
    zones = zones_of(ops)
    initial = initial_zone()
    reads = sorted((op for op in ops if not op.write), key=lambda op: (op.done, op.sent, op.at))
    newest = _Newest(
        [op.done for op in reads] + [op.done for op in ops if op.write and op.done != FOREVER]
    )
    for zone in zones.values():
        if zone.finish != FOREVER:
            newest.put(zone)
    for read in reads:
        zone = zones.get(read.value, initial)
        found = _examine(read, zone, newest, account)
        if found is not None:
            account.blamed.append(found)
            continue
        zone.finish = min(zone.finish, read.done)
        zone.start = max(zone.start, read.sent)
        newest.put(zone)
        account.accepted.append(read)
        if zone is initial:
            account.initial = read.value
    return account


def _examine(read: Op, zone: Zone, newest: "_Newest", account: Account) -> Blamed | None:
    so_far = len(account.accepted)
    if read.done < zone.written_from:
        return Blamed(op=read, why=Why.EARLY, rival=read.value, accepted=so_far)
    if zone.value is None and account.initial not in (None, read.value):
        return Blamed(op=read, why=Why.UNWRITTEN, accepted=so_far)
    begun, rival = newest.before(max(zone.start, read.sent), zone.value)
    if begun > min(zone.finish, read.done):
        return Blamed(op=read, why=Why.OUT_OF_ORDER, rival=rival, accepted=so_far)
    return None


class _Newest:
    """Of the zones that finished before a time, the one whose last operation began last.

    A binary indexed tree over the times at which operations end; each node keeps the best two
    zones, so that one zone can be left out of the question.
    """

    def __init__(self, times: list[int]) -> None:
        self._times = sorted(set(times))
        nodes = len(self._times) + 2
        self._first: list[tuple[int, int | None]] = [(BEFORE, None)] * nodes
        self._second: list[tuple[int, int | None]] = [(BEFORE, None)] * nodes

    def put(self, zone: Zone) -> None:
        """Take note of a zone, new or larger than it was."""
        entry = (zone.start, zone.value)
        at = 1 if zone.value is None else bisect_left(self._times, zone.finish) + 2
        while at < len(self._first):
            best = self._first[at]
            if entry[1] == best[1] and best[0] != BEFORE:
                self._first[at] = max(best, entry, key=lambda one: one[0])
            elif entry[0] > best[0]:
                self._first[at], self._second[at] = entry, best
            elif entry[0] > self._second[at][0]:
                self._second[at] = entry
            at += at & -at

    def before(self, when: int, but: int | None) -> tuple[int, int | None]:
        """Return start and value of the newest zone that finished before *when*, but one."""
        found: tuple[int, int | None] = (BEFORE, None)
        at = bisect_left(self._times, when) + 1
        while at > 0:
            best = self._first[at]
            if best[1] == but:
                best = self._second[at]
            if best[0] > found[0]:
                found = best
            at -= at & -at
        return found
