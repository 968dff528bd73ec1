"""Tells whether the history of one block is that of an atomic register. Pure, exact.

The method is Lowe's just-in-time linearization (Testing for linearizability, 2016): walk through
the history in time, and keep every state that the register may be in. An access takes effect at
the latest when another one's end asks for it; a read that fits takes effect at once, for that can
never be wrong. Time is near linear in the length while few accesses are under way at once.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

NEVER = 1 << 62
_MANY = 12
_BEGIN, _END, _LAPSE = range(3)  # at the same time in this order


class Did(IntEnum):
    """What an access did to the block."""

    READ = 0  # saw `value`
    WRITE = 1  # wrote `value`
    SWAP = 2  # saw `expected` and wrote `value`, at one instant
    DIFFERED = 3  # saw something else than `value`


class Access(NamedTuple):
    """One access to the block, between two times.

    One that is not `certain` may have had its effect between them, or none. `label` is for people.
    """

    start: int
    end: int
    did: Did
    value: int
    expected: int = 0
    certain: bool = True
    label: str = ""


_State = tuple[int, int]  # the value, and a bit for each access under way that took effect


def judge(history: Sequence[Access], initial: int = 0) -> Access | None:
    """Return None for an atomic register, or the access whose end no order explains."""
    accesses = _relevant(history)
    events = sorted(
        [(access.start, _BEGIN, index) for index, access in enumerate(accesses)]
        + [
            (access.end, _END if access.certain else _LAPSE, index)
            for index, access in enumerate(accesses)
            if access.end < NEVER
        ]
    )
    pending: dict[int, Access] = {}
    states: set[_State] = {(initial, 0)}
    for _, what, index in events:
        if what == _BEGIN:
            pending[index] = accesses[index]
            if accesses[index].did in (Did.READ, Did.DIFFERED):
                states = {_settled(state, pending) for state in states}
            continue
        bit = 1 << index
        reached = _reach(states, index, pending)
        if what == _LAPSE:
            reached |= states  # it never had an effect
        elif not reached:
            return accesses[index]
        states = _pruned({(value, done & ~bit) for value, done in reached}, pending)
        del pending[index]
    return None


def _relevant(history: Sequence[Access]) -> list[Access]:
    """Leave out what may not have happened and was seen by nobody: it explains nothing."""
    seen = {access.value for access in history if access.did is Did.READ}
    seen |= {access.expected for access in history if access.did is Did.SWAP}
    differed = any(access.did is Did.DIFFERED for access in history)
    return [
        access
        for access in history
        if access.certain
        or (access.did in (Did.WRITE, Did.SWAP) and (differed or access.value in seen))
    ]


def _settled(state: _State, pending: dict[int, Access]) -> _State:
    """Let every read under way that fits take effect."""
    value, done = state
    for index, access in pending.items():
        if done >> index & 1:
            continue
        if access.did is Did.READ:
            fits = access.value == value
        else:
            fits = access.did is Did.DIFFERED and access.value != value
        if fits:
            done |= 1 << index
    return value, done


def _reach(states: Iterable[_State], index: int, pending: dict[int, Access]) -> set[_State]:
    """Return the states in which access `index` took effect, others before it if need be."""
    reached: set[_State] = set()
    seen: set[_State] = set(states)
    stack = list(seen)
    while stack:
        state = stack.pop()
        if state[1] >> index & 1:
            reached.add(state)
            continue
        for after in _steps(state, pending):
            if after not in seen:
                seen.add(after)
                stack.append(after)
    return reached


def _steps(state: _State, pending: dict[int, Access]) -> Iterable[_State]:
    """Return where one write under way leads. Of those that are alike, the first one will do."""
    value, done = state
    tried: set[tuple[int, int, int]] = set()
    for index, access in pending.items():
        if done >> index & 1:
            continue
        if access.did is Did.WRITE or (access.did is Did.SWAP and access.expected == value):
            if not access.certain:
                kind = (access.value, access.did, access.end)
                if kind in tried:
                    continue
                tried.add(kind)
            yield _settled((access.value, done | 1 << index), pending)


def _pruned(states: set[_State], pending: dict[int, Access]) -> set[_State]:
    """Leave out states that only differ from another one in more that may not have happened."""
    if len(states) < _MANY:
        return states
    maybe = sum(1 << index for index, access in pending.items() if not access.certain)
    groups: dict[_State, list[int]] = {}
    for value, done in sorted(states, key=lambda state: (state[1] & maybe).bit_count()):
        kept = groups.setdefault((value, done & ~maybe), [])
        spent = done & maybe
        if not any(less & spent == less for less in kept):
            kept.append(spent)
    return {(value, done | spent) for (value, done), kept in groups.items() for spent in kept}
