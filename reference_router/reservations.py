"""What PERSISTENT RESERVE OUT, RESERVE and RELEASE do to the agreed state (SPC-4 5.13). Pure.

PREEMPT AND ABORT does what PREEMPT does: the barrier that makes a change true drains all commands
first, so a preempted nexus has none left to abort, and what it sends later meets the reservation.
"""

from collections.abc import Callable, Iterable

import msgspec

from reference_router.reservation_data import (
    TYPED_ACTIONS,
    OutAction,
    OutParameters,
    host_of,
    parse_out,
)
from reference_router.scsi import (
    GOOD,
    INVALID_RELEASE,
    RESERVED,
    Response,
    check_condition,
    invalid_field,
    invalid_parameter,
)
from reference_router.service_state import (
    Attention,
    Change,
    Nexus,
    Registration,
    Reservation,
    ReservationType,
    ServiceState,
)

RESERVATIONS_PREEMPTED = 0x2A, 0x03
RESERVATIONS_RELEASED = 0x2A, 0x04
REGISTRATIONS_PREEMPTED = 0x2A, 0x05
_GENERATION_MASK = 0xFFFFFFFF
_SCOPE_FIELD, _ACTION_KEY_FIELD, _PORT_FIELD, _TRANSPORT_ID_FIELD = 2, 8, 18, 24


class _Draft:
    """A state being changed on behalf of one nexus."""

    def __init__(self, state: ServiceState, nexus: Nexus) -> None:
        self.state = state
        self.nexus = nexus
        self.keys = {each.nexus: each.key for each in state.registrations}
        self.reservation = state.reservation
        self.aptpl = state.aptpl
        self._attentions: list[Attention] = []

    def notify(self, nexuses: Iterable[Nexus], code: tuple[int, int]) -> None:
        """Establish a unit attention for `nexuses`, but not for the one that sent the command."""
        asc, ascq = code
        self._attentions += [
            Attention(host=each.host, engine=each.engine, asc=asc, ascq=ascq)
            for each in sorted(nexuses)
            if each != self.nexus
        ]

    def unregister(self, nexuses: Iterable[Nexus]) -> None:
        """Remove registrations, and the reservation if it goes with them (SPC-4 5.13.11.3)."""
        for each in nexuses:
            self.keys.pop(each, None)
        reservation = self.reservation
        if reservation is None:
            return
        if reservation.holder is None:
            if not self.keys:
                self.reservation = None
        elif reservation.holder not in self.keys:
            self.reservation = None
            if reservation.kind.admits_registrants:
                self.notify(self.keys, RESERVATIONS_RELEASED)

    def reserve(self, kind: ReservationType) -> None:
        """Make the nexus the holder, alone or with all registrants."""
        holder = self.nexus if kind.has_one_holder else None
        self.reservation = Reservation(kind=kind, holder=holder)

    def finish(self, *, counted: bool) -> Change:
        """Return the change; `counted` in PRgeneration (SPC-4 6.15.2)."""
        registrations = tuple(
            Registration(nexus=nexus, key=key) for nexus, key in sorted(self.keys.items())
        )
        new = msgspec.structs.replace(
            self.state,
            registrations=registrations,
            reservation=self.reservation,
            aptpl=self.aptpl,
            generation=self.state.generation + counted & _GENERATION_MASK,
        )
        return Change(new, GOOD, tuple(self._attentions))


def check_out(cdb: bytes) -> Response | None:
    """Return why a PERSISTENT RESERVE OUT CDB is refused, whatever the state."""
    action = cdb[1] & 0x1F
    if action > max(OutAction):
        return invalid_field(1)
    if action in TYPED_ACTIONS and cdb[2] not in list(ReservationType):
        return invalid_field(_SCOPE_FIELD)  # a scope other than the logical unit, or no type
    return None


def reserve_out(
    state: ServiceState,
    nexus: Nexus,
    cdb: bytes,
    parameters: bytes,
    *,
    hosts: tuple[str, ...],
    engines: tuple[int, ...],
) -> Change:
    """Do a PERSISTENT RESERVE OUT command."""
    refused = RESERVED if state.legacy is not None else check_out(cdb)
    if refused is not None:
        return Change(state, refused)
    action = OutAction(cdb[1] & 0x1F)
    said = parse_out(action, parameters)
    if isinstance(said, Response):
        return Change(state, said)
    own = state.key_of(nexus)
    if action is OutAction.REGISTER:
        if said.key != (own or 0):
            return Change(state, RESERVED)
    elif action is not OutAction.REGISTER_AND_IGNORE_EXISTING_KEY and said.key != own:
        return Change(state, RESERVED)
    draft = _Draft(state, nexus)
    if action in (OutAction.REGISTER, OutAction.REGISTER_AND_IGNORE_EXISTING_KEY):
        return _register(draft, said, action, engines)
    if action is OutAction.REGISTER_AND_MOVE:
        return _move(draft, said, hosts, engines)
    if action is OutAction.CLEAR:
        return _clear(draft)
    return _TYPED[action](draft, said, ReservationType(cdb[2]))


def _register(
    draft: _Draft, said: OutParameters, action: OutAction, engines: tuple[int, ...]
) -> Change:
    """Register, change or remove a key (SPC-4 5.13.7).

    ALL_TG_PT means as if each port had got the command: where the key does not match, nothing.
    """
    targets = [draft.nexus]
    if said.all_ports:
        others = [Nexus(draft.nexus.host, engine) for engine in engines]
        targets += [each for each in others if each != draft.nexus]
    if action is OutAction.REGISTER:
        targets = [each for each in targets if draft.keys.get(each, 0) == said.key]
    if said.action_key:
        draft.keys |= dict.fromkeys(targets, said.action_key)
    elif any(each in draft.keys for each in targets):
        draft.unregister(targets)
    else:
        return Change(draft.state, GOOD)  # nothing to remove: not even counted
    draft.aptpl = said.aptpl
    return draft.finish(counted=True)


def _move(
    draft: _Draft, said: OutParameters, hosts: tuple[str, ...], engines: tuple[int, ...]
) -> Change:
    """Register another nexus and make it the holder (SPC-4 5.13.8)."""
    state, reservation = draft.state, draft.reservation
    if said.action_key == 0:
        return Change(state, invalid_parameter(_ACTION_KEY_FIELD))
    if reservation is None:
        return Change(state, invalid_field(1))
    if reservation.holder != draft.nexus:
        return Change(state, RESERVED)
    host = host_of(said.transport_id, hosts)
    if said.port not in engines:
        return Change(state, invalid_parameter(_PORT_FIELD))
    if host is None or (host, said.port) == draft.nexus:
        return Change(state, invalid_parameter(_TRANSPORT_ID_FIELD))
    target = Nexus(host, said.port)
    draft.keys[target] = said.action_key
    draft.reservation = Reservation(kind=reservation.kind, holder=target)
    if said.unregister:
        del draft.keys[draft.nexus]
    draft.aptpl = said.aptpl
    return draft.finish(counted=True)


def _clear(draft: _Draft) -> Change:
    """Remove the reservation and all registrations (SPC-4 5.13.11.4)."""
    draft.notify(draft.keys, RESERVATIONS_PREEMPTED)
    draft.keys.clear()
    draft.reservation = None
    return draft.finish(counted=True)


def _reserve(draft: _Draft, _: OutParameters, kind: ReservationType) -> Change:
    """Reserve the logical unit (SPC-4 5.13.9); what the nexus holds already it may ask again."""
    if draft.reservation is None:
        draft.reserve(kind)
        return draft.finish(counted=False)
    same = draft.state.holds(draft.nexus) and draft.reservation.kind is kind
    return Change(draft.state, GOOD if same else RESERVED)


def _release(draft: _Draft, _: OutParameters, kind: ReservationType) -> Change:
    """Release (SPC-4 5.13.11.2); of what the nexus does not hold there is nothing to release."""
    reservation = draft.reservation
    if reservation is None or not draft.state.holds(draft.nexus):
        return Change(draft.state, GOOD)
    if reservation.kind is not kind:
        return Change(draft.state, check_condition(INVALID_RELEASE))
    draft.reservation = None
    if kind.admits_registrants:
        draft.notify(draft.keys, RESERVATIONS_RELEASED)
    return draft.finish(counted=False)


def _preempt(draft: _Draft, said: OutParameters, kind: ReservationType) -> Change:
    """Remove the registrations of a key, and take the reservation if it was theirs.

    SPC-4 5.13.11.5 to 5.13.11.7. Key 0 means all others, if all registrants hold the reservation.
    """
    reservation, keys = draft.reservation, draft.keys
    holder = None if reservation is None else reservation.holder
    all_hold = reservation is not None and holder is None
    if said.action_key == 0 and not all_hold:
        return Change(draft.state, invalid_parameter(_ACTION_KEY_FIELD))
    if said.action_key == 0:
        takes, victims = True, [each for each in keys if each != draft.nexus]
    else:
        takes = holder is not None and keys[holder] == said.action_key
        victims = [each for each, key in keys.items() if key == said.action_key]
        if not victims:
            return Change(draft.state, RESERVED)
    if takes:
        draft.reserve(kind)
        victims = [each for each in victims if each != draft.nexus]
    draft.notify(victims, REGISTRATIONS_PREEMPTED)
    draft.unregister(victims)
    if takes and reservation is not None and reservation.kind is not kind:
        draft.notify(draft.keys, RESERVATIONS_RELEASED)
    return draft.finish(counted=True)


_Typed = Callable[[_Draft, OutParameters, ReservationType], Change]
_TYPED: dict[OutAction, _Typed] = {
    OutAction.RESERVE: _reserve,
    OutAction.RELEASE: _release,
    OutAction.PREEMPT: _preempt,
    OutAction.PREEMPT_AND_ABORT: _preempt,
}


def reserve_legacy(state: ServiceState, nexus: Nexus) -> Change:
    """Do RESERVE(6) or (10) (SPC-2 7.21): not beside registrations (SPC-4 5.13.3, CRH is 0)."""
    if state.registrations or state.legacy not in (None, nexus):
        return Change(state, RESERVED)
    return Change(msgspec.structs.replace(state, legacy=nexus), GOOD)


def release_legacy(state: ServiceState, nexus: Nexus) -> Change:
    """Do RELEASE(6) or (10) (SPC-2 7.17): GOOD, also for who does not hold it."""
    if state.registrations:
        return Change(state, RESERVED)
    if state.legacy != nexus:
        return Change(state, GOOD)
    return Change(msgspec.structs.replace(state, legacy=None), GOOD)
