"""The slow, obvious judge: try every order of the operations on one sector.

It shares nothing with the judge of the suite, and takes exponential time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

UNKNOWN = object()


@dataclass(frozen=True)
class Op:
    """One operation on one sector; a write that was not acknowledged is done at infinity."""

    name: int
    write: bool
    sent: float
    done: float
    value: object


def some_order_explains(ops: Sequence[Op]) -> bool:
    """Say whether a register that does one operation at a time can have shown this history."""

    @cache
    def possible(left: frozenset[Op], held: object) -> bool:
        if all(op.write and op.done == inf for op in left):
            return True  # what nobody acknowledged need not happen
        deadline = min(op.done for op in left)
        for op in left:
            if op.sent > deadline:
                continue  # another one had ended before this was sent
            fits = op.write or op.value == held or (held is UNKNOWN and op.value not in written)
            if fits and possible(left - {op}, op.value):
                return True
        return False

    written = {op.value for op in ops if op.write}
    return possible(frozenset(ops), UNKNOWN)
