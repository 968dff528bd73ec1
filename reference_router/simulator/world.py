"""The simulated world: virtual time, what happens next, and who is alive.

Chance comes from streams of their own for hosts, network, arrays and engines, all of the plan's
seed: leaving a fault out changes as little as it can, which is what makes shrinking work.
"""

import hashlib
import heapq
import random
from collections.abc import Callable
from typing import Any

from reference_router.messages import LegState, UnitState
from reference_router.service_state import ServiceState
from reference_router.simulator.array import Array
from reference_router.simulator.core import BOUND_NS
from reference_router.simulator.driver import Hosts
from reference_router.simulator.faults import Faults
from reference_router.simulator.invariants import Judge
from reference_router.simulator.plan import ENGINES, LEGS, Kind, Plan
from reference_router.simulator.registering import NAME, Registrations
from reference_router.simulator.shell import Engine
from reference_router.simulator.storage import Storage
from reference_router.simulator.violation import Violation
from reference_router.simulator.wire import Wire
from reference_router.simulator.witness import Witness

_US = 1000
_MS = 1000 * _US
_BATCH_NS = 60 * _US
_WATCH_NS = 40 * _MS
_SETTLE_NS = 15_000 * _MS
_EPOCHS_APART_NS = 1_000_000 * _MS
_EVENTS_MAX = 400_000
_DRIFT_PERMILLE = 10

Entry = tuple[Any, ...]


class World:
    """One run of a plan."""

    def __init__(self, plan: Plan, *, keep_trace: bool = False) -> None:
        self.plan = plan
        self.now_ns = 0
        self.trace: list[Entry] = []
        self._keep_trace = keep_trace
        self._digest = hashlib.blake2b(digest_size=8)
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._pushed = 0
        self.events = 0
        self.chance = self._stream("engines")
        self.judge = Judge(self)
        self.arrays = [Array() for _ in LEGS]
        self.engines: dict[int, Engine | None] = {1: None, 2: None}
        self.storage = Storage(self, self._stream("arrays"))
        self.wire = Wire(self, self._stream("network"))
        self.hosts = Hosts(self, self._stream("hosts"))
        self.registrations = Registrations(self)
        self.disks: dict[int, tuple[tuple[int, ServiceState], ...]] = {1: (), 2: ()}
        """The persistent reservations that each engine keeps."""
        self.witness = Witness(self, self._stream("witness"))
        self.faults = Faults(self, self._stream("faults"))
        self._quiet_after_ns = 0

    def _stream(self, name: str) -> random.Random:
        return random.Random(f"{self.plan.seed}/{name}")  # noqa: S311 - chance, not secrets

    # Time

    def at(self, when_ns: int, what: Callable[..., None], *arguments: object) -> None:
        """Let something happen at a time, not before now."""
        self._pushed += 1
        heapq.heappush(self._heap, (max(when_ns, self.now_ns), self._pushed, what, arguments))

    def run(self) -> None:
        """Run the plan to its end. Raises Violation; any other exception is the core's fault."""
        for number in ENGINES:
            self.start(number)
        last_us = 0
        for planned in self.plan.operations:
            registers = planned.op == NAME
            begin = self.registrations.begin if registers else self.hosts.begin
            self.at(planned.at_us * _US, begin, planned)
            last_us = max(last_us, planned.at_us)
        for fault in self.plan.faults:
            self.at(fault.at_us * _US, self.faults.begin, fault)
            last_us = max(last_us, fault.at_us + fault.for_us)
        self._quiet_after_ns = last_us * _US
        self.at(_WATCH_NS, self._watch)
        try:
            self._go()
            self.judge.finish()
            self.registrations.finish()
        except Violation as violation:
            self.say("violation", violation.invariant, violation.text)
            raise

    def _go(self) -> None:
        heap = self._heap
        while heap:
            self.now_ns, _, what, arguments = heapq.heappop(heap)
            self.events += 1
            what(*arguments)
        if not self.quiet():
            raise Violation("bounded", f"does not settle: {self.describe()}")

    def _watch(self) -> None:
        """Look after hosts, and end the run once everything is whole again."""
        self.hosts.watch()
        self.judge.watch(BOUND_NS)
        self.registrations.watch(BOUND_NS)
        if self.now_ns > self._quiet_after_ns and self.quiet():
            self._heap.clear()
            return
        late = self.now_ns > self._quiet_after_ns + _SETTLE_NS
        if late or self.events > _EVENTS_MAX:
            raise Violation("bounded", f"does not settle: {self.describe()}")
        self.at(self.now_ns + _WATCH_NS, self._watch)

    def quiet(self) -> bool:
        """Tell whether nothing is left to do: both engines serve, all legs are in sync."""
        if self.hosts.open or self.registrations.open or not self.faults.over:
            return False
        epochs = set()
        for engine in self.engines.values():
            if engine is None or not engine.running or engine.flights or not engine.unit.serves:
                return False
            state = engine.unit.state
            epochs.add(state.epoch)
            if any(each is not LegState.IN_SYNC for each in state.states):
                return False
            if len(state.members) < len(ENGINES) or not engine.idle:
                return False
        return len(epochs) == 1

    def describe(self) -> str:
        """Return the state in a line, for people."""
        parts = [f"{len(self.hosts.open)} operations open"]
        for number, engine in self.engines.items():
            if engine is None:
                parts.append(f"engine {number} is dead")
            else:
                parts.append(f"engine {number}: {engine.describe()}")
        return "; ".join(parts)

    # The record

    def say(self, *entry: object) -> None:
        """Record what happened; it goes into the digest."""
        self._digest.update(repr((self.now_ns, entry)).encode())
        if self._keep_trace:
            self.trace.append((self.now_ns, *entry))

    @property
    def digest(self) -> str:
        """Return a digest of everything that was recorded."""
        return self._digest.hexdigest()

    # Engines

    def start(self, number: int) -> None:
        """Start an engine, unless it runs."""
        if self.engines[number] is not None:
            return
        self.say("start", number)
        offset_ns = self.chance.randrange(_EPOCHS_APART_NS)
        engine = self.engines[number] = Engine(
            self,
            number,
            offset_ns=offset_ns,
            drift=self.chance.randrange(-_DRIFT_PERMILLE, _DRIFT_PERMILLE + 1),
            cold_start=self.judge.top is None,  # the operator's word, till they have served
        )
        self.at(self.now_ns + self.chance.randrange(_MS), self._tick, engine)
        self.wire.connect_later()
        self.witness.connect_later(engine)

    def tell(self, engine: Engine, what: str, first: object, second: object = None) -> None:
        """Queue an event for an engine; it takes it soon, with what else has come till then."""
        if not engine.alive:
            return
        engine.queue.append((what, first, second))
        self._poll_soon(engine)

    def _poll_soon(self, engine: Engine) -> None:
        if not engine.poll_due and engine.running:
            engine.poll_due = True
            self.at(self.now_ns + self.chance.randrange(_BATCH_NS), engine.poll)

    def _tick(self, engine: Engine) -> None:
        if engine.alive:
            self.at(engine.wanted_tick_ns(), self._tick, engine)
            if engine.running:
                self.tell(engine, "tick", None)

    def hang(self, engine: Engine, for_ns: int) -> None:
        """Stop an engine for a while."""
        self.say("hang", engine.number, for_ns)
        engine.hung_until_ns = max(engine.hung_until_ns, self.now_ns + for_ns)
        engine.hung_ns += for_ns
        engine.poll_due = False
        self.at(engine.hung_until_ns, self._wake, engine)

    def _wake(self, engine: Engine) -> None:
        if engine.running:
            self.say("wake", engine.number)
            first = self.chance.random() < 0.5
            engine.queue.insert(0 if first else len(engine.queue), ("tick", None, None))
            self._poll_soon(engine)

    def die(self, engine: Engine, why: str, *, tells: bool) -> None:
        """End an engine: its I/O has landed or not, its hosts look elsewhere."""
        if not engine.alive:
            return
        self.say("die", engine.number, why)
        self.storage.decide_all(engine)
        engine.alive = False
        self.engines[engine.number] = None
        self.wire.lose(engine, tells=tells)
        self.witness.lose(engine)
        self.hosts.engine_died(engine)
        self.registrations.engine_died(engine)

    def fall(self, engine: Engine, kind: Kind, for_us: int) -> None:
        """Let an engine fall now, as a fault says."""
        engine.actions_left = -1
        self.faults.fall(engine, kind, for_us)

    def stopped(self, engine: Engine) -> None:
        """An engine has stopped as planned; its kernel has waited for its I/O."""
        self.die(engine, "stopped as planned", tells=True)

    def see_state(self, engine: Engine, state: UnitState) -> None:
        """An engine took a state."""
        self.say("state", engine.number, state.epoch, tuple(map(str, state.states)), state.members)
        self.judge.sees(engine, state)
