"""A simulated array: blocks, reservations as SPC-4 5.13 has them, and what is wrong with it.

A block holds the number of the operation that wrote it, 0 at first. Registrations are per engine,
for each engine is one I_T nexus; they survive a loss of power, as APTPL asks.
"""

from reference_router.keys import (
    WRITE_EXCLUSIVE_ALL_REGISTRANTS,
    Control,
    ControlOp,
    ControlResult,
    Outcome,
)
from reference_router.simulator.plan import BLOCKS

_GOOD = ControlResult(outcome=Outcome.GOOD)
_CONFLICT = ControlResult(outcome=Outcome.CONFLICT)


class Array:
    """One array. Faults are told by the time, in nanoseconds, until which they last."""

    def __init__(self) -> None:
        self.blocks = [0] * BLOCKS
        self.bad: set[int] = set()  # blocks that cannot be read
        self.keys: dict[int, int] = {}  # registered, by engine
        self.reserved = False
        self.refuses_until_ns = {1: 0, 2: 0}
        self.hangs_until_ns = 0
        self.slow_until_ns = 0
        self.first_landed: list[dict[int, int]] = [{0: 0} for _ in range(BLOCKS)]
        """When (by the judge's count) each value came to each block."""
        self.last_landed = [0] * BLOCKS

    def may_write(self, engine: int) -> bool:
        """Tell whether a write of this engine meets no reservation of others."""
        return not self.reserved or engine in self.keys

    def refuses(self, engine: int, now_ns: int) -> bool:
        """Tell whether the engine's way to the array is gone."""
        return now_ns < self.refuses_until_ns[engine]

    def put(self, lba: int, values: list[int], stamp: int) -> None:
        """Let a write land."""
        for block, value in enumerate(values, lba):
            self.blocks[block] = value
            self.first_landed[block].setdefault(value, stamp)
            self.last_landed[block] = stamp
        if self.bad:
            self.bad.difference_update(range(lba, lba + len(values)))

    def readable(self, lba: int, blocks: int) -> bool:
        """Tell whether a read meets no bad block."""
        return not self.bad or self.bad.isdisjoint(range(lba, lba + blocks))

    def control(self, engine: int, control: Control) -> tuple[ControlResult, tuple[int, ...]]:
        """Do a control command; return its end, and the engines whose tasks it aborted."""
        op = control.op
        if op is ControlOp.READ_KEYS:
            kind = WRITE_EXCLUSIVE_ALL_REGISTRANTS if self.reserved else None
            keys = tuple(self.keys[each] for each in sorted(self.keys))
            found = ControlResult(outcome=Outcome.GOOD, keys=keys, reservation_type=kind)
            return found, ()
        if op in (ControlOp.REGISTER, ControlOp.REGISTER_AND_IGNORE):
            return self._register(engine, control), ()
        if self.keys.get(engine, 0) != control.key or engine not in self.keys:
            return _CONFLICT, ()
        if op is ControlOp.RESERVE:
            self.reserved = True
            return _GOOD, ()
        if op is ControlOp.CLEAR:
            self.keys, self.reserved = {}, False
            return _GOOD, ()
        return self._preempt(engine, control.other)

    def _register(self, engine: int, control: Control) -> ControlResult:
        if control.op is ControlOp.REGISTER and self.keys.get(engine, 0) != control.key:
            return _CONFLICT
        if control.other:
            self.keys[engine] = control.other
        elif engine in self.keys:
            del self.keys[engine]
            if not self.keys:  # SPC-4 5.13.11.2.2: the last registrant takes it along
                self.reserved = False
        return _GOOD

    def _preempt(self, engine: int, key: int) -> tuple[ControlResult, tuple[int, ...]]:
        gone = tuple(each for each in sorted(self.keys) if self.keys[each] == key)
        if not gone:
            return _CONFLICT, ()
        for each in gone:
            del self.keys[each]
        if not self.keys:
            self.reserved = False
        return _GOOD, tuple(each for each in gone if each != engine)
