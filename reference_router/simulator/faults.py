"""Applies the faults of a plan to the world, and ends them."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_router.messages import LegState
from reference_router.simulator.plan import ENGINES, Fault, Kind
from reference_router.simulator.shell import Engine

if TYPE_CHECKING:
    from reference_router.simulator.world import World

_US = 1000
_ASK_AGAIN_NS = 1_500_000 * _US
_STOP_PATIENCE_NS = 3_000_000 * _US


class Faults:
    """The faults of a run. `over` once each has ended and what it took away is back."""

    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self.begun = 0
        self._detached = 0
        self._returns: set[int] = set()  # engines that are to be started again

    @property
    def over(self) -> bool:
        """Tell whether nothing is broken any more."""
        return (
            self.begun == len(self._world.plan.faults) and not self._returns and not self._detached
        )

    def begin(self, fault: Fault) -> None:
        """Let a fault begin."""
        self.begun += 1
        self._world.say("fault", str(fault))
        _BEGIN[fault.kind](self, fault)

    def fall(self, engine: Engine, kind: Kind, for_us: int) -> None:
        """Let an engine die or stop."""
        world = self._world
        if kind in (Kind.HANG, Kind.HANG_KILL):
            world.hang(engine, for_us * _US)
            if kind is Kind.HANG_KILL:
                world.at(world.now_ns + for_us * _US - 1, self._kill_hung, engine)
            return
        power = kind is Kind.POWER and not world.plan.proof_of_death
        self._die(engine, str(kind), for_us * _US, tells=not power)

    def _engine(self, fault: Fault) -> None:
        """Let an engine fall now, or after some more actions, but not much later."""
        engine = self._world.engines[fault.engine]
        if engine is None:
            return
        if not fault.after or not engine.running:
            self.fall(engine, fault.kind, fault.for_us)
            return
        engine.actions_left, engine.falls = fault.after - 1, (fault.kind, fault.for_us)

    def _kill_hung(self, engine: Engine) -> None:
        if engine.alive:
            self._die(engine, "hung, killed by its supervisor", 20_000 * _US, tells=True)

    def _die(self, engine: Engine, why: str, for_ns: int, *, tells: bool) -> None:
        world = self._world
        world.die(engine, why, tells=tells)
        self._returns.add(engine.number)
        world.at(world.now_ns + for_ns, self._start, engine.number)

    def _start(self, number: int) -> None:
        self._returns.discard(number)
        self._world.start(number)

    def _stop(self, fault: Fault) -> None:
        world = self._world
        engine = world.engines[fault.engine]
        if engine is None or engine.stopping:
            return
        self._returns.add(engine.number)
        world.tell(engine, "stop", None)
        world.at(world.now_ns + _STOP_PATIENCE_NS, self._kill_slow, engine)
        self._await_stop(engine, fault.for_us * _US)

    def _await_stop(self, engine: Engine, for_ns: int) -> None:
        world = self._world
        if engine.alive:
            world.at(world.now_ns + 5_000 * _US, self._await_stop, engine, for_ns)
        else:
            world.at(world.now_ns + for_ns, self._start, engine.number)

    def _kill_slow(self, engine: Engine) -> None:
        """The supervisor does not wait for ever: the stop was not a clean one then."""
        if engine.alive:
            self._world.die(engine, "killed, for it does not stop", tells=True)

    def _link(self, fault: Fault) -> None:
        world, network = self._world, self._world.wire.network
        until_ns = world.now_ns + fault.for_us * _US
        if fault.kind is Kind.DELAY:
            network.slow_until_ns = max(network.slow_until_ns, until_ns)
        elif fault.kind in (Kind.CUT, Kind.CUT_ONE):
            network.down_until_ns = max(network.down_until_ns, until_ns)
            world.wire.cut(3 - fault.engine if fault.kind is Kind.CUT_ONE else 0)
        else:
            for sender in ENGINES if fault.kind is Kind.SILENCE else (fault.engine,):
                world.wire.hole(sender, until_ns)

    def _leg(self, fault: Fault) -> None:
        world, array = self._world, self._world.arrays[fault.leg]
        until_ns = world.now_ns + fault.for_us * _US
        if fault.kind is Kind.LEG_HANG:
            array.hangs_until_ns = max(array.hangs_until_ns, until_ns)
        elif fault.kind is Kind.LEG_SLOW:
            array.slow_until_ns = max(array.slow_until_ns, until_ns)
        else:
            for number in (fault.engine,) if fault.engine else ENGINES:
                engine = world.engines[number]
                if engine is not None:
                    world.storage.fail_under_way(fault.leg, engine)
                refuses = array.refuses_until_ns
                refuses[number] = max(refuses[number], until_ns)

    def _detach(self, fault: Fault) -> None:
        """An operator takes a leg out, and later attaches it until it is in use again."""
        self._detached += 1
        self._manage(fault.leg, attach=False)
        self._world.at(self._world.now_ns + fault.for_us * _US, self._attach, fault.leg, True)

    def _attach(self, leg: int, first: bool) -> None:
        serving = [each for each in self._world.engines.values() if each and each.unit.serves]
        whole = serving and all(
            each.unit.state.states[leg] is not LegState.STALE
            and leg not in each.unit.state.detached
            # Either may yet detach it: by its proposal, or by the one that it takes up again.
            and each.unit.barrier.proposal is None
            and not each.unit.fencing.under_way
            for each in serving
        )
        if whole and not first:
            self._detached -= 1
            return
        self._manage(leg, attach=True)
        self._world.at(self._world.now_ns + _ASK_AGAIN_NS, self._attach, leg, False)

    def _manage(self, leg: int, *, attach: bool) -> None:
        serving = [each for each in self._world.engines.values() if each and each.unit.serves]
        if serving:
            engine = self._chance.choice(serving)
            self._world.say("attach" if attach else "detach", engine.number, leg)
            self._world.tell(engine, "manage", leg, attach)

    def _medium(self, fault: Fault) -> None:
        bad = self._world.arrays[fault.leg].bad
        bad.add(fault.block)
        self._world.at(self._world.now_ns + fault.for_us * _US, bad.discard, fault.block)

    def _witness(self, fault: Fault) -> None:
        world = self._world
        until_ns = world.now_ns + fault.for_us * _US
        if fault.kind is Kind.WITNESS_DOWN:
            world.witness.fall(until_ns)
            return
        for number in (fault.engine,) if fault.engine else ENGINES:
            world.witness.cut(number, until_ns)


_BEGIN: dict[Kind, Callable[[Faults, Fault], None]] = {
    Kind.CRASH: Faults._engine,
    Kind.POWER: Faults._engine,
    Kind.HANG: Faults._engine,
    Kind.HANG_KILL: Faults._engine,
    Kind.STOP: Faults._stop,
    Kind.CUT: Faults._link,
    Kind.CUT_ONE: Faults._link,
    Kind.HOLE: Faults._link,
    Kind.SILENCE: Faults._link,
    Kind.DELAY: Faults._link,
    Kind.LEG_ERROR: Faults._leg,
    Kind.LEG_HANG: Faults._leg,
    Kind.LEG_SLOW: Faults._leg,
    Kind.DETACH: Faults._detach,
    Kind.MEDIUM: Faults._medium,
    Kind.WITNESS_DOWN: Faults._witness,
    Kind.WITNESS_CUT: Faults._witness,
}
