"""A barrier: how two engines move one logical unit from one agreed state to the next. Pure.

(1) `Prepare`: both hold new host I/O and drain what is under way on the legs that stay. (2) The
leader records the new epoch in its keys on the legs in sync. (3) `Commit`: the new state holds,
held commands go first. Host commands wait; none fails.

If one engine dies in between, the other has all it needs to go on: nothing is recorded before the
follower has said `Prepared`, so a follower that has not said it knows that the old state still
holds, and one that has said it goes on to the new one.
"""

from typing import TYPE_CHECKING

import msgspec

from reference_router.keyring import Errand, Fate
from reference_router.messages import Commit, LegState, Prepare, Prepared, UnitState

if TYPE_CHECKING:
    from reference_router.unit import Unit

_RETRY_NS = 100_000_000


class Barrier:
    """The barrier under way, if there is one, in one engine."""

    def __init__(self, unit: "Unit") -> None:
        self.proposal: UnitState | None = None
        self.peer_prepared = False
        self.prepared = False
        """As follower: whether the leader may have committed the proposal."""
        self.open: set[tuple[int, ...]] = set()
        """Legs in sync, of all proposals since the last commit that the peer may have taken."""
        self.newest_epoch = 0
        self._unit = unit
        self._record: Errand | None = None
        self._alone = False
        self._retry_at_ns = self._asked_at_ns = 0

    @property
    def in_doubt(self) -> bool:
        """Tell whether the leader may have told a host of a change that does not hold here yet.

        From `Prepared` to `Commit`: what a host sends now may have been sent after that answer, so
        it must not be judged by the old reservations and access states.
        """
        proposal, unit = self.proposal, self._unit
        if proposal is None or not self.prepared or not unit.serves:
            return False
        return proposal.services != unit.state.services or bool(proposal.attentions)

    # Leader

    def propose(self, state: UnitState, why: str, *, alone: bool = False) -> None:
        """Start a barrier, or put another proposal in the place of the one under way.

        `alone`: the peer is not to be asked, for it is gone.
        """
        unit = self._unit
        unit.mirror.hold()
        unit.keyring.drop(self._record)
        self._record, self._retry_at_ns, self._asked_at_ns = None, 0, 0
        self.peer_prepared, self._alone = False, alone or not self._asked(state)
        self.proposal = state
        self.newest_epoch = state.epoch
        unit.persist(state)
        words = ", ".join(
            f"{leg} {to}" for leg, to in zip(unit.mirror.legs, state.states, strict=True)
        )
        unit.note(f"epoch {state.epoch}: {words}; members {_list(state.members)} ({why})")
        if not self._alone:
            self.open.add(in_sync(state))
            unit.send(Prepare(unit.name, state))

    def ask_again(self) -> None:
        """As leader, ask the peer once more: it may not have been able to listen."""
        if self.proposal is not None and not self.peer_prepared:
            self._unit.send(Prepare(self._unit.name, self.proposal))

    def change(self, leg: int, to: LegState, why: str) -> None:
        """As leader, propose another state of one leg, based on what is agreed or under way."""
        unit = self._unit
        base = self.proposal or unit.state
        states = (*base.states[:leg], to, *base.states[leg + 1 :])
        epoch = max(self.newest_epoch, unit.state.epoch) + 1
        state = msgspec.structs.replace(base, epoch=epoch, states=states)
        if self.proposal is None:
            state = msgspec.structs.replace(state, answer=None, attentions=())
        self.propose(state, f"leg {unit.mirror.legs[leg]}: {why}", alone=self._goes_alone())

    def drive(self, now_ns: int) -> None:
        """Go on as far as possible now."""
        if self._unit.leads or self._alone:
            self._lead(now_ns)
        else:
            self._follow()

    def _goes_alone(self) -> bool:
        return self.proposal is not None and self._alone

    def _asked(self, state: UnitState) -> bool:
        unit = self._unit
        concerned = {*unit.state.members, *state.members} - {unit.engine_id}
        return bool(concerned) and unit.peer.linked

    def _lead(self, now_ns: int) -> None:
        unit, proposal = self._unit, self.proposal
        if proposal is None or self._drop_suspects(proposal):
            return
        if not unit.mirror.drained(_used(proposal)) or now_ns < self._retry_at_ns:
            return
        if not self._alone and not self.peer_prepared:
            self._wait_for_peer(now_ns)
            return
        if self._alone and self._waits_for_promise(proposal, now_ns):
            return
        if self._record is None:
            self._record = self._begin_record(proposal, now_ns)
        if self._record.over:
            self._recorded(proposal, self._record, now_ns)
        elif now_ns - self._record.started_ns > unit.timing.leg_deadline_ns:
            leg = next(iter((*self._record.running, *self._record.waiting)))
            self._leg_failed(proposal, leg, "no answer to a reservation command", now_ns)

    def _wait_for_peer(self, now_ns: int) -> None:
        """Wait for `Prepared`; hosts are not held for long by one who only wants to come in."""
        unit = self._unit
        if not self._asked_at_ns:
            self._asked_at_ns = now_ns
        elif unit.is_letting_in and now_ns - self._asked_at_ns > unit.timing.peer_timeout_ns:
            unit.note(f"engine {unit.peer.engine_id} does not come in")
            unit.stop_letting_in(now_ns)

    def _waits_for_promise(self, proposal: UnitState, now_ns: int) -> bool:
        """Tell whether the lost peer may still read by the old leg states, as it was promised."""
        unit = self._unit
        if unit.peer.dead or proposal.states == unit.state.states:
            return False
        return now_ns < unit.promised_until_ns

    def _begin_record(self, proposal: UnitState, now_ns: int) -> Errand:
        unit = self._unit
        key = unit.key(proposal.epoch, holds=proposal.services.persistent)
        return unit.keyring.record(in_sync(proposal), key, now_ns)

    def _recorded(self, proposal: UnitState, record: Errand, now_ns: int) -> None:
        unit = self._unit
        if record.with_fate(Fate.LOST):
            unit.lose(now_ns, "its key on a leg is gone: another engine goes on alone")
            return
        for leg in record.with_fate(Fate.FAILED):
            self._leg_failed(proposal, leg, record.ends[leg].why, now_ns)
            return
        if not self._alone:
            if len(proposal.members) > len(unit.state.members):
                unit.send(unit.maps())
            unit.send(Commit(unit.name, proposal.epoch))
        self._end(proposal, now_ns)

    def _leg_failed(self, proposal: UnitState, leg: int, why: str, now_ns: int) -> None:
        unit = self._unit
        unit.keyring.drop(self._record)
        self._record = None
        if in_sync(proposal) == (leg,):
            self._retry_at_ns = now_ns + _RETRY_NS
        elif proposal.states[leg] is not LegState.STALE:
            self.change(leg, LegState.STALE, why)

    def _drop_suspects(self, proposal: UnitState) -> bool:
        """Propose anew without a leg that failed meanwhile."""
        suspects = self._unit.mirror.suspects
        for leg, why in list(suspects.items()):
            del suspects[leg]
            if leg in _used(proposal) and in_sync(proposal) != (leg,):
                self.change(leg, LegState.STALE, why)
                return True
        return False

    # Follower

    def take_prepare(self, state: UnitState) -> None:
        """Take the leader's proposal."""
        self._unit.mirror.hold()
        self.proposal = state
        self.newest_epoch = max(self.newest_epoch, state.epoch)
        self._unit.persist(state)
        self.prepared, self._alone = False, False

    def take_prepared(self, epoch: int) -> None:
        """Take the follower's word that it holds and has drained."""
        if self.proposal is not None and epoch == self.proposal.epoch:
            self.peer_prepared = True
            self.open = {in_sync(self.proposal)}

    def take_commit(self, epoch: int, now_ns: int) -> None:
        """Take the leader's word that the proposal holds now."""
        if self.proposal is not None and epoch == self.proposal.epoch:
            self._end(self.proposal, now_ns)

    def _follow(self) -> None:
        proposal = self.proposal
        if proposal is None or self.prepared:
            return
        if self._unit.mirror.drained(_used(proposal)):
            self.prepared = True
            self._unit.send(Prepared(self._unit.name, proposal.epoch))

    # Both

    def give_up(self) -> None:
        """Forget the barrier under way. What was held stays held."""
        self._unit.keyring.drop(self._record)
        self._record = self.proposal = None
        self.peer_prepared = self.prepared = self._alone = False

    def _end(self, state: UnitState, now_ns: int) -> None:
        alone = self._alone
        self.give_up()
        self.open = set()
        self._unit.adopt(state, now_ns, drained=not alone)


def in_sync(state: UnitState) -> tuple[int, ...]:
    """Return the indexes of the legs that are in sync."""
    return tuple(leg for leg, each in enumerate(state.states) if each is LegState.IN_SYNC)


def _used(state: UnitState) -> tuple[int, ...]:
    return tuple(leg for leg, each in enumerate(state.states) if each is not LegState.STALE)


def _list(engines: tuple[int, ...]) -> str:
    return " and ".join(map(str, engines))
