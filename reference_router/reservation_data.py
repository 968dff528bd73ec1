"""PERSISTENT RESERVE parameter data: what IN returns, what OUT is given, TransportIDs. Pure.

SPC-4 6.15 and 6.16. A host is named by an iSCSI TransportID (7.6.4.6), whatever the transport: the
loopback fabric has no name for an initiator that is the same at every engine.
"""

from dataclasses import dataclass
from enum import IntEnum

from reference_router.scsi import LIST_LENGTH_ERROR, Response, invalid_parameter
from reference_router.service_state import Registration, ReservationType, ServiceState

LIST_BYTES = 24  # a PR OUT parameter list but for REGISTER AND MOVE (SPC-4 6.16.3)
LIST_MAX_BYTES = 24 + 256
_MOVE_LIST_MIN_BYTES = 24 + 24
_ISCSI_FORMAT_0 = 0x05
_ISCSI_PREFIX = "iqn.2026-11.zerostall:"
_TRANSPORT_ID_HEADER_BYTES = 4
_TRANSPORT_ID_NAME_MIN_BYTES = 20
_KEY_BYTES = 8


class InAction(IntEnum):
    """Service actions of PERSISTENT RESERVE IN (SPC-4 6.15.1)."""

    READ_KEYS = 0x00
    READ_RESERVATION = 0x01
    REPORT_CAPABILITIES = 0x02
    READ_FULL_STATUS = 0x03


class OutAction(IntEnum):
    """Service actions of PERSISTENT RESERVE OUT (SPC-4 6.16.2)."""

    REGISTER = 0x00
    RESERVE = 0x01
    RELEASE = 0x02
    CLEAR = 0x03
    PREEMPT = 0x04
    PREEMPT_AND_ABORT = 0x05
    REGISTER_AND_IGNORE_EXISTING_KEY = 0x06
    REGISTER_AND_MOVE = 0x07


TYPED_ACTIONS = (
    OutAction.RESERVE,
    OutAction.RELEASE,
    OutAction.PREEMPT,
    OutAction.PREEMPT_AND_ABORT,
)
"""Actions that heed SCOPE and TYPE; the others ignore them (SPC-4 table 214)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutParameters:
    """A PR OUT parameter list. `port` and `transport_id` are REGISTER AND MOVE's."""

    key: int
    action_key: int
    aptpl: bool = False
    all_ports: bool = False
    unregister: bool = False
    port: int = 0
    transport_id: bytes = b""


def parse_out(action: OutAction, parameters: bytes) -> OutParameters | Response:
    """Return what a PR OUT parameter list says, or the response that refuses it."""
    if action is OutAction.REGISTER_AND_MOVE:
        return _parse_move(parameters)
    registers = action in (OutAction.REGISTER, OutAction.REGISTER_AND_IGNORE_EXISTING_KEY)
    if registers and len(parameters) >= LIST_BYTES and parameters[20] & 0x08:
        return invalid_parameter(20)  # SPEC_I_PT: SIP_C is 0
    if len(parameters) != LIST_BYTES:
        return LIST_LENGTH_ERROR
    return OutParameters(
        key=int.from_bytes(parameters[0:8], "big"),
        action_key=int.from_bytes(parameters[8:16], "big"),
        aptpl=bool(parameters[20] & 0x01),
        all_ports=registers and bool(parameters[20] & 0x04),
    )


def _parse_move(parameters: bytes) -> OutParameters | Response:
    """Read the list of REGISTER AND MOVE (SPC-4 6.16.4)."""
    if len(parameters) < _MOVE_LIST_MIN_BYTES:
        return LIST_LENGTH_ERROR
    length = int.from_bytes(parameters[20:24], "big")
    if len(parameters) != LIST_BYTES + length:
        return LIST_LENGTH_ERROR
    return OutParameters(
        key=int.from_bytes(parameters[0:8], "big"),
        action_key=int.from_bytes(parameters[8:16], "big"),
        aptpl=bool(parameters[17] & 0x01),
        unregister=bool(parameters[17] & 0x02),
        port=int.from_bytes(parameters[18:20], "big"),
        transport_id=parameters[24:],
    )


def transport_id(host: str) -> bytes:
    """Return the TransportID that names a host."""
    name = (_ISCSI_PREFIX + host).encode("ascii") + b"\0"
    length = max(-(-len(name) // 4) * 4, _TRANSPORT_ID_NAME_MIN_BYTES)
    return bytes((_ISCSI_FORMAT_0, 0)) + length.to_bytes(2, "big") + name.ljust(length, b"\0")


def host_of(identifier: bytes, hosts: tuple[str, ...]) -> str | None:
    """Return the host that a TransportID names, or None."""
    return next((host for host in hosts if transport_id(host) == identifier), None)


def read_keys(state: ServiceState) -> bytes:
    """Return READ KEYS data: the key of every registered nexus (SPC-4 6.15.2)."""
    keys = [each.key.to_bytes(_KEY_BYTES, "big") for each in state.registrations]
    return _with_header(state, b"".join(keys))


def read_reservation(state: ServiceState) -> bytes:
    """Return READ RESERVATION data (SPC-4 6.15.3). The key is 0 if all registrants hold it."""
    reservation = state.reservation
    if reservation is None:
        return _with_header(state, b"")
    key = 0 if reservation.holder is None else state.key_of(reservation.holder) or 0
    tail = bytes((0, 0, 0, 0, 0, reservation.kind, 0, 0))
    return _with_header(state, key.to_bytes(_KEY_BYTES, "big") + tail)


def report_capabilities(state: ServiceState) -> bytes:
    """Return REPORT CAPABILITIES data (SPC-4 6.15.4), 8 bytes."""
    mask = 0
    for kind in ReservationType:
        mask |= 1 << kind
    ability = 0x04 | 0x01  # ATP_C, PTPL_C; not SIP_C, CRH, RLR_C
    now = 0x80 | 0x10 | state.aptpl  # TMV; ALLOW COMMANDS 001b: TEST UNIT READY; PTPL_A
    return bytes((0, 8, ability, now, mask & 0xFF, mask >> 8, 0, 0))


def read_full_status(state: ServiceState) -> bytes:
    """Return READ FULL STATUS data: a descriptor per registered nexus (SPC-4 6.15.5)."""
    return _with_header(state, b"".join(_status(state, each) for each in state.registrations))


def _status(state: ServiceState, registration: Registration) -> bytes:
    """ALL_TG_PT stays 0: a registration at all ports is told port by port."""
    identifier = transport_id(registration.nexus.host)
    held = bytes(2)
    if state.reservation is not None and state.holds(registration.nexus):
        held = bytes((0x01, state.reservation.kind))
    return b"".join(
        (
            registration.key.to_bytes(_KEY_BYTES, "big"),
            bytes(4) + held + bytes(4),
            registration.nexus.engine.to_bytes(2, "big"),
            len(identifier).to_bytes(4, "big"),
            identifier,
        )
    )


def _with_header(state: ServiceState, body: bytes) -> bytes:
    return state.generation.to_bytes(4, "big") + len(body).to_bytes(4, "big") + body
