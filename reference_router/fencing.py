"""The race after engines have lost each other: who goes on alone. Pure.

Each holds all host I/O and removes the other's key from the legs that it uses, in ascending order.
On each leg only one of them can: who finds its own key gone has lost, and stops.

- Both cannot lose. Say one lost on leg x and the other on leg y, x below y. Who lost on y had been
  at x, and had removed the other's key there, or had left x out for good; but the other removed its
  key there, and lost there. Likewise for y below x, and x is not y.
- Both cannot win. A leg at which they meet cannot be left out, and both have one in common: states
  change only by barriers, and while it is not known which state the other is in, all that it can be
  in count (`Barrier.open`). A follower that said `Prepared` goes by the new state.

Without a witness they meet at the lowest leg in sync, the tie-break. With one they meet at all legs
in sync, and one may be left out by the witness's vote if another is left. So a winner has all legs
in sync, or the vote and one of them at least: of two winners one would have a leg of the other's,
or both the vote. The vote is asked for when a leg does not answer, before the next one is touched.
Who is refused it waits for the leg, and for the other engine to waive it; then it gives up, so that
hosts look elsewhere.

A leg at which they do not meet and that does not answer is left out, and dropped. That the peer is
known to be dead changes nothing: it may have gone on alone before it died, with a leg that only it
reached.
"""

from typing import TYPE_CHECKING

import msgspec

from reference_router.barrier import in_sync
from reference_router.keyring import End, Errand, Fate
from reference_router.messages import LegState, UnitState

if TYPE_CHECKING:
    from reference_router.unit import Unit

_RETRY_NS = 200_000_000
_REFUSALS = 4  # leg deadlines: so long the other engine may take to find that it has no leg


class Fencing:
    """The race of one engine for one logical unit."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit
        self._base: UnitState | None = None
        self._possible: set[tuple[int, ...]] = set()  # legs in sync, by state of the peer
        self._leg = -1
        self._errand: Errand | None = None
        self._won: set[int] = set()
        self._failed: dict[int, str] = {}
        self._retry_at_ns = 0

    @property
    def under_way(self) -> bool:
        """Tell whether a race is on."""
        return self._base is not None

    def begin(self, now_ns: int) -> None:
        """Start the race; a barrier that was under way is settled by its end."""
        unit, barrier = self._unit, self._unit.barrier
        unit.mirror.hold()
        proposal = barrier.proposal
        known = barrier.peer_prepared if unit.leads else barrier.prepared
        if proposal is not None and known:
            self._base, self._possible = proposal, {in_sync(proposal)}
        else:
            self._base = unit.state
            self._possible = {in_sync(unit.state)} | (barrier.open if unit.leads else set())
        barrier.give_up()
        self._won, self._failed = set(), {}
        self._run(now_ns)

    def give_up(self) -> None:
        """Forget the race."""
        self._unit.keyring.drop(self._errand)
        self._base = self._errand = None

    def drive(self, now_ns: int) -> None:
        """Go on as far as possible now."""
        if self._base is None:
            return
        errand = self._errand
        if errand is None:
            if now_ns >= self._retry_at_ns:
                self._run(now_ns)
        elif errand.over:
            self._errand = None
            self._ended(errand.ends[self._leg], now_ns)
        elif now_ns - errand.started_ns > self._unit.timing.leg_deadline_ns:
            self._silent("no answer to a reservation command", now_ns)

    def _run(self, now_ns: int) -> None:
        """Go to the next leg: the lowest that was neither won nor left out."""
        base = self._base or self._unit.state
        legs = {leg for leg, state in enumerate(base.states) if state is not LegState.STALE}
        rest = (legs | self._meeting) - self._won - self._failed.keys()
        if rest:
            self._leg = min(rest)
            self._errand = self._unit.keyring.fence([self._leg], now_ns)
        else:
            self._errand = None
            self._judge(base, now_ns)

    def _ended(self, end: End, now_ns: int) -> None:
        if end.fate is Fate.LOST:
            self._unit.lose(now_ns, "the other engine was faster and goes on alone")
        elif end.fate is Fate.DONE:
            self._won.add(self._leg)
            self._run(now_ns)
        else:
            self._silent(end.why, now_ns)

    def _silent(self, why: str, now_ns: int) -> None:
        """Leave out a leg that does not answer, if that is safe; else touch nothing behind it."""
        unit, leg = self._unit, self._leg
        if leg not in self._meeting:
            self._leave_out(why, now_ns)
        elif self._is_for_the_witness(leg):
            self._ask_the_witness(why, now_ns)
        elif unit.vote.held and not self._won:
            self._begin_anew(now_ns)
        elif self._errand is None:
            self._retry_at_ns = now_ns + _RETRY_NS

    def _ask_the_witness(self, why: str, now_ns: int) -> None:
        vote, limit_ns = self._unit.vote, _REFUSALS * self._unit.timing.leg_deadline_ns
        if not vote.wanted:
            self._unit.note(f"asks the witness: {self._unit.mirror.legs[self._leg]}: {why}")
            vote.want()
        if vote.held:
            self._leave_out(f"{why}; by the witness's vote", now_ns)
        elif vote.refused_since_ns and now_ns - vote.refused_since_ns > limit_ns:
            self._unit.lose(now_ns, "the witness has given its vote to the other engine")
        elif self._errand is None:
            self._retry_at_ns = now_ns + _RETRY_NS

    def _begin_anew(self, now_ns: int) -> None:
        """No leg could be won: let the other engine have the vote, and try all legs again."""
        self._unit.vote.waive()
        self._unit.keyring.drop(self._errand)
        self._errand, self._failed = None, {}
        self._retry_at_ns = now_ns + _RETRY_NS

    def _is_for_the_witness(self, leg: int) -> bool:
        """Tell whether its vote may stand for a leg: whatever the peer goes by, another is left."""
        unit, out = self._unit, {leg, *self._failed}
        if not unit.vote.exists or unit.stopping:
            return False  # who stops has no need to go on, and must not outrun who does not
        return not any(out.issuperset(legs) for legs in self._possible)

    def _leave_out(self, why: str, now_ns: int) -> None:
        self._unit.keyring.drop(self._errand)
        self._failed[self._leg] = why
        self._run(now_ns)

    @property
    def _meeting(self) -> set[int]:
        """Legs at which the engines meet; the race waits at them."""
        if self._unit.vote.exists:
            return {leg for legs in self._possible for leg in legs}
        return {min(legs) for legs in self._possible}

    def _judge(self, base: UnitState, now_ns: int) -> None:
        unit = self._unit
        if not any(leg in self._won for leg in in_sync(base)):
            self._begin_anew(now_ns)
            return
        if not unit.vote.held:
            unit.vote.waive()  # it may have been asked for, but was not needed
        self.give_up()
        states = tuple(
            LegState.STALE if leg in self._failed else state
            for leg, state in enumerate(base.states)
        )
        # A leader that has let this engine go may have written anywhere, without leases.
        unit.peer_was_alone = unit.engine_id not in base.members
        epoch = max(unit.barrier.newest_epoch, unit.state.epoch) + 1
        members = (unit.engine_id,)
        state = msgspec.structs.replace(base, epoch=epoch, states=states, members=members)
        if base is unit.state:
            state = msgspec.structs.replace(state, answer=None, attentions=())
        failed = ", ".join(f"{unit.mirror.legs[leg]}: {why}" for leg, why in self._failed.items())
        why = f"the other engine is gone{'; ' if failed else ''}{failed}"
        unit.barrier.propose(state, why, alone=True)
