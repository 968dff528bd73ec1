"""Leg states of one logical unit, agreed by two engines through barriers. Pure.

The leader decides; the follower asks. A barrier: (1) `Prepare`: both hold new host I/O and drain
what is under way on the legs that stay; (2) `Commit`: the new epoch and states hold, held commands
go first. If one engine dies in between, the other has all it needs to finish, and doing so is
right whether or not the dead one had committed: dropping a leg again is idempotent, a leg that
was being admitted is written by everybody, and one that was copied stays equal.
"""

from dataclasses import dataclass

from reference_router.messages import (
    Available,
    Commit,
    HoldRegion,
    LegState,
    Message,
    Prepare,
    Prepared,
    RegionHeld,
    ReleaseRegion,
    Suspect,
    UnitState,
)
from reference_router.mirror import Mirror, Outbox
from reference_router.resync import Resync

_RETRY_NS = 500_000_000
_RETRY_NS_MAX = 8_000_000_000


@dataclass(slots=True)
class _Reach:
    """What one engine says of its way to a leg."""

    available: bool = False
    identity: str = ""


class Coordinator:
    """Barriers, admission and resync of one logical unit, in one engine."""

    def __init__(self, mirror: Mirror, outbox: Outbox, *, rate_bytes_per_s: int) -> None:
        self.mirror = mirror
        self.resync: Resync | None = None
        self._outbox = outbox
        self._rate_bytes_per_s = rate_bytes_per_s
        self._mine = [_Reach() for _ in mirror.legs]
        self._peers = [_Reach() for _ in mirror.legs]
        self._told: list[tuple[bool, str] | None] = [None] * len(mirror.legs)
        self._suspected: set[int] = set()  # told to the leader at this epoch
        self._peer_prepared = False
        self._prepared_told = False
        self._region_told = -1
        self._retry_at_ns = [0] * len(mirror.legs)
        self._drops = [0] * len(mirror.legs)

    # What the engine asks

    def available(self, leg: int) -> bool:
        """Tell whether this engine reaches the leg."""
        return self._mine[leg].available

    def serves(self) -> bool:
        """Tell whether this engine can do host I/O: some leg in sync, and it reaches all used."""
        used = self.mirror.used
        return bool(self.mirror.in_sync) and all(self._mine[leg].available for leg in used)

    def shown(self, leg: int) -> LegState:
        """Return the state of a leg for people: STALE and out of reach is ABSENT."""
        state = self.mirror.states[leg]
        if state is LegState.STALE and not self._mine[leg].available:
            return LegState.ABSENT
        return state

    def state(self) -> UnitState:
        """Return what a newcomer must know."""
        mirror = self.mirror
        return UnitState(mirror.name, mirror.epoch, mirror.states, mirror.held_region)

    # Events

    def reach(self, leg: int, *, available: bool, identity: str) -> None:
        """Note whether this engine reaches the leg, and which leg it found there."""
        self._mine[leg] = _Reach(available, identity)

    def adopt(self, state: UnitState, now_ns: int) -> None:
        """Take over states without a barrier: at a cold start, or as a newcomer."""
        self._end_barrier(state, now_ns)

    def take(self, message: Message, now_ns: int) -> None:
        """Take a message of the peer that concerns this unit."""
        mirror = self.mirror
        match message:
            case Available(leg=leg, available=available, identity=identity):
                self._peers[leg] = _Reach(available, identity)
            case Suspect(leg=leg, epoch=epoch, reason=reason) if epoch == mirror.epoch:
                mirror.suspect(leg, f"peer: {reason}")
            case Prepare(epoch=epoch, states=states):
                mirror.proposal = UnitState(mirror.name, epoch, states)
                self._prepared_told = False
            case Prepared(epoch=epoch) if mirror.proposal and epoch == mirror.proposal.epoch:
                self._peer_prepared = True
            case Commit(epoch=epoch, states=states):
                held = mirror.held_region if LegState.RESYNCING in states else -1
                self._end_barrier(UnitState(mirror.name, epoch, states, held), now_ns)
            case HoldRegion(region=region):
                mirror.held_region, self._region_told = region, -1
            case RegionHeld(region=region) if self.resync:
                self.resync.region_held_by_peer(region)
            case ReleaseRegion():
                mirror.release_region(now_ns)
            case _:
                pass  # late: of an earlier epoch or of a resync that was given up

    def peer_joined(self) -> None:
        """As leader, bring a newcomer, who was just told the states, into a barrier under way."""
        proposal = self.mirror.proposal
        self._peer_prepared = False
        if proposal is not None:
            prepare = Prepare(self.mirror.name, proposal.epoch, proposal.states)
            self._outbox.messages.append(prepare)

    def peer_lost(self, now_ns: int) -> None:
        """Go on alone; a follower takes the lead and finishes what was prepared."""
        self._peers = [_Reach() for _ in self.mirror.legs]
        self._told = [None] * len(self.mirror.legs)
        self._suspected.clear()
        if self.resync is None and self.mirror.held_region >= 0:
            self.mirror.release_region(now_ns)

    def propose(self, state: UnitState, *, why: str, peer_joined: bool) -> None:
        """As leader, start a barrier."""
        mirror = self.mirror
        mirror.proposal = state
        self._peer_prepared = False
        words = ", ".join(f"{leg} {to}" for leg, to in zip(mirror.legs, state.states, strict=True))
        self._outbox.notes.append(f"{mirror.name}: epoch {state.epoch}: {words} ({why})")
        if peer_joined:
            self._outbox.messages.append(Prepare(mirror.name, state.epoch, state.states))

    def idle(self) -> bool:
        """Tell, cheaply, whether `drive` has nothing to do but to look for legs to admit."""
        mirror = self.mirror
        return not (mirror.proposal or mirror.suspects or mirror.held_region >= 0 or self.resync)

    def drive(self, now_ns: int, *, leads: bool, peer_joined: bool) -> None:
        """Do whatever the state calls for. Called after every batch of events."""
        if self.mirror.proposal is not None:
            self._drive_barrier(now_ns, leads=leads, peer_joined=peer_joined)
        if self.mirror.proposal is not None:
            return
        if leads:
            self._lead(now_ns, peer_joined=peer_joined)
        elif peer_joined:
            self._follow()

    # Barriers

    def _drive_barrier(self, now_ns: int, *, leads: bool, peer_joined: bool) -> None:
        mirror = self.mirror
        proposal = mirror.proposal
        if proposal is None or not mirror.drained():
            return
        if not leads:
            if not self._prepared_told:
                self._prepared_told = True
                self._outbox.messages.append(Prepared(mirror.name, proposal.epoch))
            return
        if peer_joined and not self._peer_prepared:
            return
        held = mirror.held_region if LegState.RESYNCING in proposal.states else -1
        if peer_joined:
            self._outbox.messages.append(Commit(mirror.name, proposal.epoch, proposal.states))
        state = UnitState(mirror.name, proposal.epoch, proposal.states, held)
        self._end_barrier(state, now_ns)

    def _end_barrier(self, state: UnitState, now_ns: int) -> None:
        before = self.mirror.states
        for leg, (old, new) in enumerate(zip(before, state.states, strict=True)):
            if old is not LegState.STALE and new is LegState.STALE:
                self._mine[leg] = _Reach()  # it must be found again before it is admitted
                self._peers[leg] = _Reach()
                self._told[leg] = None
                pause = min(_RETRY_NS << min(self._drops[leg], 4), _RETRY_NS_MAX)
                self._retry_at_ns[leg] = now_ns + pause
                self._drops[leg] += 1
            if new is LegState.IN_SYNC:
                self._drops[leg] = 0
        if LegState.RESYNCING not in state.states or state.states != before:
            self.resync = None
        self._suspected.clear()
        self.mirror.commit(state, now_ns)

    # Leader

    def _lead(self, now_ns: int, *, peer_joined: bool) -> None:
        mirror = self.mirror
        for leg, reason in list(mirror.suspects.items()):
            del mirror.suspects[leg]
            if leg in mirror.used and mirror.in_sync != (leg,):
                self._change(leg, LegState.STALE, reason, peer_joined=peer_joined)
                self._drive_barrier(now_ns, leads=True, peer_joined=peer_joined)
                return
        if LegState.RESYNCING in mirror.states:
            self._lead_resync(now_ns, peer_joined=peer_joined)
        elif mirror.in_sync:
            self._admit(now_ns, peer_joined=peer_joined)

    def _lead_resync(self, now_ns: int, *, peer_joined: bool) -> None:
        if self.resync is None:
            rate = self._rate_bytes_per_s
            self.resync = Resync(self.mirror, self._outbox, rate_bytes_per_s=rate)
        self.resync.step(now_ns, peer_joined=peer_joined)
        if self.resync.done:
            self._change(
                self.mirror.states.index(LegState.RESYNCING),
                LegState.IN_SYNC,
                "resync complete",
                peer_joined=peer_joined,
            )
            self._drive_barrier(now_ns, leads=True, peer_joined=peer_joined)

    def _admit(self, now_ns: int, *, peer_joined: bool) -> None:
        for leg, state in enumerate(self.mirror.states):
            if state is LegState.STALE and now_ns >= self._retry_at_ns[leg]:
                if not self._admissible(leg, peer_joined=peer_joined):
                    continue
                self._change(leg, LegState.RESYNCING, "it is back", peer_joined=peer_joined)
                self._drive_barrier(now_ns, leads=True, peer_joined=peer_joined)
                return

    def _admissible(self, leg: int, *, peer_joined: bool) -> bool:
        """A leg is admitted when both engines reach the same leg, and its old I/O has ended."""
        mine, peers = self._mine[leg], self._peers[leg]
        if not mine.available or self.mirror.outstanding[leg]:
            return False
        return not peer_joined or (peers.available and peers.identity == mine.identity)

    def _change(self, leg: int, to: LegState, why: str, *, peer_joined: bool) -> None:
        mirror = self.mirror
        states = (*mirror.states[:leg], to, *mirror.states[leg + 1 :])
        state = UnitState(mirror.name, mirror.epoch + 1, states)
        self.propose(state, why=f"leg {mirror.legs[leg]}: {why}", peer_joined=peer_joined)

    # Follower

    def _follow(self) -> None:
        mirror = self.mirror
        for leg, reason in mirror.suspects.items():
            if leg not in self._suspected:
                self._suspected.add(leg)
                self._outbox.messages.append(Suspect(mirror.name, leg, mirror.epoch, reason))
        if mirror.held_region != self._region_told and mirror.region_drained():
            self._region_told = mirror.held_region
            if mirror.held_region >= 0:
                self._outbox.messages.append(RegionHeld(mirror.name, mirror.held_region))
        for leg, reach in enumerate(self._mine):
            stale = mirror.states[leg] is LegState.STALE
            clean = reach.available and not (stale and mirror.outstanding[leg])
            if (clean, reach.identity) != self._told[leg]:
                self._told[leg] = (clean, reach.identity)
                self._outbox.messages.append(Available(mirror.name, leg, clean, reach.identity))
