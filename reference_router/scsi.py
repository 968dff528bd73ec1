"""SCSI words on the target's side: status, sense data, operation codes, responses.

Sense data is SPC-4 4.5; additional sense codes are SPC-4 annex F. Pure values, no I/O.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

BLOCK_BYTES = 512


class Status(IntEnum):
    """SAM-5 5.3 status codes that this router returns."""

    GOOD = 0x00
    CHECK_CONDITION = 0x02


class SenseKey(IntEnum):
    """SPC-4 table 54."""

    NO_SENSE = 0x0
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5


class OperationCode(IntEnum):
    """Operation codes that this router knows (SPC-4 and SBC-3)."""

    TEST_UNIT_READY = 0x00
    REQUEST_SENSE = 0x03
    READ_6 = 0x08
    WRITE_6 = 0x0A
    INQUIRY = 0x12
    MODE_SENSE_6 = 0x1A
    START_STOP_UNIT = 0x1B
    READ_CAPACITY_10 = 0x25
    READ_10 = 0x28
    WRITE_10 = 0x2A
    SYNCHRONIZE_CACHE_10 = 0x35
    MODE_SENSE_10 = 0x5A
    READ_16 = 0x88
    WRITE_16 = 0x8A
    SYNCHRONIZE_CACHE_16 = 0x91
    SERVICE_ACTION_IN_16 = 0x9E
    REPORT_LUNS = 0xA0
    MAINTENANCE_IN = 0xA3
    READ_12 = 0xA8
    WRITE_12 = 0xAA


@dataclass(frozen=True, slots=True)
class Sense:
    """A sense key with its additional sense code and qualifier."""

    key: SenseKey
    asc: int
    ascq: int

    def fixed(self, *, field: int | None = None, information: int | None = None) -> bytes:
        """Return fixed format sense data (SPC-4 4.5.3), 18 bytes.

        `field` is the byte of the CDB in error, told by a field pointer (4.5.2.4.2);
        `information` goes to the INFORMATION field with VALID set, if it fits 32 bits.
        """
        data = bytearray(18)
        data[0] = 0x70
        data[2] = self.key
        data[7] = len(data) - 8
        data[12], data[13] = self.asc, self.ascq
        if information is not None and information <= 0xFFFFFFFF:
            data[0] |= 0x80
            data[3:7] = information.to_bytes(4, "big")
        if field is not None:
            data[15] = 0xC0  # SKSV, and C/D: the pointer is into the CDB
            data[16:18] = field.to_bytes(2, "big")
        return bytes(data)

    def descriptor(self) -> bytes:
        """Return descriptor format sense data (SPC-4 4.5.2) without descriptors, 8 bytes."""
        return bytes((0x72, self.key, self.asc, self.ascq, 0, 0, 0, 0))


NO_SENSE = Sense(SenseKey.NO_SENSE, 0x00, 0x00)
BECOMING_READY = Sense(SenseKey.NOT_READY, 0x04, 0x01)
MANUAL_INTERVENTION_REQUIRED = Sense(SenseKey.NOT_READY, 0x04, 0x03)
TARGET_PORT_UNAVAILABLE = Sense(SenseKey.NOT_READY, 0x04, 0x0C)
COMMUNICATION_FAILURE = Sense(SenseKey.NOT_READY, 0x08, 0x00)
WRITE_ERROR = Sense(SenseKey.MEDIUM_ERROR, 0x0C, 0x00)
UNRECOVERED_READ_ERROR = Sense(SenseKey.MEDIUM_ERROR, 0x11, 0x00)
INTERNAL_TARGET_FAILURE = Sense(SenseKey.HARDWARE_ERROR, 0x44, 0x00)
INVALID_OPERATION_CODE = Sense(SenseKey.ILLEGAL_REQUEST, 0x20, 0x00)
LBA_OUT_OF_RANGE = Sense(SenseKey.ILLEGAL_REQUEST, 0x21, 0x00)
INVALID_FIELD_IN_CDB = Sense(SenseKey.ILLEGAL_REQUEST, 0x24, 0x00)
SAVING_NOT_SUPPORTED = Sense(SenseKey.ILLEGAL_REQUEST, 0x39, 0x00)


class Response(NamedTuple):
    """The end of a command: status, data-in and sense data."""

    status: int = Status.GOOD
    data: bytes = b""
    sense: bytes = b""


class Transfer(NamedTuple):
    """A read or a write of the medium that the mirror must do."""

    write: bool
    lba: int
    blocks: int


GOOD = Response()


def check_condition(
    sense: Sense, *, field: int | None = None, information: int | None = None
) -> Response:
    """Return a CHECK CONDITION response that carries `sense` in fixed format."""
    return Response(Status.CHECK_CONDITION, b"", sense.fixed(field=field, information=information))


INVALID_OPERATION = check_condition(INVALID_OPERATION_CODE, field=0)
