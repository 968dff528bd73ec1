"""What members of a unit do beside host I/O: the leader decides, the follower asks. Pure."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from reference_router.barrier import in_sync
from reference_router.messages import Invite, LegState, Standing, Suspect, UnitState
from reference_router.unit_setup import Phase

if TYPE_CHECKING:
    from reference_router.unit import Unit

_INVITATION_NS = 1_000_000_000
_MANAGED_MAX = 16


@dataclass(slots=True)
class _Wish:
    """What an operator wants of a leg. `since_ns` is 0 until the next tick."""

    leg: int
    attach: bool
    since_ns: int = 0


class Leading:
    """Suspects, newcomers, and the wishes of operators."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit
        self._invited_at = 0
        self._next_invitation_ns = 0
        self._told = False
        self._managed: deque[_Wish] = deque(maxlen=_MANAGED_MAX)

    @property
    def waiting(self) -> bool:
        """Tell whether a wish of an operator or of the peer waits."""
        return bool(self._managed) or self._unit.peer_leaves

    def link_up(self) -> None:
        """Tell a peer again where we stand, and invite it again."""
        self._told, self._invited_at = False, 0

    def changed(self) -> None:
        """Tell the peer that we serve: a barrier has ended. Wishes are for the leader."""
        self._told = False
        if not self._unit.leads:
            self._managed.clear()

    def drive(self, now_ns: int) -> None:
        """As leader, do what is due. Not called while a barrier is under way."""
        unit = self._unit
        suspects = unit.mirror.suspects
        for leg, why in list(suspects.items()):
            del suspects[leg]
            if leg in unit.mirror.used and unit.mirror.in_sync != (leg,):
                unit.barrier.change(leg, LegState.STALE, why)
                unit.barrier.drive(now_ns)
                return
        if unit.peer_leaves and unit.shared:
            why = f"engine {unit.peer.engine_id} leaves"
            self.propose_members((unit.engine_id,), why)
        elif self._managed:
            wish = self._managed.popleft()
            self._manage(wish.leg, wish.attach)
        else:
            unit.requests.drive()
        if unit.barrier.proposal is None:
            unit.copier.drive(now_ns)
            finished = unit.copier.finished_leg()
            if finished is not None:
                unit.barrier.change(finished, LegState.IN_SYNC, "resync complete")
            elif LegState.RESYNCING not in unit.state.states:
                unit.admission.drive(now_ns)
        if unit.barrier.proposal is None and not unit.shared and not unit.stopping:
            self._invite(now_ns)
        if unit.barrier.proposal is not None:
            unit.barrier.drive(now_ns)

    def _invite(self, now_ns: int) -> None:
        """Invite the peer to the state that holds now, again and again until it has come."""
        unit = self._unit
        standing = unit.peer.standing
        if not unit.peer.linked or standing is None or standing.serving:
            return
        if not unit.housekeeping.done:
            return  # it removes the keys of all who are no members
        if self._invited_at == unit.state.epoch and now_ns < self._next_invitation_ns:
            return
        if unit.admission.peer_reaches(unit.state):
            self._invited_at = unit.state.epoch
            self._next_invitation_ns = now_ns + _INVITATION_NS
            unit.send(Invite(unit=unit.name, state=unit.state))

    def take_invitation(self, state: UnitState) -> None:
        """Take an invitation, if it is of use here."""
        unit = self._unit
        if unit.phase is Phase.STARTING:
            unit.starting.invited(state)

    def take_prepare(self, state: UnitState) -> None:
        """Take a proposal, as follower or as a newcomer that has enrolled."""
        unit = self._unit
        joins = unit.phase is Phase.STARTING and unit.starting.enrolled
        follows = unit.phase is Phase.SERVING and unit.shared and not unit.leads
        if joins or (follows and not unit.fencing.under_way):
            unit.barrier.take_prepare(state)

    def take_suspect(self, leg: int, epoch: int, reason: str) -> None:
        """As leader, take the follower's suspicion, if it is of this epoch."""
        unit = self._unit
        if unit.leads and epoch == unit.state.epoch:
            unit.mirror.suspect(leg, f"engine {unit.peer.engine_id}: {reason}")

    def enrolled(self, leg: int, epoch: int) -> None:
        """Take the peer's word that it is registered: on a leg, or (-1) as it was invited."""
        unit = self._unit
        if leg >= 0:
            unit.admission.enrolled(leg)
        elif unit.leads and not unit.shared and unit.barrier.proposal is None:
            if epoch != unit.state.epoch:
                self._invited_at = 0  # the legs have changed meanwhile: invite again
                return
            members = (unit.engine_id, unit.peer.engine_id)
            self.propose_members(members, f"engine {unit.peer.engine_id} joins")
        elif unit.is_letting_in:
            unit.barrier.ask_again()

    def propose_members(self, members: tuple[int, ...], why: str) -> None:
        """As leader, propose other members."""
        unit = self._unit
        state = msgspec.structs.replace(
            unit.state,
            epoch=unit.state.epoch + 1,
            members=members,
            answer=None,
            attentions=(),
        )
        unit.barrier.propose(state, why)

    def manage(self, leg: int, *, attach: bool) -> None:
        """As leader, take a leg out for good, or take it back, by the word of an operator."""
        self._managed.append(_Wish(leg, attach))

    def tick(self, now_ns: int) -> None:
        """Forget wishes that could not be done for long: who had them has given up."""
        for wish in tuple(self._managed):
            if not wish.since_ns:
                wish.since_ns = now_ns
            elif now_ns - wish.since_ns > self._unit.timing.command_deadline_ns:
                self._managed.remove(wish)
                word = "attach" if wish.attach else "detach"
                self._unit.note(f"{word} of leg {self._unit.mirror.legs[wish.leg]}: given up")

    def _manage(self, leg: int, attach: bool) -> None:
        unit = self._unit
        states, detached = unit.state.states, set(unit.state.detached)
        if attach:
            detached.discard(leg)
            unit.admission.attach(leg)
        elif in_sync(unit.state) == (leg,):
            unit.note(f"leg {unit.mirror.legs[leg]} is the last one in sync: not detached")
            return
        else:
            detached.add(leg)
            states = (*states[:leg], LegState.STALE, *states[leg + 1 :])
        state = msgspec.structs.replace(
            unit.state,
            epoch=unit.state.epoch + 1,
            states=states,
            detached=tuple(sorted(detached)),
            answer=None,
            attentions=(),
        )
        name = unit.mirror.legs[leg]
        unit.barrier.propose(state, f"leg {name} {'attached' if attach else 'detached'}")

    def follow(self) -> None:
        """As follower, do what is due."""
        self._unit.copier.follow()
        self._unit.admission.follow()

    def tell_suspects(self) -> None:
        """As follower, tell the leader which legs should be dropped."""
        unit = self._unit
        if unit.fencing.under_way:
            return
        for leg, reason in unit.mirror.suspects.items():
            unit.send(Suspect(unit.name, leg, unit.state.epoch, reason))
        unit.mirror.suspects = {}

    def tell(self) -> None:
        """Tell the peer that this engine serves, as far as it does not know."""
        unit = self._unit
        if unit.peer.linked and not self._told:
            self._told = True
            unit.send(
                Standing(
                    unit=unit.name,
                    serving=True,
                    epoch=unit.state.epoch,
                    may_start=False,
                )
            )
