"""Who reaches which leg, and how a leg that was away is taken back. Pure.

A leg is taken back when both engines reach the same leg, nothing old of theirs is under way there,
and it has the router's keys, for nobody has said that a blank array may be written over. Both
engines register on it anew, with epoch 0, and every other engine's key is removed, before a barrier
makes it RESYNCING.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_router.keyring import Errand, Fate
from reference_router.keys import unpack
from reference_router.messages import Available, Enrol, Enrolled, LegState, UnitState

if TYPE_CHECKING:
    from reference_router.unit import Unit

_RETRY_NS = 500_000_000
_RETRY_NS_MAX = 8_000_000_000
_SETTLED_NS = 60_000_000_000  # a leg that was in sync this long is tried again soon
_ANSWER_NS = 2_000_000_000


@dataclass(slots=True)
class Reach:
    """What one engine says of its way to a leg."""

    available: bool = False
    identity: str = ""


class Admission:
    """The ways to the legs of one logical unit. `left` says when each leg was dropped.

    `left` is (newest epoch that it may have been in sync at, epoch that it is not in any more).
    """

    def __init__(self, unit: "Unit", legs: int) -> None:
        self.mine = [Reach() for _ in range(legs)]
        self.peers = [Reach() for _ in range(legs)]
        self.left = [(0, 0)] * legs
        self.blank: set[int] = set()
        """Legs without any key of the router: an operator must attach them."""
        self.adopted: set[int] = set()
        """Blank legs that an operator has attached."""
        self._unit = unit
        self._told: list[tuple[bool, str] | None] = [None] * legs
        self._retry_at_ns = [0] * legs
        self._drops = [0] * legs
        self._in_sync_since_ns = [0] * legs
        self._leg = -1
        self._errand: Errand | None = None
        self._began_ns = 0
        self._enrolling = self._peer_enrolled = False

    def reach(self, leg: int, *, available: bool, identity: str) -> None:
        """Note whether this engine reaches the leg, and which leg it found there."""
        self.mine[leg] = Reach(available, identity)

    def take(self, message: Available) -> None:
        """Note whether the peer does."""
        self.peers[message.leg] = Reach(message.available, message.identity)

    def link_changed(self) -> None:
        """Forget what the peer said, and what it was told."""
        self.peers = [Reach() for _ in self.mine]
        self._told = [None] * len(self.mine)
        self.give_up()

    def tell_again(self) -> None:
        """Forget what the peer was told: it may have forgotten some of it."""
        self._told = [None] * len(self.mine)

    def peer_reaches(self, state: UnitState) -> bool:
        """Tell whether the peer reaches the same legs in use as this engine."""
        return all(
            peer.available and peer.identity == mine.identity
            for mine, peer, each in zip(self.mine, self.peers, state.states, strict=True)
            if each is not LegState.STALE
        )

    def tell(self) -> None:
        """Tell the peer which legs this engine reaches, as far as it does not know yet."""
        unit = self._unit
        if not unit.peer.linked:
            return
        for leg, reach in enumerate(self.mine):
            clean = reach.available and not (leg not in unit.mirror.used and self._old_io(leg))
            if (clean, reach.identity) != self._told[leg]:
                self._told[leg] = (clean, reach.identity)
                message = Available(
                    unit=unit.name, leg=leg, available=clean, identity=reach.identity
                )
                unit.send(message)

    def note_states(self, before: UnitState, after: UnitState, now_ns: int) -> None:
        """Note what became of the legs in a barrier."""
        for leg, (old, new) in enumerate(zip(before.states, after.states, strict=True)):
            if old is not LegState.STALE and new is LegState.STALE:
                newest = before.epoch if old is LegState.IN_SYNC else 0
                self.left[leg] = (newest, after.epoch)
                self.mine[leg] = Reach()  # it must be found again before it is taken back
                self.peers[leg] = Reach()
                self._told[leg] = None
                if old is LegState.IN_SYNC and now_ns - self._in_sync_since_ns[leg] > _SETTLED_NS:
                    self._drops[leg] = 0
                pause = min(_RETRY_NS << min(self._drops[leg], 4), _RETRY_NS_MAX)
                self._retry_at_ns[leg] = now_ns + pause
                self._drops[leg] += 1
            if new is LegState.IN_SYNC and old is not LegState.IN_SYNC:
                self._in_sync_since_ns[leg] = now_ns
                self.adopted.discard(leg)
        self.give_up()

    def attach(self, leg: int) -> None:
        """Take the operator's word that a blank leg may be written over."""
        self.adopted.add(leg)
        self.blank.discard(leg)
        self._retry_at_ns[leg] = 0

    def give_up(self) -> None:
        """Forget the admission under way."""
        self._unit.keyring.drop(self._errand)
        self._leg, self._errand = -1, None

    # Leader

    def drive(self, now_ns: int) -> None:
        """As leader, go on taking a leg back, or begin with one."""
        if self._leg < 0:
            self._choose(now_ns)
        elif self._errand is not None and self._errand.over:
            self._go_on(self._errand, now_ns)
        elif now_ns - self._began_ns > _ANSWER_NS:
            self._later(now_ns, "no answer in 2 s")

    def enrolled(self, leg: int) -> None:
        """Take the follower's word that it has registered."""
        if leg == self._leg:
            self._peer_enrolled = True

    def _choose(self, now_ns: int) -> None:
        unit = self._unit
        for leg, state in enumerate(unit.state.states):
            if state is LegState.STALE and now_ns >= self._retry_at_ns[leg] and self._may(leg):
                self._leg, self._began_ns = leg, now_ns
                self._enrolling = self._peer_enrolled = False
                self._errand = unit.keyring.survey([leg], now_ns)
                return

    def _may(self, leg: int) -> bool:
        mine, peers = self.mine[leg], self.peers[leg]
        if leg in self._unit.state.detached or leg in self.blank:
            return False
        if not mine.available or self._old_io(leg):
            return False
        return not self._unit.shared or (peers.available and peers.identity == mine.identity)

    def _old_io(self, leg: int) -> bool:
        return bool(self._unit.mirror.outstanding[leg])

    def _go_on(self, errand: Errand, now_ns: int) -> None:
        leg, unit = self._leg, self._unit
        end = errand.ends[leg]
        if end.fate is not Fate.DONE:
            self._later(now_ns, end.why)
        elif not self._enrolling:
            self._surveyed(leg, end.keys, now_ns)
        elif not unit.shared or self._peer_enrolled:
            self.give_up()
            unit.barrier.change(leg, LegState.RESYNCING, "it is back")
        elif now_ns - self._began_ns > _ANSWER_NS:
            self._later(now_ns, "the other engine does not enrol")

    def _surveyed(self, leg: int, keys: tuple[int, ...], now_ns: int) -> None:
        unit = self._unit
        tops = [known.epoch for key in keys if (known := unpack(key)) and known.check == unit.check]
        if len(tops) != len(keys) or (not tops and leg not in self.adopted):
            self.blank.add(leg)
            what = "no key of the router" if len(tops) == len(keys) else "somebody else's key"
            unit.note(f"leg {unit.mirror.legs[leg]} has {what}: it waits to be attached")
            self.give_up()
            return
        if not self._is_as_left(leg, max(tops, default=0)) or leg in self.adopted:
            unit.mirror.dirty[leg].fill()
        self._enrolling = True
        self._errand = unit.keyring.enrol([leg], unit.key(0), now_ns, others=unit.state.members)
        if unit.shared:
            unit.send(Enrol(unit.name, leg))

    def _is_as_left(self, leg: int, top: int) -> bool:
        """Tell whether the leg is as it was when it was dropped, so that the map says it all."""
        newest, gone = self.left[leg]
        return newest <= top < gone if newest else top == 0 and gone > 0

    def _later(self, now_ns: int, why: str) -> None:
        self._unit.note(f"leg {self._unit.mirror.legs[self._leg]} is not taken back yet: {why}")
        self._retry_at_ns[self._leg] = now_ns + _RETRY_NS
        self.give_up()

    # Follower

    def enrol(self, leg: int, now_ns: int) -> None:
        """As follower, register on a leg that the leader takes back."""
        unit = self._unit
        if not self._old_io(leg):
            self._leg = leg
            others = unit.state.members
            self._errand = unit.keyring.enrol([leg], unit.key(0), now_ns, others=others)

    def follow(self) -> None:
        """As follower, tell the leader once that is done."""
        errand, leg = self._errand, self._leg
        if errand is None or not errand.over:
            return
        unit = self._unit
        if errand.ends[leg].fate is Fate.DONE:
            unit.send(Enrolled(unit.name, leg, unit.state.epoch))
        self.give_up()
