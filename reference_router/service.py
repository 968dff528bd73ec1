"""What the engines agree on for the hosts' sake: reservations and access states. Pure.

A request that changes it goes to the leader, which applies it in a barrier: both engines hold and
drain, the new state holds in both, and only then the host has its answer.
"""

import msgspec

from reference_router.alua import set_groups
from reference_router.attentions import RESET_OCCURRED
from reference_router.reservations import release_legacy, reserve_legacy, reserve_out
from reference_router.scsi import INVALID_OPERATION, OperationCode, Response
from reference_router.service_state import LOGICAL_UNIT_RESET
from reference_router.service_state import AccessState as AccessState
from reference_router.service_state import Attention as Attention
from reference_router.service_state import Change as Change
from reference_router.service_state import Nexus as Nexus
from reference_router.service_state import ServiceRequest as ServiceRequest
from reference_router.service_state import ServiceState as ServiceState

_SCHEMA = 1
_CDB_BYTES = 16
_KEY_MAX = (1 << 64) - 1
_GENERATION_MAX = (1 << 32) - 1


class ServiceFileError(Exception):
    """A file of services is not what `to_file` writes; the message says what is wrong."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of services holds."""

    schema: int
    services: ServiceState


def apply(
    state: ServiceState,
    request: ServiceRequest,
    *,
    hosts: tuple[str, ...],
    engines: tuple[int, ...],
) -> Change:
    """Return what `request` does to `state`; a refused one leaves it as it was."""
    cdb = request.cdb.ljust(_CDB_BYTES, b"\0")
    nexus = Nexus(request.host, request.engine)
    if request.cdb == LOGICAL_UNIT_RESET:
        return _reset(state, nexus, hosts=hosts, engines=engines)
    match cdb[0]:
        case OperationCode.PERSISTENT_RESERVE_OUT:
            return reserve_out(state, nexus, cdb, request.parameters, hosts=hosts, engines=engines)
        case OperationCode.RESERVE_6 | OperationCode.RESERVE_10:
            return reserve_legacy(state, nexus)
        case OperationCode.RELEASE_6 | OperationCode.RELEASE_10:
            return release_legacy(state, nexus)
        case OperationCode.MAINTENANCE_OUT:
            return set_groups(state, nexus, request.parameters, hosts=hosts, engines=engines)
    return Change(state, INVALID_OPERATION)


def _reset(
    state: ServiceState, nexus: Nexus, *, hosts: tuple[str, ...], engines: tuple[int, ...]
) -> Change:
    """Do LOGICAL UNIT RESET: every other nexus learns of it, an SPC-2 reservation ends.

    SAM-5 6.3.3 and SPC-2 5.5.1. The barrier that makes it true drains what both engines do.
    """
    asc, ascq = RESET_OCCURRED
    attentions = tuple(
        Attention(host=host, engine=engine, asc=asc, ascq=ascq)
        for host in hosts
        for engine in engines
        if (host, engine) != nexus
    )
    return Change(msgspec.structs.replace(state, legacy=None), Response(), attentions)


def to_file(state: ServiceState) -> bytes:
    """Return what outlives a loss of power: registrations with APTPL, and the preferred engine.

    SPC-2 reservations, access states and PRgeneration do not (SPC-4 5.13.5, 6.15.2).
    """
    kept = ServiceState(preferred=state.preferred)
    if state.persistent:
        kept = msgspec.structs.replace(
            kept, registrations=state.registrations, reservation=state.reservation, aptpl=True
        )
    return msgspec.json.encode(_File(schema=_SCHEMA, services=kept)) + b"\n"


def from_file(data: bytes) -> ServiceState:
    """Return the state that `to_file` wrote. Raises ServiceFileError."""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ServiceFileError(f"not a file of services: {error}") from error
    if file.schema != _SCHEMA:
        raise ServiceFileError(f"schema: expected {_SCHEMA}, seen {file.schema}")
    _check(file.services)
    return file.services


def _check(state: ServiceState) -> None:
    nexuses = [each.nexus for each in state.registrations]
    if nexuses != sorted(set(nexuses)):
        raise ServiceFileError(f"registrations: expected sorted and different, seen {nexuses}")
    for each in state.registrations:
        if not 0 < each.key <= _KEY_MAX:
            raise ServiceFileError(f"key: expected 1 to {_KEY_MAX}, seen {each.key}")
    if not 0 <= state.generation <= _GENERATION_MAX:
        raise ServiceFileError(f"generation: expected 32 bits, seen {state.generation}")
    reservation = state.reservation
    if reservation is None:
        return
    if reservation.kind.has_one_holder and reservation.holder not in nexuses:
        raise ServiceFileError(f"holder: expected one of {nexuses}, seen {reservation.holder}")
    if not reservation.kind.has_one_holder and (reservation.holder is not None or not nexuses):
        raise ServiceFileError("holder: expected all registrants, of whom there is one at least")
