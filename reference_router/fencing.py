"""The race after engines have lost each other: who goes on alone. Pure.

Each holds all host I/O and removes the other's key from the legs that it uses, in ascending order.
On each leg only one of them can: who finds its own key gone has lost, and stops.

- Both cannot lose. Say one lost on leg x and the other on leg y, x below y. Who lost on y had gone
  through x, so it had removed the other's key there; but the other removed its key there. Likewise
  for y below x, and x is not y.
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
from reference_router.keyring import Errand, Fate
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
        if self._errand is None:
            if now_ns >= self._retry_at_ns:
                self._run(now_ns)
            return
        self._collect(self._errand)
        if self._errand.with_fate(Fate.LOST):
            self._unit.lose(now_ns, "the other engine was faster and goes on alone")
        elif self._errand.over:
            self._errand = None
            self._judge(self._base, now_ns)
        elif now_ns - self._errand.started_ns > self._unit.timing.leg_deadline_ns:
            # None runs where an earlier try's command is still under way.
            for leg in self._errand.running or list(self._errand.waiting)[:1]:
                self._failed[leg] = "no answer to a reservation command"
            self._unit.keyring.drop(self._errand)
            self._run(now_ns)

    def _run(self, now_ns: int) -> None:
        base = self._base or self._unit.state
        legs = [leg for leg, state in enumerate(base.states) if state is not LegState.STALE]
        rest = sorted({*legs, *self._ties} - self._won - self._failed.keys())
        self._errand = self._unit.keyring.fence(rest, now_ns)
        if not rest:
            self._errand = None
            self._judge(base, now_ns)

    def _collect(self, errand: Errand) -> None:
        self._won.update(errand.with_fate(Fate.DONE))
        for leg in errand.with_fate(Fate.FAILED):
            self._failed[leg] = errand.ends[leg].why

    def _judge(self, base: UnitState, now_ns: int) -> None:
        unit = self._unit
        lacks_tie = self._ties & self._failed.keys() and not unit.peer.dead
        left = [leg for leg in in_sync(base) if leg in self._won]
        if lacks_tie or not left:
            self._failed = {}
            self._retry_at_ns = now_ns + _RETRY_NS
            return
        self.give_up()
        states = tuple(
            LegState.STALE if leg in self._failed else state
            for leg, state in enumerate(base.states)
        )
        epoch = max(unit.barrier.newest_epoch, unit.state.epoch) + 1
        members = (unit.engine_id,)
        state = msgspec.structs.replace(base, epoch=epoch, states=states, members=members)
        if base is unit.state:
            state = msgspec.structs.replace(state, answer=None, attentions=())
        failed = ", ".join(f"{unit.mirror.legs[leg]}: {why}" for leg, why in self._failed.items())
        why = f"the other engine is gone{'; ' if failed else ''}{failed}"
        unit.barrier.propose(state, why, alone=True)
