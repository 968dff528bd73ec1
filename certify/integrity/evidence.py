"""The fewest operations that show that a read is wrong, and the sentence that says why. Pure.

Evidence keeps the write of every value that it reads: without it, a value would look like what the
sector held before. Beyond that no operation can be left out of it.
"""

from collections.abc import Sequence

from certify.integrity.blame import (
    BEFORE,
    Account,
    Blamed,
    Op,
    Why,
    Zone,
    initial_zone,
    zones_of,
)

RIVALS_MAX = 256


def evidence_of(account: Account, blamed: Blamed, *, prefer: int | None = None) -> list[Op]:
    """Return the smallest sub-history that shows that a read is wrong, in the order of sending.

    *prefer* is a value that shall be in it if it makes it no larger than another.
    """
    wrong = blamed.op
    if blamed.why is Why.EARLY:
        return _by_time([*_write_of(account, wrong.value), wrong])
    before = account.accepted[: blamed.accepted]
    if blamed.why is Why.UNWRITTEN:
        return _by_time([next(op for op in before if op.value == account.initial), wrong])
    writes = [op for op in account.ops if op.write]
    history = [*writes, *before, wrong]
    zones = _grown(history)
    own = zones[wrong.value if wrong.value in account.zones else None]
    rivals = sorted(
        (zone for zone in zones.values() if zone is not own and _at_odds(own, zone)),
        key=lambda zone: (zone.value != prefer, zone.finish == BEFORE, -zone.acknowledged),
    )
    choices = [
        _shrunk(_witnesses(history, {own.value, rival.value}, account), wrong)
        for rival in rivals[:RIVALS_MAX]
    ]
    return _by_time(min(choices, key=len))


def is_explained(ops: Sequence[Op]) -> bool:
    """Say whether some order of a few operations on one register explains every read.

    Takes time in the square of the number of values; the exact criterion of docs/integrity.md.
    """
    writes = zones_of(ops)
    reads = [op for op in ops if not op.write]
    if any(op.done < writes[op.value].written_from for op in reads if op.value in writes):
        return False
    if len({op.value for op in reads if op.value not in writes}) > 1:
        return False
    zones = list(_grown(ops).values())
    return not any(
        _at_odds(one, other) for index, one in enumerate(zones) for other in zones[:index]
    )


def _grown(ops: Sequence[Op]) -> dict[int | None, Zone]:
    """Return the zones of writes and reads; that of what was there before under None."""
    zones: dict[int | None, Zone] = {None: initial_zone()}
    zones.update(zones_of(ops).items())
    for op in ops:
        if not op.write:
            zone = zones[op.value if op.value in zones else None]
            zone.finish = min(zone.finish, op.done)
            zone.start = max(zone.start, op.sent)
    return zones


def _at_odds(one: Zone, other: Zone) -> bool:
    """Say whether each of two values must come before the other."""
    return one.finish < other.start and other.finish < one.start


def _write_of(account: Account, value: int) -> list[Op]:
    return [op for op in account.ops if op.write and op.value == value]


def _witnesses(history: Sequence[Op], values: set[int | None], account: Account) -> list[Op]:
    """Return of each value the write, the operation that ended first and the one begun last."""
    chosen: dict[int, Op] = {}
    for value in values:
        own = [op for op in history if (op.value if op.value in account.zones else None) == value]
        ended = min(own, key=lambda op: (op.done, not op.write))
        begun = max(own, key=lambda op: (op.sent, op.write))
        for op in (*(op for op in own if op.write), ended, begun):
            chosen[op.at] = op
    return list(chosen.values())


def _shrunk(ops: list[Op], wrong: Op) -> list[Op]:
    """Leave out every operation that is not needed; a write goes together with its reads."""
    kept = ops
    for op in sorted(ops, key=lambda op: (op.write, -op.sent)):
        if op is wrong or op not in kept:
            continue
        rest = [one for one in kept if one is not op and not (op.write and one.value == op.value)]
        if not is_explained(rest):
            kept = rest
    return kept


def _by_time(ops: list[Op]) -> list[Op]:
    return sorted(ops, key=lambda op: (op.sent, op.done, op.at))
