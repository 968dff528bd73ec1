"""One logical unit in one engine: where it stands, and what its state calls for. Pure.

Everything about a unit is decided for it alone: who serves it, which legs are in sync, who leads.
`drive` looks at the state after each batch of events and does what it calls for.
"""

from collections.abc import Callable, Iterable

import msgspec

from reference_router.admission import Admission
from reference_router.barrier import Barrier
from reference_router.commands import Outbox
from reference_router.copier import Copier
from reference_router.fencing import Fencing
from reference_router.housekeeping import Housekeeping
from reference_router.keyring import Errand, Keyring
from reference_router.keys import EPOCH_MAX, Key
from reference_router.leading import Leading
from reference_router.messages import Leave, LegState, Maps, Message, Standing, UnitState
from reference_router.mirror import make_mirror
from reference_router.peer import Peer
from reference_router.requests import Requests
from reference_router.service import ServiceState
from reference_router.starting import Starting
from reference_router.unit_setup import Phase as Phase
from reference_router.unit_setup import Timing as Timing
from reference_router.unit_setup import UnitSetup as UnitSetup
from reference_router.votes import Vote

_FOR_EVER_NS = 1 << 63


class Unit:
    """The core of one logical unit."""

    def __init__(
        self,
        setup: UnitSetup,
        *,
        engine_id: int,
        timing: Timing,
        peer: Peer,
        vote: Vote,
        outbox: Outbox,
        now_ns: int,
    ) -> None:
        self.name = setup.name
        self.check = setup.check
        self.engine_id = engine_id
        self.timing = timing
        self.outbox = outbox
        self.peer = peer.of_unit()
        self.vote = vote
        self.leg_count = len(setup.legs)
        self.phase = Phase.STARTING
        self.stopping = False
        self.state = UnitState(epoch=0, states=(LegState.STALE,) * self.leg_count, members=())
        self.mirror = make_mirror(setup, outbox)
        self.keyring = Keyring(
            setup.name,
            engine_id=engine_id,
            check=setup.check,
            legs=self.leg_count,
            outbox=outbox,
        )
        self.barrier = Barrier(self)
        self.fencing = Fencing(self)
        self.admission = Admission(self, self.leg_count)
        self.copier = Copier(self, rate_bytes_per_s=setup.rate_bytes_per_s)
        self.requests = Requests(self, hosts=setup.hosts, engines=setup.engines)
        self.leading = Leading(self)
        self.housekeeping = Housekeeping(self)
        self.starting = Starting(self, setup, now_ns=now_ns)
        self.kept: dict[int, ServiceState] = dict(setup.persisted)
        """What hosts had reserved at every epoch that the arrays may tell after a loss of power."""
        self.adopted: Callable[[], None] = lambda: None
        """Told when another state holds, before held commands go on under it."""
        self.peer_leaves = False
        """Whether the peer asked to be taken out."""
        self.peer_was_alone = False
        """Whether the lost peer may have gone on without this engine, and without leases."""
        self.promised_until_ns = 0
        """Until when the peer that was lost may read as if nothing had changed."""
        self.in_touch = False
        """Whether the link has been up since the peer became a member."""
        self._farewell: Errand | None = None
        self._leave_told_at = 0

    # What others ask

    @property
    def leads(self) -> bool:
        """Tell whether this engine decides."""
        return self.state.members[:1] == (self.engine_id,)

    @property
    def shared(self) -> bool:
        """Tell whether the peer is a member too."""
        return len(self.state.members) > 1

    @property
    def serves(self) -> bool:
        """Tell whether this engine can do host I/O: it is a member, and reaches all legs used."""
        if self.phase is not Phase.SERVING or self.engine_id not in self.state.members:
            return False
        return all(self.admission.mine[leg].available for leg in self.mirror.used)

    @property
    def idle(self) -> bool:
        """Tell, cheaply, whether `drive` has nothing to do but to look around now and then."""
        return (
            self.phase is Phase.SERVING
            and self.barrier.proposal is None
            and not self.fencing.under_way
            and not self.mirror.suspects
            and not self.mirror.weak
            and not self.mirror.fenced_off
            and not self.copier.busy
            and self.housekeeping.done
            and not self.requests.waiting
            and not self.leading.waiting
            and not self.stopping
            and self.vote.settled
        )

    def shown(self, leg: int) -> LegState:
        """Return the state of a leg for people: STALE and out of reach is ABSENT."""
        state = self.mirror.states[leg]
        if state is LegState.STALE and not self.admission.mine[leg].available:
            return LegState.ABSENT
        return state

    def key(self, epoch: int, *, clean: bool = False, holds: bool = False) -> Key:
        """Return this engine's key for an epoch."""
        return Key(engine=self.engine_id, check=self.check, epoch=epoch, clean=clean, holds=holds)

    def maps(self) -> Maps:
        """Return what a newcomer must know."""
        return Maps(
            unit=self.name,
            dirty=tuple(each.dump() for each in self.mirror.dirty),
            left=tuple(self.admission.left),
            repairs=self.mirror.repairs.dump(),
        )

    def send(self, message: Message) -> None:
        """Send a message to the peer."""
        self.outbox.messages.append(message)

    def note(self, text: str) -> None:
        """Say something to the log."""
        self.outbox.notes.append(f"{self.name}: {text}")

    @property
    def kept_services(self) -> tuple[tuple[int, ServiceState], ...]:
        """What to keep of the hosts' persistent reservations, by epoch; empty if nothing."""
        any_persistent = any(services.persistent for services in self.kept.values())
        return tuple(sorted(self.kept.items())) if any_persistent else ()

    def persist(self, proposal: UnitState) -> None:
        """See that reservations are kept before this engine agrees to what is proposed."""
        self.kept[proposal.epoch] = proposal.services
        if self.kept_services:
            self.outbox.changed.append(self.name)

    # Events

    def link_up(self) -> None:
        """Take that messages flow."""
        self.admission.link_changed()
        self.starting.link_up()
        self.leading.link_up()

    def link_down(self, now_ns: int) -> None:
        """Go on without the peer, or without hope for an invitation."""
        self.admission.link_changed()
        self.peer_leaves = self.in_touch = False
        if self.phase is Phase.STARTING:
            self.starting.link_down()
            self.barrier.give_up()
        elif self.phase is Phase.SERVING and self.shared:
            if not self.fencing.under_way:
                self.promised_until_ns = self.peer.promise_until_ns
                self.fencing.begin(now_ns)
        elif self.phase is Phase.SERVING and self.is_letting_in:
            self.stop_letting_in(now_ns)

    def peer_stands(self, standing: Standing, now_ns: int) -> None:
        """Take where the peer stands. Two cannot both serve alone: the keys say which one does."""
        self.peer.standing = standing
        alone = self.phase is Phase.SERVING and not self.shared and self.state.members
        busy = self.fencing.under_way or self.barrier.proposal is not None
        if standing.serving and alone and not busy:
            self.fencing.begin(now_ns)

    def load_maps(self, message: Maps) -> None:
        """Take over what legs lack, as a newcomer. Raises RegionMapError."""
        for mine, text in zip(self.mirror.dirty, message.dirty, strict=True):
            mine.load(text)
        self.mirror.repairs.load(message.repairs)
        self.admission.left = list(message.left)

    def tick(self, now_ns: int) -> None:
        """Look at deadlines."""
        self.mirror.tick(
            now_ns,
            leg_deadline_ns=self.timing.leg_deadline_ns,
            command_deadline_ns=self.timing.command_deadline_ns,
        )
        self.requests.tick(now_ns, deadline_ns=self.timing.command_deadline_ns)
        self.leading.tick(now_ns)

    def drive(self, now_ns: int) -> None:
        """Do whatever the state calls for."""
        if self.phase is Phase.STOPPED:
            return
        self.admission.tell()
        self.vote.drive(now_ns)
        if self.phase is Phase.STARTING:
            self._drive_starting(now_ns)
            return
        if self.mirror.fenced_off:
            self._look_for_fence(now_ns)
        if self.shared and not self.leads:
            self.leading.tell_suspects()
        if self.fencing.under_way:
            self.fencing.drive(now_ns)
        if self.phase is Phase.SERVING and not self.fencing.under_way:
            if self.barrier.proposal is not None:
                self.barrier.drive(now_ns)
            if self.phase is Phase.SERVING and self.barrier.proposal is None:
                self._serve(now_ns)

    def _drive_starting(self, now_ns: int) -> None:
        if self.stopping:
            self.phase = Phase.STOPPED
            return
        if self.barrier.proposal is not None:
            self.barrier.drive(now_ns)
        if self.phase is Phase.STARTING and self.barrier.proposal is None:
            self.starting.drive(now_ns)

    def _look_for_fence(self, now_ns: int) -> None:
        """A leg refused this engine as not registered: look whether another one goes on alone."""
        self.mirror.fenced_off = False
        if not self.fencing.under_way and not self.shared and self.barrier.proposal is None:
            self.fencing.begin(now_ns)

    def _serve(self, now_ns: int) -> None:
        self.leading.tell()
        if self._farewell is not None:
            if self._farewell.over:
                self.phase = Phase.STOPPED
            return
        self.housekeeping.drive(now_ns)
        if self.phase is not Phase.SERVING:
            return
        if self.leads:
            self.leading.drive(now_ns)
        elif self.shared:
            self.leading.follow()
        if self.stopping and self.phase is Phase.SERVING and self.barrier.proposal is None:
            self._stop(now_ns)

    # Changes of state

    def start_alone(self, state: UnitState, why: str) -> None:
        """Begin to serve without a peer: the legs are this engine's."""
        self.phase = Phase.SERVING
        for leg, each in enumerate(state.states):
            if each is LegState.STALE:
                self.mirror.dirty[leg].fill()
        self.barrier.propose(state, why, alone=True)

    def adopt(self, state: UnitState, now_ns: int, *, drained: bool) -> None:
        """Let a state hold: the end of a barrier. `drained`: an engine that left had drained."""
        before, self.state = self.state, state
        self.kept = {state.epoch: state.services}
        if state.epoch >= EPOCH_MAX:
            self.note("the epoch has run out: detach and attach the legs to begin anew")
        self.admission.note_states(before, state, now_ns)
        if self.engine_id not in state.members:
            self.requests.committed(state.answer)
            self._left()
            return
        self.phase = Phase.SERVING
        self.copier.forget()
        grows = len(state.members) > len(before.members)
        shrinks = len(state.members) < len(before.members)
        if grows or shrinks:
            self.mirror.forget_leases()
        self.mirror.commit(state.states, now_ns)
        if not self.shared:
            self._keep_leases(drained=drained)
            self.mirror.confirm_reads(_FOR_EVER_NS, now_ns)
        elif grows:
            self.mirror.leases.share(leads=self.leads)
            self.vote.begin(state.epoch)
            self.in_touch = True
            self.promised_until_ns = 0
            self.admission.tell_again()
            self.mirror.confirm_reads(self.peer.lease_until_ns, now_ns)
        self.peer_leaves = False
        self.leading.changed()
        self.housekeeping.begin()
        if self.leads and before.members:
            self.housekeeping.clear(sorted({*state.detached} - {*before.detached}), now_ns)
        self.outbox.changed.append(self.name)
        self.adopted()
        self.requests.committed(state.answer)
        self.requests.members_changed()
        if shrinks:
            self.requests.alone()
        self.mirror.resume(now_ns)

    def _keep_leases(self, *, drained: bool) -> None:
        """Take over the leases. Where a lost engine may have been writing, legs may differ."""
        theirs: Iterable[int] = self.mirror.leases.keep_all()
        if self.peer_was_alone:
            theirs, self.peer_was_alone = range(self.mirror.regions), False
        elif drained:
            return
        for leg, state in enumerate(self.state.states):
            if state is not LegState.IN_SYNC:
                self.mirror.dirty[leg].update(theirs)
        if len(self.mirror.in_sync) > 1:
            self.mirror.repairs.update(theirs)

    def _left(self) -> None:
        self.mirror.lose()
        self.requests.lose()
        self.fencing.give_up()
        self.copier.forget()
        self.leading.changed()
        self.phase = Phase.STOPPED
        self.outbox.changed.append(self.name)
        self.note("left as planned")

    def lose(self, now_ns: int, why: str) -> None:
        """Stop to serve: another engine goes on alone. Begin again as a newcomer."""
        self.note(f"fenced: {why}")
        if self.shared and self.in_touch:
            # The peer must learn that this engine is no member any more: as it does of any end.
            self.outbox.refuse_link = f"{self.name}: this engine is fenced"
        self.mirror.lose()
        self.requests.lose()
        self.fencing.give_up()
        self.vote.waive()
        self.barrier.give_up()
        self.admission.give_up()
        self.copier.forget()
        self.housekeeping.give_up()
        self.peer_was_alone = False
        self.state = msgspec.structs.replace(
            self.state, members=(), states=(LegState.STALE,) * self.leg_count
        )
        self.phase = Phase.STARTING
        self.peer_leaves = False
        self.leading.changed()
        self.starting.begin(now_ns)
        self.outbox.changed.append(self.name)

    @property
    def is_letting_in(self) -> bool:
        """Tell whether a barrier is under way that makes the peer a member."""
        proposal = self.barrier.proposal
        return proposal is not None and not self.shared and len(proposal.members) > 1

    def stop_letting_in(self, now_ns: int) -> None:
        """Go on alone as before: nothing was committed."""
        self.barrier.give_up()
        self.mirror.resume(now_ns)

    # Stop

    def _stop(self, now_ns: int) -> None:
        """Leave as planned: through a barrier if there is a peer, else with a clean key."""
        if self.shared:
            if not self.leads:
                if self._leave_told_at != self.state.epoch:
                    self._leave_told_at = self.state.epoch
                    self.send(Leave(self.name))
            elif self.barrier.proposal is None:
                why = f"engine {self.engine_id} leaves"
                self.leading.propose_members((self.peer.engine_id,), why)
            return
        if self.mirror.busy or not self.mirror.drained(range(self.leg_count)):
            return
        if not self.housekeeping.done:
            return  # keys of engines that left would look like an unclean end
        self.mirror.hold()
        clean = not self.mirror.repairs
        key = self.key(self.state.epoch, clean=clean, holds=self.state.services.persistent)
        self._farewell = self.keyring.record(self.mirror.in_sync, key, now_ns)
