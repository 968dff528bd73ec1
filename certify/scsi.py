"""SCSI as the initiator sees it: status, sense data, and how one command ended.

Codes are those of SAM-6 (status), SPC-6 4.4 (sense data), and of Linux for what never reached a
target (include/scsi/scsi_status.h). A CHECK CONDITION is data, not an exception.
"""

from dataclasses import dataclass
from enum import IntEnum

DESCRIPTOR_INFORMATION = 0x00
DESCRIPTOR_KEY_SPECIFIC = 0x02


class Status(IntEnum):
    """SCSI status codes, SAM-6 5.3.1."""

    GOOD = 0x00
    CHECK_CONDITION = 0x02
    CONDITION_MET = 0x04
    BUSY = 0x08
    RESERVATION_CONFLICT = 0x18
    TASK_SET_FULL = 0x28
    ACA_ACTIVE = 0x30
    TASK_ABORTED = 0x40


class SenseKey(IntEnum):
    """Sense keys, SPC-6 4.4.7."""

    NO_SENSE = 0x0
    RECOVERED_ERROR = 0x1
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5
    UNIT_ATTENTION = 0x6
    DATA_PROTECT = 0x7
    BLANK_CHECK = 0x8
    VENDOR_SPECIFIC = 0x9
    COPY_ABORTED = 0xA
    ABORTED_COMMAND = 0xB
    RESERVED = 0xC
    VOLUME_OVERFLOW = 0xD
    MISCOMPARE = 0xE
    COMPLETED = 0xF


class HostStatus(IntEnum):
    """How the host's SCSI layer ended a command that has no SCSI status."""

    OK = 0x00
    NO_CONNECT = 0x01
    BUS_BUSY = 0x02
    TIME_OUT = 0x03
    BAD_TARGET = 0x04
    ABORT = 0x05
    PARITY = 0x06
    ERROR = 0x07
    RESET = 0x08
    BAD_INTR = 0x09
    PASSTHROUGH = 0x0A
    SOFT_ERROR = 0x0B
    IMM_RETRY = 0x0C
    REQUEUE = 0x0D
    TRANSPORT_DISRUPTED = 0x0E
    TRANSPORT_FAILFAST = 0x0F
    TRANSPORT_MARGINAL = 0x14


DRIVER_SENSE = 0x08
"""Driver status that only says: there is sense data. Not an error."""

SENSE_NAMES = {
    (0x04, 0x00): "logical unit not ready, cause not reportable",
    (0x04, 0x01): "logical unit is in process of becoming ready",
    (0x04, 0x0A): "asymmetric access state transition",
    (0x04, 0x0B): "target port in standby state",
    (0x04, 0x0C): "target port in unavailable state",
    (0x08, 0x00): "logical unit communication failure",
    (0x1A, 0x00): "parameter list length error",
    (0x1D, 0x00): "miscompare during verify operation",
    (0x20, 0x00): "invalid command operation code",
    (0x21, 0x00): "logical block address out of range",
    (0x24, 0x00): "invalid field in CDB",
    (0x25, 0x00): "logical unit not supported",
    (0x26, 0x00): "invalid field in parameter list",
    (0x26, 0x04): "invalid release of persistent reservation",
    (0x29, 0x00): "power on, reset, or bus device reset occurred",
    (0x29, 0x02): "SCSI bus reset occurred",
    (0x29, 0x03): "bus device reset function occurred",
    (0x29, 0x07): "I_T nexus loss occurred",
    (0x2A, 0x01): "mode parameters changed",
    (0x2A, 0x03): "reservations preempted",
    (0x2A, 0x04): "reservations released",
    (0x2A, 0x05): "registrations preempted",
    (0x2A, 0x06): "asymmetric access state changed",
    (0x39, 0x00): "saving parameters not supported",
    (0x3F, 0x0E): "reported LUNs data has changed",
}
"""Additional sense codes that this suite meets, SPC-6 annex F."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """Sense data, decoded; `raw` is kept beside it."""

    key: int
    asc: int
    ascq: int
    deferred: bool
    information: int | None
    field_pointer: int | None
    """Byte of the CDB that is wrong, where an ILLEGAL REQUEST says so."""
    raw: bytes
    parameter_pointer: int | None = None
    """Byte of the parameter list that is wrong, where an ILLEGAL REQUEST says so."""

    @property
    def code(self) -> str:
        """Key, ASC and ASCQ in hex as run folders hold them: "5/24/00"."""
        return f"{self.key:x}/{self.asc:02x}/{self.ascq:02x}"

    def __str__(self) -> str:
        name = SENSE_NAMES.get((self.asc, self.ascq))
        key = SenseKey(self.key).name.replace("_", " ")
        return f"{key} {self.asc:02x}/{self.ascq:02x}" + (f" ({name})" if name else "")


def decode_sense(raw: bytes) -> Sense | None:
    """Decode fixed (70h, 71h) or descriptor (72h, 73h) sense data; None for anything else.

    Fields beyond the end of a short sense read as zero, as SPC-6 4.4.2 has it.
    """
    response = raw[0] & 0x7F if raw else 0
    if response in (0x70, 0x71):
        return _decode_fixed(raw, deferred=response == 0x71)
    if response in (0x72, 0x73):
        return _decode_descriptors(raw, deferred=response == 0x73)
    return None


def _decode_fixed(raw: bytes, *, deferred: bool) -> Sense:
    data = raw.ljust(18, b"\0")
    valid = bool(data[0] & 0x80)
    key = data[2] & 0x0F
    return Sense(
        key=key,
        asc=data[12],
        ascq=data[13],
        deferred=deferred,
        information=int.from_bytes(data[3:7]) if valid else None,
        field_pointer=_field_pointer(key, data[15:18], in_cdb=True),
        raw=raw,
        parameter_pointer=_field_pointer(key, data[15:18], in_cdb=False),
    )


def _decode_descriptors(raw: bytes, *, deferred: bool) -> Sense:
    data = raw.ljust(8, b"\0")
    key = data[1] & 0x0F
    information: int | None = None
    pointer: int | None = None
    parameter: int | None = None
    position = 8
    end = min(len(data), 8 + data[7])
    while position + 2 <= end:
        kind, length = data[position], data[position + 1]
        body = data[position : position + 2 + length]
        if kind == DESCRIPTOR_INFORMATION and len(body) >= 12 and body[2] & 0x80:
            information = int.from_bytes(body[4:12])
        if kind == DESCRIPTOR_KEY_SPECIFIC and len(body) >= 7:
            pointer = _field_pointer(key, body[4:7], in_cdb=True)
            parameter = _field_pointer(key, body[4:7], in_cdb=False)
        position += 2 + length
    return Sense(
        key=key,
        asc=data[2],
        ascq=data[3],
        deferred=deferred,
        information=information,
        field_pointer=pointer,
        raw=raw,
        parameter_pointer=parameter,
    )


def _field_pointer(key: int, specific: bytes, *, in_cdb: bool) -> int | None:
    """Return the field pointer of an ILLEGAL REQUEST into the CDB or the list, SPC-6 4.4.2.4.2."""
    valid, points_to_cdb = specific[0] & 0x80, bool(specific[0] & 0x40)
    if key != SenseKey.ILLEGAL_REQUEST or not valid or points_to_cdb is not in_cdb:
        return None
    return int.from_bytes(specific[1:3])


class ScsiError(Exception):
    """A command did not end GOOD; the message has the CDB and how it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How one command ended. Stamps are CLOCK_MONOTONIC ns."""

    cdb: bytes
    status: int
    sense: Sense | None
    residual: int
    """Bytes of the data buffer that were not transferred."""
    host_status: int
    driver_status: int
    data: bytes
    """What was read, without the residual; b"" for other commands."""
    sent_ns: int
    done_ns: int

    @property
    def is_good(self) -> bool:
        """GOOD status, and the host's layers have nothing to complain about."""
        return self.status == Status.GOOD and self.reached_target

    @property
    def reached_target(self) -> bool:
        """The status comes from the target, not from a host that could not reach it."""
        return self.host_status == HostStatus.OK and self.driver_status in (0, DRIVER_SENSE)

    @property
    def sense_code(self) -> str:
        """The sense as run folders hold it, "" if none."""
        return self.sense.code if self.sense else ""

    def __str__(self) -> str:
        if self.host_status != HostStatus.OK:
            return f"host status {_name(HostStatus, self.host_status)}"
        if self.driver_status not in (0, DRIVER_SENSE):
            return f"driver status {self.driver_status:02x}h"
        if self.status == Status.CHECK_CONDITION:
            return f"CHECK CONDITION, {self.sense or 'no sense data'}"
        return _name(Status, self.status)

    def raise_for_status(self) -> "Completion":
        """Return self if GOOD; raise ScsiError otherwise."""
        if not self.is_good:
            raise ScsiError(f"CDB {self.cdb.hex(' ')}: {self}; expected GOOD")
        return self


def _name(kind: type[IntEnum], value: int) -> str:
    try:
        return kind(value).name.replace("_", " ")
    except ValueError:
        return f"{value:02x}h"
