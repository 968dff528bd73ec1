"""A simulated engine: the core, and what its shell would hold.

Events are queued and taken in batches, as the engine's loop does. The engine may fall (die or
stop) between two batches or in the middle of acting on the outbox.
"""

from collections import deque
from typing import TYPE_CHECKING, Any

from reference_router.commands import Command, LegIo, Op
from reference_router.messages import UnitState, decode, encode
from reference_router.service import from_file, to_file
from reference_router.simulator.core import TICK_NS, UNIT, make_core
from reference_router.simulator.host import Attempt
from reference_router.simulator.plan import LEGS, Kind
from reference_router.simulator.registering import Registration

if TYPE_CHECKING:
    from reference_router.simulator.world import World

_SOURCES = {
    "message": "link",
    "link up": "link",
    "link down": "link",
    "ruling": "witness",
    "witness up": "witness",
    "witness down": "witness",
}
Event = tuple[str, Any, Any]
"""What happened, and what goes with it."""


class Flight:
    """A leg I/O between the engine and the array. `landed` is how many of its blocks did."""

    __slots__ = ("arrives_ns", "engine", "error", "io", "read", "values")

    def __init__(self, engine: "Engine", io: LegIo, values: list[int], arrives_ns: int) -> None:
        self.engine = engine
        self.io = io
        self.values = values  # of a write
        self.arrives_ns = arrives_ns
        self.error = 0
        self.read: list[int] = []


class Engine:
    """One run of an engine, from its start to its death."""

    def __init__(
        self, world: "World", number: int, *, offset_ns: int, drift: int, cold_start: bool
    ) -> None:
        self.world = world
        self.number = number
        self._offset_ns, self._drift = offset_ns, drift
        self.alive = True
        self.stopping = False
        self.hung_until_ns = 0
        self.hung_ns = 0  # in all
        self.queue: list[Event] = []
        self.poll_due = False
        self.flights: dict[LegIo, Flight] = {}
        self.attempts: dict[Attempt, None] = {}  # that the host waits for
        self.session = 0  # of the link, as far as this end was told; 0 is none
        self.witness_session = 0  # the same, with the witness
        self.actions_left = -1  # before it falls; -1: it does not
        self.falls: tuple[Kind, int] = (Kind.CRASH, 0)
        self._told = [False] * len(LEGS)
        self._seen: UnitState | None = None
        self.cluster, self.unit, self.outbox = make_core(
            number,
            self.now_ns,
            cold_start=cold_start,
            persisted=world.disks[number],
            has_witness=world.plan.witness,
        )

    @property
    def now_ns(self) -> int:
        """Return the time by this engine's clock, which is nobody else's."""
        return self._offset_ns + self.world.now_ns + self.world.now_ns // 1000 * self._drift

    @property
    def running(self) -> bool:
        """Tell whether it takes events."""
        return self.alive and self.world.now_ns >= self.hung_until_ns

    def poll(self) -> None:
        """Take everything that is queued, let the core go on, and act."""
        self.poll_due = False
        if not self.running or not self._flush():
            return
        batch, self.queue = self.queue, []
        if len(batch) > 1:
            batch = self._any_order(batch)
        for event in batch:
            self._take(event)
        self.cluster.drive(self.now_ns)
        self._look_at_state()
        if self._flush() and self.stopping and self.cluster.stopped and not self.flights:
            self.world.stopped(self)

    # Events

    def _any_order(self, batch: list[Event]) -> list[Event]:
        """Return the events as the loop may come by them: in order only from each source."""
        if self.world.chance.random() < 0.5:
            return batch
        queues: dict[str, deque[Event]] = {}
        for event in batch:
            queues.setdefault(_SOURCES.get(event[0], event[0]), deque()).append(event)
        mixed = []
        while queues:
            name = self.world.chance.choice(list(queues))
            mixed.append(queues[name].popleft())
            if not queues[name]:
                del queues[name]
        return mixed

    def _take(self, event: Event) -> None:
        what, first, second = event
        now_ns = self.now_ns
        if what == "message":
            if first == self.session:
                self.cluster.take(decode(second), now_ns)
        elif what == "io":
            self._io_done(first, now_ns)
        elif what == "command":
            self._submit(first, now_ns)
        elif what == "tick":
            self._probe()
            self.cluster.tick(now_ns)
        elif what == "control":
            self.cluster.control_done(first, second)
        elif what == "link up":
            self._link_up(first, now_ns)
        elif what == "link down":
            self._link_down(first, now_ns)
        elif what == "ask":
            self._ask(first, now_ns)
        elif what == "manage":
            self.cluster.manage(UNIT, first, attach=second)
        elif what == "ruling":
            if first == self.witness_session:
                self.cluster.witness.take(second, now_ns)
        elif what == "witness up":
            self.witness_session = first
            self.cluster.witness.up(now_ns)
        elif what == "witness down":
            self._witness_down(first)
        elif what == "stop":
            self.stopping = True
            self.cluster.stop()

    def _io_done(self, flight: Flight, now_ns: int) -> None:
        io = flight.io
        del self.flights[io]
        if flight.read and not io.abandoned and not flight.error:
            owner = io.owner
            start = io.lba - owner.lba
            into = owner.buffer if owner.op is Op.COPY else owner.token.read
            if into is None:
                into = owner.buffer = [-1] * owner.blocks
            into[start : start + io.blocks] = flight.read
        self.cluster.leg_done(io, flight.error, now_ns)

    def _submit(self, attempt: Attempt, now_ns: int) -> None:
        """Give a command to the core; one that the host no longer waits for is still done."""
        if self.stopping or not self.unit.serves:
            self.world.hosts.refused(attempt)
            return
        planned = attempt.operation.planned
        attempt.executed = True
        command = Command(attempt, Op[planned.op], planned.lba, planned.blocks, f"h{planned.host}")
        self.cluster.submit(UNIT, command, now_ns)

    def _ask(self, registration: Registration, now_ns: int) -> None:
        if self.stopping or not self.unit.serves:
            self.world.registrations.refused(registration)
            return
        self.world.registrations.asked(registration)
        self.cluster.ask(UNIT, registration.request(), registration, now_ns)

    def _probe(self) -> None:
        """Look for the legs that are not in use, as the shell does every tick."""
        for leg, array in enumerate(self.world.arrays):
            now_ns = self.world.now_ns
            unused = leg not in self.unit.mirror.used
            if unused or not self._told[leg]:
                good = not array.refuses(self.number, now_ns) and now_ns >= array.hangs_until_ns
                if good and now_ns < array.slow_until_ns:
                    good = self.world.chance.random() < 0.3
                self._told[leg] = good
                self.cluster.reach(UNIT, leg, available=good, identity=LEGS[leg])

    def _link_up(self, session: int, now_ns: int) -> None:
        if self.session:
            self.cluster.link_down(now_ns, peer_is_dead=self.world.wire.proves_death(self))
        self.session = session
        self.cluster.link_up(now_ns)

    def _link_down(self, session: int, now_ns: int) -> None:
        if session == self.session:
            peer_is_dead = self.world.wire.proves_death(self)
            self.session = 0
            self.cluster.link_down(now_ns, peer_is_dead=peer_is_dead)

    def _witness_down(self, session: int) -> None:
        if session == self.witness_session:
            self.witness_session = 0
            self.cluster.witness.down()

    # Actions

    def _flush(self) -> bool:
        """Act on the outbox; return whether the engine still stands after it."""
        outbox, world = self.outbox, self.world
        if outbox.changed:
            outbox.changed.clear()
            self._keep_services()
        while True:
            if outbox.leg_io:
                if not self._acts():
                    return False
                world.storage.submit_io(self, outbox.leg_io.pop(0))
            elif outbox.compares:
                self._compare(outbox.compares.pop(0))
            elif outbox.completions:
                if not self._acts():
                    return False
                world.hosts.complete(self, outbox.completions.pop(0))
            elif outbox.answers:
                if not self._acts():
                    return False
                world.registrations.answered(*outbox.answers.pop(0))
            elif outbox.controls:
                if not self._acts():
                    return False
                world.storage.submit_control(self, outbox.controls.pop(0))
            elif outbox.messages:
                if not self._acts():
                    return False
                world.wire.send(self, encode(outbox.messages.pop(0)))
            elif outbox.refuse_link:
                why, outbox.refuse_link = outbox.refuse_link, ""
                world.wire.close(self, why)
            elif outbox.to_witness:
                if not self._acts():
                    return False
                world.witness.send(self, outbox.to_witness.pop(0))
            elif outbox.refuse_witness:
                why, outbox.refuse_witness = outbox.refuse_witness, ""
                world.witness.close(self, why)
            else:
                break
        for note in outbox.notes:
            world.say("note", self.number, note)
        outbox.notes.clear()
        return True

    def _acts(self) -> bool:
        """Count an action; return False if the engine falls instead."""
        if self.actions_left < 0:
            return True
        self.actions_left -= 1
        if self.actions_left >= 0:
            return True
        kind, for_us = self.falls
        self.world.fall(self, kind, for_us)
        return False

    def _compare(self, command: Command) -> None:
        attempt: Attempt = command.token
        wanted = attempt.compared_with
        attempt.mismatch = next(
            (at for at, value in enumerate(attempt.read) if value != wanted[at]), None
        )
        self.cluster.compared(UNIT, command, attempt.mismatch, self.now_ns)

    def _keep_services(self) -> None:
        """Keep the hosts' persistent reservations, as `reservation_file` does."""
        kept = tuple(
            (epoch, from_file(to_file(services))) for epoch, services in self.unit.kept_services
        )
        self.world.disks[self.number] = kept

    def _look_at_state(self) -> None:
        state = self.unit.state
        if state is not self._seen:
            self._seen = state
            if state.members:  # else it holds for nobody: the engine has lost its place
                self.world.see_state(self, state)

    @property
    def idle(self) -> bool:
        """Tell whether it has nothing left to do by itself."""
        mirror = self.unit.mirror
        news = any(what != "tick" for what, _, _ in self.queue)
        return self.unit.idle and not news and not mirror.repairs and not mirror.busy

    def describe(self) -> str:
        """Return its state in a line, for people."""
        unit, mirror = self.unit, self.unit.mirror
        barrier = unit.barrier.proposal
        return (
            f"{unit.phase} epoch {unit.state.epoch} {','.join(map(str, unit.state.states))} "
            f"members {unit.state.members} busy {mirror.busy} flights {len(self.flights)} "
            f"repairs {len(mirror.repairs)} fencing {unit.fencing.under_way} "
            f"barrier {barrier.epoch if barrier else None} hung {not self.running}"
        )

    def wanted_tick_ns(self) -> int:
        """Return when its next tick is due, by the world's clock."""
        return self.world.now_ns + TICK_NS

    def values_of(self, io: LegIo) -> list[int]:
        """Return what a write carries."""
        owner: Command = io.owner
        if owner.op is not Op.COPY:
            return [owner.token.operation.planned.number] * io.blocks
        start = io.lba - owner.lba
        values: list[int] = owner.buffer[start : start + io.blocks]
        return values
