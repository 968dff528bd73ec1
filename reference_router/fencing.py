"""The race after engines have lost each other: who goes on alone. Pure.

Each holds all host I/O and removes the other's key from the legs that it uses, in ascending order.
On each leg only one of them can: who finds its own key gone has lost, and stops.

- Both cannot lose. Say one lost on leg x and the other on leg y, x below y. Who lost on y had been
  at x, and had removed the other's key there, or had left x out for good; but the other removed its
  key there, and lost there. Likewise for y below x, and x is not y.
- Both cannot win. A tie-break leg, the lowest one in sync, cannot be left out, and both have one in
  common: states change only by barriers, and while it is not known which state the other is in,
  all that it can be in count (`Barrier.ties`). A follower that said `Prepared` goes by the new
  state.

A leg that is no tie-break and does not answer is left out, and dropped. If the peer is known to be
dead, and not only silent, any leg may be left out.
"""

from typing import TYPE_CHECKING

import msgspec

from reference_router.barrier import in_sync, tie_break
from reference_router.keyring import End, Errand, Fate
from reference_router.messages import LegState, UnitState

if TYPE_CHECKING:
    from reference_router.unit import Unit

_RETRY_NS = 200_000_000


class Fencing:
    """The race of one engine for one logical unit."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit
        self._base: UnitState | None = None
        self._ties: set[int] = set()
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
            self._base, self._ties = proposal, {tie_break(proposal)}
        else:
            self._base = unit.state
            self._ties = {tie_break(unit.state)} | (barrier.ties if unit.leads else set())
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
            return
        late = now_ns - errand.started_ns > self._unit.timing.leg_deadline_ns
        if errand.over:
            self._errand = None
            self._ended(errand.ends[self._leg], now_ns)
        elif late and not self._is_needed(self._leg):
            self._unit.keyring.drop(errand)
            self._leave_out("no answer to a reservation command", now_ns)

    def _run(self, now_ns: int) -> None:
        """Go to the next leg: the lowest that was neither won nor left out."""
        base = self._base or self._unit.state
        legs = [leg for leg, state in enumerate(base.states) if state is not LegState.STALE]
        rest = {*legs, *self._ties} - self._won - self._failed.keys()
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
        elif self._is_needed(self._leg):
            self._retry_at_ns = now_ns + _RETRY_NS
        else:
            self._leave_out(end.why, now_ns)

    def _leave_out(self, why: str, now_ns: int) -> None:
        self._failed[self._leg] = why
        self._run(now_ns)

    def _is_needed(self, leg: int) -> bool:
        """Tell whether the race waits at a leg: nothing behind it may be touched before."""
        return leg in self._ties and not self._unit.peer.dead

    def _judge(self, base: UnitState, now_ns: int) -> None:
        unit = self._unit
        if not any(leg in self._won for leg in in_sync(base)):
            self._failed = {}
            self._retry_at_ns = now_ns + _RETRY_NS
            return
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
