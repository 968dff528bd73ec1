"""Membership of the two engines: who leads, who may serve, what happens when one is gone. Pure.

The longest serving engine leads; of two that start together, the one of lower id. An engine that
starts without a peer serves only on the operator's statement that the legs are equal
(`cold_start`), since nothing on the arrays says so yet: keys in the arrays are a later step.
A link that breaks while both engines live is not fenced here either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reference_router.coordinator import Coordinator
from reference_router.messages import (
    PROTOCOL_VERSION,
    Hello,
    LegState,
    Message,
    UnitState,
    Welcome,
)
from reference_router.mirror import LegIo, Outbox


class Role(StrEnum):
    """What an engine is in the cluster. WAITING has no states, and serves nothing."""

    WAITING = "waiting"
    LEADER = "leader"
    FOLLOWER = "follower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The waits of the core, in nanoseconds."""

    leg_deadline_ns: int
    command_deadline_ns: int
    peer_wait_ns: int
    """How long an engine that may cold start waits for a peer first."""
    leg_wait_ns: int
    """How long it then waits for all legs, before it starts without some."""


class Cluster:
    """One engine's core: coordinators of all units, and the peer."""

    def __init__(
        self,
        engine_id: int,
        coordinators: Mapping[str, Coordinator],
        *,
        timing: Timing,
        config: str,
        may_cold_start: bool,
        outbox: Outbox,
        now_ns: int,
    ) -> None:
        self.engine_id = engine_id
        self.role = Role.WAITING
        self.peer_joined = False
        self.peer_id = 0
        self._coordinators = coordinators
        self._timing = timing
        self._config = config
        self._may_cold_start = may_cold_start
        self._outbox = outbox
        self._started_ns = now_ns
        self._serving_since_ns = 0
        self._said: Hello | None = None
        self._heard: Hello | None = None

    @property
    def leads(self) -> bool:
        """Tell whether this engine decides."""
        return self.role is Role.LEADER

    @property
    def waits_for_operator(self) -> bool:
        """Tell whether nothing but an operator's word can make this engine serve."""
        return self.role is Role.WAITING and not self._may_cold_start and self._said is None

    # Events

    def link_up(self, now_ns: int) -> None:
        """Greet the peer: a link has come up."""
        serving = self.role is not Role.WAITING
        self._said = Hello(
            version=PROTOCOL_VERSION,
            engine=self.engine_id,
            config=self._config,
            serving=serving,
            serving_ms=(now_ns - self._serving_since_ns) // 1_000_000 if serving else 0,
            may_cold_start=self._may_cold_start,
            units=tuple(each.state() for each in self._coordinators.values()),
        )
        self._heard = None
        self._outbox.messages.append(self._said)

    def link_down(self, now_ns: int) -> None:
        """Go on without the peer: the link closed, which a dying engine's kernel does for it.

        The kernel ends a process's asynchronous I/O (exit_aio) before it closes its sockets, so no
        write of a dead peer can land after this.
        """
        self._said = self._heard = None
        if not self.peer_joined:
            return
        self.peer_joined = False
        self._outbox.notes.append(f"engine {self.peer_id} is gone: going on alone as leader")
        self.role = Role.LEADER
        for coordinator in self._coordinators.values():
            coordinator.peer_lost(now_ns)
        self.drive(now_ns)

    def take(self, message: Message, now_ns: int) -> None:
        """Take a message of the peer."""
        match message:
            case Hello():
                self._heard = message
                self.peer_id = message.engine
                self._meet(message, now_ns)
            case Welcome(units=units):
                self._join(units, now_ns)
            case _:
                coordinator = self._coordinators.get(message.unit)
                if coordinator is not None:
                    coordinator.take(message, now_ns)

    def leg_done(self, io: LegIo, error: int, now_ns: int) -> None:
        """Take the end of a leg I/O."""
        io.mirror.leg_done(io, error, now_ns)

    def tick(self, now_ns: int) -> None:
        """Look at deadlines and at legs that could be admitted. Called every few ten ms."""
        for coordinator in self._coordinators.values():
            coordinator.mirror.tick(
                now_ns,
                leg_deadline_ns=self._timing.leg_deadline_ns,
                command_deadline_ns=self._timing.command_deadline_ns,
            )
        if self.role is Role.WAITING:
            self._maybe_cold_start(now_ns)
        self.drive(now_ns, all_units=True)

    def drive(self, now_ns: int, *, all_units: bool = False) -> None:
        """Let every unit that needs it go on. Called after every batch of events."""
        if self.role is Role.WAITING:
            return
        for coordinator in self._coordinators.values():
            if all_units or not coordinator.idle():
                coordinator.drive(now_ns, leads=self.leads, peer_joined=self.peer_joined)

    # Meeting the peer

    def _meet(self, peer: Hello, now_ns: int) -> None:
        mine = self._said
        if mine is None:
            return
        if peer.serving:
            self._may_cold_start = False  # the peer knows better, also when it dies at once
        if (peer.version, peer.config) != (mine.version, mine.config):
            self._outbox.refuse_link = (
                f"engine {peer.engine}: version {peer.version}, config {peer.config}; "
                f"here version {mine.version}, config {mine.config}"
            )
        elif mine.serving and peer.serving:
            self._merge(mine, peer)
        elif mine.serving:
            self._welcome()
        elif not peer.serving:
            self._maybe_cold_start(now_ns)

    def _maybe_cold_start(self, now_ns: int) -> None:
        """Start from the operator's word, if it is this engine's turn and legs are in reach."""
        if not self._may_cold_start or not self._my_turn(now_ns):
            return
        waited_ns = now_ns - self._started_ns
        reach = [
            [each.available(leg) for leg in range(len(each.mirror.legs))]
            for each in self._coordinators.values()
        ]
        complete = all(all(legs) for legs in reach)
        some = all(any(legs) for legs in reach)
        if not complete and not (some and waited_ns > self._timing.leg_wait_ns):
            return
        for coordinator, legs in zip(self._coordinators.values(), reach, strict=True):
            states = tuple(LegState.IN_SYNC if seen else LegState.STALE for seen in legs)
            coordinator.adopt(UnitState(coordinator.mirror.name, 1, states), now_ns)
        self._outbox.notes.append("cold start: legs in sync by the operator's statement")
        self._serve(Role.LEADER, now_ns)
        if self._heard is not None:
            self._welcome()

    def _my_turn(self, now_ns: int) -> bool:
        if self._said is None:
            return now_ns - self._started_ns >= self._timing.peer_wait_ns
        peer = self._heard
        if peer is None or peer.serving:
            return False
        return not peer.may_cold_start or self.engine_id < peer.engine

    def _serve(self, role: Role, now_ns: int) -> None:
        self.role = role
        self._serving_since_ns = now_ns

    def _welcome(self) -> None:
        self.peer_joined = True
        states = tuple(each.state() for each in self._coordinators.values())
        self._outbox.messages.append(Welcome(states))
        self._outbox.notes.append(f"engine {self.peer_id} joined, this engine leads")
        for coordinator in self._coordinators.values():
            coordinator.peer_joined()

    def _join(self, units: tuple[UnitState, ...], now_ns: int) -> None:
        for state in units:
            self._coordinators[state.unit].adopt(state, now_ns)
        self.peer_joined = True
        self._serve(Role.FOLLOWER, now_ns)
        self._outbox.notes.append(f"joined engine {self.peer_id}, which leads")
        self.drive(now_ns, all_units=True)

    def _merge(self, mine: Hello, peer: Hello) -> None:
        """Two engines that served apart come together: a leg is in sync if it is for both.

        If that leaves a unit without a leg in sync, each has acknowledged writes that the other
        lacks: nothing here can mend that, so the link is refused and people must choose.
        """
        theirs = {unit.unit: unit for unit in peer.units}
        merged = [_merged(unit, theirs[unit.unit]) for unit in mine.units]
        broken = [unit.unit for unit in merged if LegState.IN_SYNC not in unit.states]
        if broken:
            self._outbox.refuse_link = f"split brain on {', '.join(broken)}: no common leg"
            return
        self.peer_joined = True
        first = (mine.serving_ms, -mine.engine) > (peer.serving_ms, -peer.engine)
        self.role = Role.LEADER if first else Role.FOLLOWER
        self._outbox.notes.append(f"met engine {peer.engine}, both serving: {self.role}")
        if first:
            for unit in merged:
                coordinator = self._coordinators[unit.unit]
                coordinator.propose(unit, why="engines met", peer_joined=True)


def _merged(mine: UnitState, theirs: UnitState) -> UnitState:
    states = tuple(
        LegState.IN_SYNC if one is other is LegState.IN_SYNC else LegState.STALE
        for one, other in zip(mine.states, theirs.states, strict=True)
    )
    return UnitState(mine.unit, max(mine.epoch, theirs.epoch) + 1, states)
