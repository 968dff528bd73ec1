"""One engine's core: its units, and the other engine. Pure.

Events come in as method calls with the time; actions go out through the Outbox. What is decided, is
decided by each unit for itself; here are the greeting, the heartbeat and the way to the unit.
"""

from collections.abc import Mapping

from reference_router.commands import Command, LegIo, Outbox
from reference_router.keys import Control, ControlResult
from reference_router.messages import (
    PROTOCOL_VERSION,
    Ask,
    Available,
    Commit,
    Copied,
    Enrol,
    Enrolled,
    Given,
    Hello,
    Invite,
    Leave,
    LegState,
    Manage,
    Maps,
    Message,
    Ping,
    Pong,
    Prepare,
    Prepared,
    Refresh,
    Reply,
    Standing,
    Suspect,
    UnitState,
    Want,
    Yours,
)
from reference_router.peer import Peer
from reference_router.regions import RegionMapError
from reference_router.service import ServiceRequest
from reference_router.unit import Phase, Timing, Unit, UnitSetup
from reference_router.votes import Witness

_CLOCK_DRIFT = 16  # a promise is kept for 1/16 longer than it is relied on


class Cluster:
    """The core of one engine. `config` is a digest of what both must have in common.

    `has_witness`: whether a witness decides where the legs alone cannot, see `fencing`.
    """

    def __init__(
        self,
        engine_id: int,
        setups: tuple[UnitSetup, ...],
        *,
        timing: Timing,
        config: str,
        outbox: Outbox,
        now_ns: int,
        has_witness: bool = False,
    ) -> None:
        self.engine_id = engine_id
        self.peer = Peer()
        self.witness = Witness(
            outbox,
            used=has_witness,
            engine_id=engine_id,
            config=config,
            patience_ns=timing.peer_timeout_ns,
        )
        self.units: Mapping[str, Unit] = {
            setup.name: Unit(
                setup,
                engine_id=engine_id,
                timing=timing,
                peer=self.peer,
                vote=self.witness.vote_of(setup.name, engine_id),
                outbox=outbox,
                now_ns=now_ns,
            )
            for setup in setups
        }
        self._timing = timing
        self._config = config
        self._outbox = outbox
        self._greeted = False
        self._next_ping_ns = 0

    @property
    def stopped(self) -> bool:
        """Tell whether a planned stop has come to its end."""
        return all(unit.phase is Phase.STOPPED for unit in self.units.values())

    # Events

    def link_up(self, now_ns: int) -> None:
        """Greet the peer: a link has come up."""
        self._greeted = True
        self.peer.heard_ns = now_ns
        hello = Hello(version=PROTOCOL_VERSION, engine=self.engine_id, config=self._config)
        self._outbox.messages.append(hello)

    def link_down(self, now_ns: int, *, peer_is_dead: bool) -> None:
        """Go on without the peer. `peer_is_dead`: its process and all its I/O have ended."""
        self._greeted = False
        self.peer.dead = peer_is_dead
        if not self.peer.linked:
            return
        self.peer.linked = False
        self.peer.lease_until_ns = 0
        for unit in self.units.values():
            unit.peer.standing = None
            unit.link_down(now_ns)
        self.drive(now_ns)

    def take(self, message: Message, now_ns: int) -> None:
        """Take a message of the peer."""
        self.peer.heard_ns = now_ns
        if isinstance(message, Hello):
            self._meet(message)
        elif not self.peer.linked:
            self._outbox.refuse_link = f"{type(message).__name__} before Hello"
        elif isinstance(message, Ping):
            self._promise(message, now_ns)
        elif isinstance(message, Pong):
            self._rely(message, now_ns)
        else:
            self._pass_on(message, now_ns)

    def leg_done(self, io: LegIo, error: int, now_ns: int) -> None:
        """Take the end of a leg I/O."""
        io.mirror.leg_done(io, error, now_ns)

    def control_done(self, control: Control, result: ControlResult) -> None:
        """Take the end of a control command."""
        self.units[control.unit].keyring.control_done(control, result)

    def compared(self, unit: str, command: Command, mismatch: int | None, now_ns: int) -> None:
        """Take the result of a comparison."""
        self.units[unit].mirror.compared(command, mismatch, now_ns)

    def submit(self, unit: str, command: Command, now_ns: int) -> None:
        """Take a command of a host."""
        self.units[unit].mirror.submit(command, now_ns)

    def ask(self, unit: str, request: ServiceRequest, token: object, now_ns: int) -> None:
        """Take a request of a host that both engines must agree on."""
        self.units[unit].requests.ask(request, token, now_ns)

    def manage(self, unit: str, leg: int, *, attach: bool) -> None:
        """Take an operator's wish to attach or detach a leg."""
        found = self.units[unit]
        if found.leads:
            found.leading.manage(leg, attach=attach)
        elif self.peer.linked:
            self._outbox.messages.append(Manage(unit, leg, attach))

    def reach(self, unit: str, leg: int, *, available: bool, identity: str) -> None:
        """Note whether this engine reaches a leg, and which leg it found there."""
        self.units[unit].admission.reach(leg, available=available, identity=identity)

    def stop(self) -> None:
        """Begin a planned stop: the shell takes no new commands any more."""
        for unit in self.units.values():
            unit.stopping = True

    def tick(self, now_ns: int) -> None:
        """Look at deadlines. Called every few ten ms, after the messages that have come."""
        if self._greeted:
            silent_ns = now_ns - self.peer.heard_ns
            if silent_ns > self._timing.peer_timeout_ns:
                self._outbox.refuse_link = f"the peer is silent for {silent_ns // 1_000_000} ms"
            elif self.peer.linked and now_ns >= self._next_ping_ns:
                self._next_ping_ns = now_ns + self._timing.ping_ns
                self._outbox.messages.append(Ping(now_ns))
        self.witness.tick(now_ns)
        for unit in self.units.values():
            unit.tick(now_ns)
        self.drive(now_ns, all_units=True)

    def drive(self, now_ns: int, *, all_units: bool = False) -> None:
        """Let every unit that needs it go on. Called after every batch of events."""
        for unit in self.units.values():
            if all_units or not unit.idle:
                unit.drive(now_ns)

    # Messages

    def _meet(self, peer: Hello) -> None:
        if (peer.version, peer.config) != (PROTOCOL_VERSION, self._config):
            self._outbox.refuse_link = (
                f"engine {peer.engine}: version {peer.version}, config {peer.config}; "
                f"here version {PROTOCOL_VERSION}, config {self._config}"
            )
            return
        if peer.engine == self.engine_id:
            self._outbox.refuse_link = f"the peer says that it is engine {peer.engine} too"
            return
        self.peer.engine_id = peer.engine
        self.peer.linked, self.peer.dead = True, False
        for unit in self.units.values():
            unit.link_up()

    def _promise(self, message: Ping, now_ns: int) -> None:
        """Answer a Ping; from now on the peer relies on it for a lease from when it asked."""
        lease_ns = self._timing.lease_ns
        longest_ns = lease_ns + lease_ns // _CLOCK_DRIFT + self._timing.clock_lag_ns
        self.peer.promise_until_ns = now_ns + longest_ns
        self._outbox.messages.append(Pong(message.sent_ns))

    def _rely(self, message: Pong, now_ns: int) -> None:
        lease_ns = self._timing.lease_ns - self._timing.clock_lag_ns
        until_ns = min(message.sent_ns, now_ns) + lease_ns
        self.peer.lease_until_ns = max(self.peer.lease_until_ns, until_ns)
        for unit in self.units.values():
            if unit.shared and unit.in_touch:
                unit.mirror.confirm_reads(self.peer.lease_until_ns, now_ns)

    def _pass_on(self, message: Message, now_ns: int) -> None:
        unit = self.units.get(getattr(message, "unit", ""))
        wrong = "no unit of this name" if unit is None else out_of_range(unit, message)
        if unit is None or wrong:
            self._outbox.refuse_link = f"{type(message).__name__}: {wrong}"
            return
        try:
            deliver(unit, message, now_ns)
        except RegionMapError as error:
            self._outbox.refuse_link = f"{type(message).__name__}: {error}"


def out_of_range(unit: Unit, message: Message) -> str:
    """Return what is wrong with the numbers in a message, or ""."""
    match message:
        case Available(leg=leg) | Suspect(leg=leg) | Enrol(leg=leg) | Manage(leg=leg):
            good = 0 <= leg < unit.leg_count
        case Enrolled(leg=leg):
            good = -1 <= leg < unit.leg_count
        case Want(region=region) | Yours(region=region) | Given(region=region):
            good = 0 <= region < unit.mirror.regions
        case Copied(region=region, leg=leg):
            good = 0 <= region < unit.mirror.regions and -1 <= leg < unit.leg_count
        case Refresh(region=region, leg=leg):
            good = 0 <= region < unit.mirror.regions and 0 <= leg < unit.leg_count
        case Maps(dirty=dirty, left=left):
            good = len(dirty) == len(left) == unit.leg_count
        case Invite(state=state) | Prepare(state=state):
            good = _is_sound(unit, state)
        case _:
            good = True
    return "" if good else f"out of range: {message}"


def _is_sound(unit: Unit, state: UnitState) -> bool:
    return (
        len(state.states) == unit.leg_count
        and LegState.IN_SYNC in state.states
        and LegState.ABSENT not in state.states
        and 1 <= len(state.members) <= 2
        and all(0 <= leg < unit.leg_count for leg in state.detached)
    )


def deliver(unit: Unit, message: Message, now_ns: int) -> None:
    """Give a message to the part of the unit that it concerns. Late ones are passed over.

    Raises RegionMapError.
    """
    match message:
        case Standing():
            unit.peer_stands(message, now_ns)
        case Available():
            unit.admission.take(message)
        case Invite(state=state):
            unit.leading.take_invitation(state)
        case Maps():
            unit.load_maps(message)
        case Enrol(leg=leg):
            unit.admission.enrol(leg, now_ns)
        case Enrolled(leg=leg, epoch=epoch):
            unit.leading.enrolled(leg, epoch)
        case Suspect(leg=leg, epoch=epoch, reason=reason):
            unit.leading.take_suspect(leg, epoch, reason)
        case Prepare(state=state):
            unit.leading.take_prepare(state)
        case Prepared(epoch=epoch):
            unit.barrier.take_prepared(epoch)
        case Commit(epoch=epoch):
            unit.barrier.take_commit(epoch, now_ns)
        case Want(region=region):
            unit.copier.demand(region)
            unit.mirror.leases.asked_for(region)
        case Yours(region=region):
            unit.mirror.lease_received(region, now_ns)
        case Given(region=region):
            unit.mirror.leases.given_back(region)
        case Copied():
            unit.copier.copied(message, now_ns)
        case _:
            _deliver_rare(unit, message)


def _deliver_rare(unit: Unit, message: Message) -> None:
    match message:
        case Refresh(region=region, leg=leg):
            unit.mirror.weak[region, leg] = None
        case Ask():
            unit.requests.take_ask(message)
        case Reply(answer=answer):
            unit.requests.take_reply(answer)
        case Manage(leg=leg, attach=attach):
            unit.leading.manage(leg, attach=attach)
        case Leave():
            unit.peer_leaves = True
        case _:
            pass
