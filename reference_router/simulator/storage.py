"""Leg I/O and control commands between engines and arrays: when they arrive, land, and end.

An I/O lands (has its effect) at one time and ends (its engine hears of it) at a later one. Writes
may land in two pieces. A control command that ends with an error may have had its effect.
"""

import errno
import random
from typing import TYPE_CHECKING

from reference_router.commands import LegIo, Op
from reference_router.keys import Control, ControlOp, ControlResult, Outcome
from reference_router.simulator.array import Array
from reference_router.simulator.shell import Engine, Flight

if TYPE_CHECKING:
    from reference_router.simulator.world import World

_US = 1000
_FAST_NS = (20 * _US, 400 * _US)
_SOMETIMES_NS = 5_000 * _US
_SLOW_NS = (20_000 * _US, 300_000 * _US)
_LATE_NS = 200_000 * _US
EBADE = 52  # RESERVATION CONFLICT as the block layer tells it (blk_status_to_errno)


class Storage:
    """What happens between the engines and the arrays."""

    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._controls: dict[Control, Engine] = {}
        self.io_count = 0
        self.failed_writes: set[int] = set()
        """What was in writes that a leg has failed."""

    def submit_io(self, engine: Engine, io: LegIo) -> None:
        """Send a leg I/O on its way."""
        self.io_count += 1
        world = self._world
        values = engine.values_of(io) if io.write else []
        takes_ns = self._takes_ns(world.arrays[io.leg])
        arrives_ns = world.now_ns + int(takes_ns * self._chance.random() * 0.5)
        flight = engine.flights[io] = Flight(engine, io, values, arrives_ns)
        world.say("write" if io.write else "read", engine.number, io.leg, io.lba, io.blocks,
                  values[0] if values else -1, io.owner.op is Op.COPY)  # fmt: skip
        if io.write and io.blocks > 1 and self._chance.random() < 0.2:
            early_ns = world.now_ns + int(takes_ns * self._chance.random())
            world.at(max(early_ns, arrives_ns), self._land_part, flight)
        world.at(world.now_ns + takes_ns, self._land, flight)

    def _takes_ns(self, array: Array) -> int:
        chance = self._chance
        if self._world.now_ns < array.slow_until_ns:
            return chance.randrange(*_SLOW_NS)
        if chance.random() < 0.1:
            return chance.randrange(_SOMETIMES_NS)
        return chance.randrange(*_FAST_NS)

    def _gone(self, flight: Flight) -> bool:
        return not flight.engine.alive or flight.io not in flight.engine.flights

    def _land_part(self, flight: Flight) -> None:
        """Let the first block of a write land before the rest."""
        array = self._world.arrays[flight.io.leg]
        stands = not flight.error and not self._gone(flight) and self._reaches(flight.engine, array)
        if stands and array.may_write(flight.engine.number):
            self._put(flight, 1)

    def _reaches(self, engine: Engine, array: Array) -> bool:
        now_ns = self._world.now_ns
        return now_ns >= array.hangs_until_ns and not array.refuses(engine.number, now_ns)

    def _land(self, flight: Flight) -> None:
        world, io = self._world, flight.io
        if self._gone(flight):
            return
        array, number = world.arrays[io.leg], flight.engine.number
        if world.now_ns < array.hangs_until_ns and not flight.error:
            late_ns = self._chance.choice((0, _FAST_NS[1], _LATE_NS))
            world.at(array.hangs_until_ns + self._chance.randrange(late_ns + 1), self._land, flight)
            return
        if flight.error:
            pass
        elif array.refuses(number, world.now_ns):
            flight.error = errno.EIO
        elif io.write and not array.may_write(number):
            flight.error = EBADE
        elif io.write:
            self._put(flight, io.blocks)
        elif not array.readable(io.lba, io.blocks):
            flight.error = errno.ENODATA
        else:
            flight.read = array.blocks[io.lba : io.lba + io.blocks]
        told_ns = self._chance.randrange(200 * _US)
        world.at(world.now_ns + told_ns, self._tell, flight)

    def _put(self, flight: Flight, blocks: int) -> None:
        io = flight.io
        self._world.judge.landing(flight.engine, io, flight.values[:blocks])
        stamp = self._world.judge.stamp
        if io.owner.op is not Op.COPY:
            io.owner.token.landed = True
        self._world.arrays[io.leg].put(io.lba, flight.values[:blocks], stamp)

    def _tell(self, flight: Flight) -> None:
        if not self._gone(flight):
            io = flight.io
            if flight.error and io.write:
                self.failed_writes.update(flight.values)
            self._world.say("io", flight.engine.number, io.leg, io.lba, io.write, flight.error)
            self._world.tell(flight.engine, "io", flight)

    # Faults

    def fail_under_way(self, leg: int, engine: Engine) -> None:
        """A way to an array is gone: what is under way there has landed, or never will."""
        for flight in list(engine.flights.values()):
            if flight.io.leg == leg and not flight.error and not flight.read:
                self._decide(flight)
                flight.error = errno.EIO

    def abort(self, leg: int, engine: Engine) -> None:
        """PREEMPT AND ABORT: what had arrived of this engine's writes will not land any more."""
        for flight in engine.flights.values():
            arrived = flight.arrives_ns <= self._world.now_ns
            if flight.io.leg == leg and flight.io.write and arrived and not flight.error:
                flight.error = EBADE

    def decide_all(self, engine: Engine) -> None:
        """An engine is dead: each of its I/Os has landed, partly, or not."""
        for flight in list(engine.flights.values()):
            if not flight.error and not flight.read:
                self._decide(flight)
        engine.flights.clear()

    def _decide(self, flight: Flight) -> None:
        """Let a write land, in part, or not. One that landed before lands again, which is right."""
        array, io = self._world.arrays[flight.io.leg], flight.io
        chance = self._chance.random()
        allowed = io.write and array.may_write(flight.engine.number)
        if not allowed or array.refuses(flight.engine.number, self._world.now_ns):
            return
        if chance < 0.45:
            self._put(flight, io.blocks)
        elif chance < 0.6 and io.blocks > 1:
            self._put(flight, self._chance.randrange(1, io.blocks))

    # Control commands

    def submit_control(self, engine: Engine, control: Control) -> None:
        """Send a control command on its way."""
        world = self._world
        takes_ns = self._takes_ns(world.arrays[control.leg])
        world.say("control", engine.number, control.leg, control.op, control.key, control.other)
        self._controls[control] = engine
        world.at(world.now_ns + takes_ns, self._do_control, control)

    def _do_control(self, control: Control) -> None:
        world, engine = self._world, self._controls[control]
        array = world.arrays[control.leg]
        if not engine.alive and self._chance.random() < 0.5:
            del self._controls[control]
            return
        if world.now_ns < array.hangs_until_ns:
            world.at(array.hangs_until_ns + _FAST_NS[0], self._do_control, control)
            return
        del self._controls[control]
        refused = array.refuses(engine.number, world.now_ns)
        if refused and (control.op is ControlOp.READ_KEYS or self._chance.random() < 0.7):
            result = ControlResult(outcome=Outcome.ERROR, why="no way to the array")
        else:
            result = self._effect(engine, array, control)
            if refused:
                result = ControlResult(outcome=Outcome.ERROR, why="the way broke")
        told_ns = self._chance.randrange(200 * _US)
        world.at(world.now_ns + told_ns, self._tell_control, engine, (control, result))

    def _effect(self, engine: Engine, array: Array, control: Control) -> ControlResult:
        result, aborted = array.control(engine.number, control)
        self._world.say("controlled", engine.number, control.leg, control.op, result.outcome,
                        tuple(sorted(array.keys.items())), array.reserved)  # fmt: skip
        for number in aborted:
            other = self._world.engines[number]
            if other is not None:
                self.abort(control.leg, other)
        return result

    def _tell_control(self, engine: Engine, ended: tuple[Control, ControlResult]) -> None:
        self._world.tell(engine, "control", ended[0], ended[1])
