"""SCSI words on the target's side: status, sense data, operation codes, responses.

Sense data is SPC-4 4.5; additional sense codes are SPC-4 annex F. Pure values, no I/O.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reference_router.service_state import ServiceRequest

BLOCK_BYTES = 512


class Status(IntEnum):
    """SAM-5 5.3 status codes that this router returns."""

    GOOD = 0x00
    CHECK_CONDITION = 0x02
    BUSY = 0x08
    RESERVATION_CONFLICT = 0x18
    TASK_SET_FULL = 0x28
    TASK_ABORTED = 0x40


class SenseKey(IntEnum):
    """SPC-4 table 54."""

    NO_SENSE = 0x0
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5
    UNIT_ATTENTION = 0x6
    DATA_PROTECT = 0x7
    ABORTED_COMMAND = 0xB
    MISCOMPARE = 0xE


class OperationCode(IntEnum):
    """Operation codes that this router knows (SPC-4 and SBC-3; SPC-2 for RESERVE and RELEASE)."""

    TEST_UNIT_READY = 0x00
    REQUEST_SENSE = 0x03
    READ_6 = 0x08
    WRITE_6 = 0x0A
    INQUIRY = 0x12
    RESERVE_6 = 0x16
    RELEASE_6 = 0x17
    MODE_SENSE_6 = 0x1A
    START_STOP_UNIT = 0x1B
    READ_CAPACITY_10 = 0x25
    READ_10 = 0x28
    WRITE_10 = 0x2A
    WRITE_AND_VERIFY_10 = 0x2E
    VERIFY_10 = 0x2F
    SYNCHRONIZE_CACHE_10 = 0x35
    WRITE_SAME_10 = 0x41
    UNMAP = 0x42
    RESERVE_10 = 0x56
    RELEASE_10 = 0x57
    MODE_SENSE_10 = 0x5A
    PERSISTENT_RESERVE_IN = 0x5E
    PERSISTENT_RESERVE_OUT = 0x5F
    READ_16 = 0x88
    COMPARE_AND_WRITE = 0x89
    WRITE_16 = 0x8A
    WRITE_AND_VERIFY_16 = 0x8E
    VERIFY_16 = 0x8F
    SYNCHRONIZE_CACHE_16 = 0x91
    WRITE_SAME_16 = 0x93
    SERVICE_ACTION_IN_16 = 0x9E
    REPORT_LUNS = 0xA0
    MAINTENANCE_IN = 0xA3
    MAINTENANCE_OUT = 0xA4
    READ_12 = 0xA8
    WRITE_12 = 0xAA
    WRITE_AND_VERIFY_12 = 0xAE
    VERIFY_12 = 0xAF


class Op(IntEnum):
    """What a command does to the medium. Everything from WRITE on takes the range for itself."""

    READ = 0
    VERIFY = 1  # reads; the data goes nowhere
    COMPARE = 2  # VERIFY with BYTCHK: reads, then the shell compares
    WRITE = 3
    WRITE_AND_VERIFY = 4  # writes, then reads
    WRITE_AND_COMPARE = 5  # WRITE AND VERIFY with BYTCHK: writes, reads, then the shell compares
    COMPARE_AND_WRITE = 6  # reads, the shell compares, writes if equal
    COPY = 7  # the router's own: a range from one leg to others


class Fill(Enum):
    """Where the blocks that are written or compared come from."""

    DATA = "data"  # data-out has all of them
    REPEAT = "repeat"  # data-out has one block, for every block of the range: WRITE SAME
    ZERO = "zero"  # zeros, without data-out: UNMAP, and WRITE SAME with NDOB


@dataclass(frozen=True, slots=True)
class Sense:
    """A sense key with its additional sense code and qualifier."""

    key: SenseKey
    asc: int
    ascq: int

    def fixed(
        self, *, field: int | None = None, information: int | None = None, in_data: bool = False
    ) -> bytes:
        """Return fixed format sense data (SPC-4 4.5.3), 18 bytes.

        `field` is the byte in error, told by a field pointer (4.5.2.4.2): of the CDB, or with
        `in_data` of the parameter list. `information` goes to the INFORMATION field with VALID set,
        if it fits 32 bits.
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
            data[15] = 0x80 if in_data else 0xC0  # SKSV; C/D: the pointer is into the CDB
            data[16:18] = field.to_bytes(2, "big")
        return bytes(data)

    def descriptor(self) -> bytes:
        """Return descriptor format sense data (SPC-4 4.5.2) without descriptors, 8 bytes."""
        return bytes((0x72, self.key, self.asc, self.ascq, 0, 0, 0, 0))


NO_SENSE = Sense(SenseKey.NO_SENSE, 0x00, 0x00)
BECOMING_READY = Sense(SenseKey.NOT_READY, 0x04, 0x01)
MANUAL_INTERVENTION_REQUIRED = Sense(SenseKey.NOT_READY, 0x04, 0x03)
TARGET_PORT_STANDBY = Sense(SenseKey.NOT_READY, 0x04, 0x0B)
TARGET_PORT_UNAVAILABLE = Sense(SenseKey.NOT_READY, 0x04, 0x0C)
COMMUNICATION_FAILURE = Sense(SenseKey.NOT_READY, 0x08, 0x00)
WRITE_ERROR = Sense(SenseKey.MEDIUM_ERROR, 0x0C, 0x00)
UNRECOVERED_READ_ERROR = Sense(SenseKey.MEDIUM_ERROR, 0x11, 0x00)
INTERNAL_TARGET_FAILURE = Sense(SenseKey.HARDWARE_ERROR, 0x44, 0x00)
PARAMETER_LIST_LENGTH_ERROR = Sense(SenseKey.ILLEGAL_REQUEST, 0x1A, 0x00)
INVALID_OPERATION_CODE = Sense(SenseKey.ILLEGAL_REQUEST, 0x20, 0x00)
LBA_OUT_OF_RANGE = Sense(SenseKey.ILLEGAL_REQUEST, 0x21, 0x00)
INVALID_FIELD_IN_CDB = Sense(SenseKey.ILLEGAL_REQUEST, 0x24, 0x00)
INVALID_FIELD_IN_PARAMETER_LIST = Sense(SenseKey.ILLEGAL_REQUEST, 0x26, 0x00)
INVALID_RELEASE = Sense(SenseKey.ILLEGAL_REQUEST, 0x26, 0x04)
SAVING_NOT_SUPPORTED = Sense(SenseKey.ILLEGAL_REQUEST, 0x39, 0x00)
MISCOMPARE_DURING_VERIFY = Sense(SenseKey.MISCOMPARE, 0x1D, 0x00)


class Response(NamedTuple):
    """The end of a command: status, data-in and sense data."""

    status: int = Status.GOOD
    data: bytes = b""
    sense: bytes = b""


class Transfer(NamedTuple):
    """Something that the mirror must do to the medium. Never empty, always inside the medium.

    `data_blocks` of data-out must be there: all for a write or a compare, twice as many for COMPARE
    AND WRITE, one for WRITE SAME, none for a read or a fill with zeros.
    """

    op: Op
    lba: int
    blocks: int
    fill: Fill = Fill.DATA
    data_blocks: int = 0


class Ask(NamedTuple):
    """Something that both engines must agree on before it is answered."""

    request: "ServiceRequest"


GOOD = Response()
RESERVED = Response(Status.RESERVATION_CONFLICT)


def check_condition(
    sense: Sense,
    *,
    field: int | None = None,
    information: int | None = None,
    in_data: bool = False,
) -> Response:
    """Return a CHECK CONDITION response that carries `sense` in fixed format."""
    data = sense.fixed(field=field, information=information, in_data=in_data)
    return Response(Status.CHECK_CONDITION, b"", data)


def invalid_field(field: int) -> Response:
    """Return INVALID FIELD IN CDB that points at its byte `field`."""
    return check_condition(INVALID_FIELD_IN_CDB, field=field)


def invalid_parameter(field: int) -> Response:
    """Return INVALID FIELD IN PARAMETER LIST that points at the list's byte `field`."""
    return check_condition(INVALID_FIELD_IN_PARAMETER_LIST, field=field, in_data=True)


INVALID_OPERATION = check_condition(INVALID_OPERATION_CODE, field=0)
LIST_LENGTH_ERROR = check_condition(PARAMETER_LIST_LENGTH_ERROR)
