"""From operations on ranges of sectors to registers, and which of them cannot be right. Pure.

A *register* is a longest range of sectors that every operation of the history took or left as a
whole; judging it once is judging each of its sectors. A history of 4 KiB blocks has a register per
block; where writes overlap in other ways, registers are as small as one sector.

The test of a register is the zone test for histories whose every value was written at most once
(Gibbons and Korach, "Testing shared memories", SIAM J. Comput. 26, 1997); docs/integrity.md has
the argument. It is a filter: `certify.integrity.blame` says which read is wrong in the registers
that it finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from certify.integrity.model import Doubt
from certify.integrity.operations import FOREVER, NO_VALUE, Flags, Longs, Operations

_BEFORE = -FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """The registers of a history, and what each operation did to each that it touched.

    `start` and `length` have one element per register, in sectors; `operation`, `register` and
    `value` one per touch.
    """

    start: Longs
    length: Longs
    operation: Longs  # index into the operations
    register: Longs
    value: Longs


def registers_of(operations: Operations) -> Registers:
    """Divide the sectors that a history touched into registers."""
    first, last = operations.lba, operations.lba + operations.blocks
    runs = [(at, run) for at, each in operations.mixed.items() for run in each]
    inner = np.array([(run.lba, run.lba + run.blocks) for _, run in runs], dtype=np.int64)
    edges = np.unique(np.concatenate([first, last, inner.ravel()]))
    uniform = operations.value != NO_VALUE
    ops = np.flatnonzero(uniform)
    begin, end = np.searchsorted(edges, first[ops]), np.searchsorted(edges, last[ops])
    values = operations.value[ops]
    sound = [(at, run) for at, run in runs if run.damage is None]
    if sound:
        places = np.array([(run.lba, run.lba + run.blocks) for _, run in sound], dtype=np.int64)
        ops = np.concatenate([ops, np.array([at for at, _ in sound], dtype=np.int64)])
        begin = np.concatenate([begin, np.searchsorted(edges, places[:, 0])])
        end = np.concatenate([end, np.searchsorted(edges, places[:, 1])])
        values = np.concatenate([values, np.array([run.value for _, run in sound], np.int64)])
    touches = end - begin
    register = begin
    if (touches != 1).any():
        offset = np.arange(touches.sum()) - np.repeat(np.cumsum(touches) - touches, touches)
        register = np.repeat(begin, touches) + offset
        ops, values = np.repeat(ops, touches), np.repeat(values, touches)
    return Registers(
        start=edges[:-1] if len(edges) else edges,
        length=np.diff(edges),
        operation=ops,
        register=register,
        value=values,
    )


def without_untold(
    operations: Operations, registers: Registers, doubts: Sequence[Doubt]
) -> Registers:
    """Leave out reads of what a host that was lost may have written without telling.

    The rest of a right history is right without all that was done on one value, so this accuses
    nobody; such a read says nothing.
    """
    own = np.zeros(len(registers.value), np.bool_)
    for one in doubts:
        own |= (registers.value >= one.first) & (registers.value <= one.last)
    if not own.any():
        return registers
    is_write = operations.write[registers.operation]
    places = list(zip(registers.register.tolist(), registers.value.tolist(), strict=True))
    told = {places[at] for at in np.flatnonzero(own & is_write)}
    keep = ~own
    for at in np.flatnonzero(own):
        keep[at] = places[at] in told
    return Registers(
        start=registers.start,
        length=registers.length,
        operation=registers.operation[keep],
        register=registers.register[keep],
        value=registers.value[keep],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """What the zone test says of each register."""

    written: Flags  # this history may have written it
    wrong: Flags  # no order of its operations explains what was read


def filter_registers(operations: Operations, registers: Registers) -> Filtered:
    """Apply the zone test to every register, in O(n log n).

    Raises ValueError when two writes gave one sector the same value.
    """
    count = len(registers.start)
    written, wrong = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    is_write = operations.write[registers.operation]
    written[registers.register[is_write]] = True
    zones = _zones(operations, registers, is_write)
    reads = np.flatnonzero(~is_write & written[registers.register])
    op = registers.operation[reads]
    sent, done = operations.sent[op], operations.done[op]
    at, known = zones.find(registers.register[reads], registers.value[reads])
    early = known & (done < zones.written_from[at])
    wrong[registers.register[reads[early]]] = True
    good = known & ~early
    np.minimum.at(zones.finish, at[good], done[good])
    np.maximum.at(zones.start, at[good], sent[good])
    finished = zones.finish != FOREVER
    _flag_initial(wrong, registers, reads[~known], sent[~known], zones, finished)
    _flag_conflicts(wrong, zones.register[finished], zones.finish[finished], zones.start[finished])
    return Filtered(written=written, wrong=wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Zones:
    """The zone of every value of every register: when its first operation ended (`finish`) and
    when its last one began (`start`); sorted by register."""

    values: Longs  # every value that was written, sorted
    key: Longs  # register and value in one number, sorted
    register: Longs
    written_from: Longs  # when the write was sent
    finish: Longs
    start: Longs

    def find(self, register: Longs, value: Longs) -> tuple[Longs, Flags]:
        """Return where the zones of these values are, and which values were written there."""
        if not len(self.key):
            return np.zeros(len(value), np.int64), np.zeros(len(value), np.bool_)
        rank = np.minimum(np.searchsorted(self.values, value), len(self.values) - 1)
        key = register * len(self.values) + rank
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return at, (self.values[rank] == value) & (self.key[at] == key)


def _zones(operations: Operations, registers: Registers, is_write: Flags) -> _Zones:
    """Return the zones as the writes alone make them."""
    entries = np.flatnonzero(is_write)
    values, rank = np.unique(registers.value[entries], return_inverse=True)
    key = registers.register[entries] * len(values) + rank
    order = np.argsort(key, kind="stable")
    key, entries = key[order], entries[order]
    twice = np.flatnonzero(key[1:] == key[:-1])
    if len(twice):
        lba = int(registers.start[registers.register[entries[twice[0]]]])
        value = int(registers.value[entries[twice[0]]])
        raise ValueError(f"LBA {lba}: version {value} was written twice; expected each once")
    sent = operations.sent[registers.operation[entries]]
    return _Zones(
        values=values,
        key=key,
        register=registers.register[entries],
        written_from=sent,
        finish=operations.done[registers.operation[entries]],
        start=sent.copy(),
    )


def _flag_initial(
    wrong: Flags,
    registers: Registers,
    reads: Longs,
    sent: Longs,
    zones: _Zones,
    finished: Flags,
) -> None:
    """Flag registers that showed two values nobody wrote, or one after a value that was written.

    What a register held before the history is the value of a write that ended before everything.
    """
    register, value = registers.register[reads], registers.value[reads]
    count = len(wrong)
    last = np.full(count, _BEFORE)
    np.maximum.at(last, register, sent)
    first = np.full(count, FOREVER)
    np.minimum.at(first, zones.register[finished], zones.finish[finished])
    wrong |= first < last
    low, high = np.full(count, FOREVER), np.full(count, _BEFORE)
    np.minimum.at(low, register, value)
    np.maximum.at(high, register, value)
    wrong |= low < high


def _flag_conflicts(wrong: Flags, register: Longs, finish: Longs, start: Longs) -> None:
    """Flag registers with two zones of which each must come before the other.

    Sorted by where they begin, it is enough to compare each zone with the last forward zone (one
    that begins with its finish) before it: if forward zones overlap, two neighbours do.
    """
    if len(register) < 2:
        return
    order = np.lexsort((np.minimum(finish, start), register))
    register, finish, start = register[order], finish[order], start[order]
    place = np.arange(len(order))
    forward = np.maximum.accumulate(np.where(finish < start, place, -1))
    before = forward[:-1]
    here = place[1:]
    conflict = (
        (before >= 0)
        & (register[before] == register[here])
        & (finish[before] < start[here])
        & (finish[here] < start[before])
    )
    wrong[register[here[conflict]]] = True
