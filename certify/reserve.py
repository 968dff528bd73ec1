"""PERSISTENT RESERVE IN and OUT as an initiator sends and reads them (SPC-4 6.15, 6.16)."""

from dataclasses import dataclass
from enum import IntEnum

from certify.cdb import Opcode
from certify.inquiry import DecodeError

LIST_BYTES = 24
"""A parameter list of PERSISTENT RESERVE OUT, but for REGISTER AND MOVE's."""
DATA_BYTES = 8192
"""Allocation length that the lists of this suite's registrations fit in."""
_HEADER_BYTES = 8
_STATUS_BYTES = 24
_MOVE_HEADER_BYTES = 24


class InAction(IntEnum):
    """Service actions of PERSISTENT RESERVE IN."""

    READ_KEYS = 0x00
    READ_RESERVATION = 0x01
    REPORT_CAPABILITIES = 0x02
    READ_FULL_STATUS = 0x03


class OutAction(IntEnum):
    """Service actions of PERSISTENT RESERVE OUT."""

    REGISTER = 0x00
    RESERVE = 0x01
    RELEASE = 0x02
    CLEAR = 0x03
    PREEMPT = 0x04
    PREEMPT_AND_ABORT = 0x05
    REGISTER_AND_IGNORE = 0x06
    REGISTER_AND_MOVE = 0x07


class Kind(IntEnum):
    """Reservation types, SPC-4 6.15.3.4."""

    WRITE_EXCLUSIVE = 0x1
    EXCLUSIVE_ACCESS = 0x3
    WRITE_EXCLUSIVE_REGISTRANTS = 0x5
    EXCLUSIVE_ACCESS_REGISTRANTS = 0x6
    WRITE_EXCLUSIVE_ALL = 0x7
    EXCLUSIVE_ACCESS_ALL = 0x8

    @property
    def title(self) -> str:
        """The name that SPC-4 gives it."""
        return _TITLES[self]

    @property
    def lets_read(self) -> bool:
        """Reads are for everybody."""
        return self in (
            Kind.WRITE_EXCLUSIVE,
            Kind.WRITE_EXCLUSIVE_REGISTRANTS,
            Kind.WRITE_EXCLUSIVE_ALL,
        )

    @property
    def admits_registrants(self) -> bool:
        """Every registered nexus has the access of the holder."""
        return self not in (Kind.WRITE_EXCLUSIVE, Kind.EXCLUSIVE_ACCESS)

    @property
    def all_hold(self) -> bool:
        """Every registered nexus is a holder."""
        return self in (Kind.WRITE_EXCLUSIVE_ALL, Kind.EXCLUSIVE_ACCESS_ALL)


_TITLES = {
    Kind.WRITE_EXCLUSIVE: "Write Exclusive",
    Kind.EXCLUSIVE_ACCESS: "Exclusive Access",
    Kind.WRITE_EXCLUSIVE_REGISTRANTS: "Write Exclusive - Registrants Only",
    Kind.EXCLUSIVE_ACCESS_REGISTRANTS: "Exclusive Access - Registrants Only",
    Kind.WRITE_EXCLUSIVE_ALL: "Write Exclusive - All Registrants",
    Kind.EXCLUSIVE_ACCESS_ALL: "Exclusive Access - All Registrants",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """READ RESERVATION data of a unit that is reserved; `key` is 0 when all registrants hold it."""

    key: int
    scope: int
    kind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """REPORT CAPABILITIES data; `kinds` are the types of a valid type mask."""

    length: int
    compatible_handling: bool
    specify_ports: bool
    all_ports: bool
    aptpl_capable: bool
    aptpl_active: bool
    mask_is_valid: bool
    kinds: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FullStatus:
    """One descriptor of READ FULL STATUS data."""

    key: int
    all_ports: bool
    holds: bool
    scope: int
    kind: int
    port: int
    transport_id: bytes


def reserve_in(action: InAction, allocation_length: int = DATA_BYTES) -> bytes:
    """PERSISTENT RESERVE IN."""
    length = allocation_length.to_bytes(2)
    return bytes((Opcode.PERSISTENT_RESERVE_IN, action, 0, 0, 0, 0, 0, *length, 0))


def reserve_out(
    action: int, kind: int = 0, *, scope: int = 0, list_length: int = LIST_BYTES
) -> bytes:
    """PERSISTENT RESERVE OUT; *kind* is the TYPE field."""
    head = (Opcode.PERSISTENT_RESERVE_OUT, action, scope << 4 | kind, 0, 0)
    return bytes((*head, *list_length.to_bytes(4), 0))


def out_list(key: int = 0, action_key: int = 0, *, flags: int = 0) -> bytes:
    """Return the parameter list; *flags* is byte 20 (SPEC_I_PT 8, ALL_TG_PT 4, APTPL 1)."""
    return key.to_bytes(8) + action_key.to_bytes(8) + bytes((0, 0, 0, 0, flags, 0, 0, 0))


def move_list(
    key: int, action_key: int, port: int, transport_id: bytes, *, unregister: bool = False
) -> bytes:
    """Return the parameter list of REGISTER AND MOVE, SPC-4 6.16.4."""
    head = key.to_bytes(8) + action_key.to_bytes(8)
    return (
        head
        + bytes((0, 0x02 if unregister else 0))
        + port.to_bytes(2)
        + len(transport_id).to_bytes(4)
        + transport_id
    )


def generation_of(data: bytes) -> int:
    """Return PRGENERATION of READ KEYS, READ RESERVATION or READ FULL STATUS data."""
    _at_least(data, _HEADER_BYTES, "PERSISTENT RESERVE IN data")
    return int.from_bytes(data[:4])


def decode_keys(data: bytes) -> list[int]:
    """Return the keys of READ KEYS data; a key that several nexuses have comes several times."""
    body = _body(data, "READ KEYS data")
    return [int.from_bytes(body[at : at + 8]) for at in range(0, len(body), 8)]


def decode_reservation(data: bytes) -> Reservation | None:
    """Return what READ RESERVATION data tells, None if nothing is reserved."""
    body = _body(data, "READ RESERVATION data")
    if not body:
        return None
    _at_least(body, 16, "READ RESERVATION descriptor")
    return Reservation(key=int.from_bytes(body[:8]), scope=body[13] >> 4, kind=body[13] & 0x0F)


def decode_capabilities(data: bytes) -> Capabilities:
    """Decode REPORT CAPABILITIES data, SPC-4 6.15.4."""
    _at_least(data, 8, "REPORT CAPABILITIES data")
    mask = data[4] | data[5] << 8
    return Capabilities(
        length=int.from_bytes(data[:2]),
        compatible_handling=bool(data[2] & 0x10),
        specify_ports=bool(data[2] & 0x08),
        all_ports=bool(data[2] & 0x04),
        aptpl_capable=bool(data[2] & 0x01),
        aptpl_active=bool(data[3] & 0x01),
        mask_is_valid=bool(data[3] & 0x80),
        kinds=frozenset(bit for bit in range(16) if mask >> bit & 1),
    )


def decode_full_status(data: bytes) -> list[FullStatus]:
    """Decode READ FULL STATUS data, SPC-4 6.15.5."""
    body = _body(data, "READ FULL STATUS data")
    found: list[FullStatus] = []
    position = 0
    while position < len(body):
        _at_least(body, position + _STATUS_BYTES, "READ FULL STATUS descriptor")
        one = body[position:]
        end = _STATUS_BYTES + int.from_bytes(one[20:24])
        _at_least(one, end, "TransportID in READ FULL STATUS data")
        found.append(
            FullStatus(
                key=int.from_bytes(one[:8]),
                all_ports=bool(one[12] & 0x02),
                holds=bool(one[12] & 0x01),
                scope=one[13] >> 4,
                kind=one[13] & 0x0F,
                port=int.from_bytes(one[18:20]),
                transport_id=one[_STATUS_BYTES:end],
            )
        )
        position += end
    return found


def _body(data: bytes, what: str) -> bytes:
    _at_least(data, _HEADER_BYTES, what)
    end = _HEADER_BYTES + int.from_bytes(data[4:8])
    _at_least(data, end, what)
    return data[_HEADER_BYTES:end]


def _at_least(data: bytes, length: int, what: str) -> None:
    if len(data) < length:
        raise DecodeError(f"{what}: expected at least {length} bytes, got {len(data)}")
