"""Commands and their outcomes as a saboteur sees them, and the few SCSI facts that it needs. Pure.

Layouts are those of SPC-4 and SBC-3; the code is the saboteurs' own, since neither the judge's nor
the router's codec may be trusted here.
"""

from dataclasses import dataclass, field, replace

BLOCK_BYTES = 512

GOOD = 0x00
CHECK_CONDITION = 0x02  # SAM-5 5.3.1
RESERVATION_CONFLICT = 0x18

NOT_READY = 0x2
MEDIUM_ERROR = 0x3
ILLEGAL_REQUEST = 0x5
UNIT_ATTENTION = 0x6

_READS = {0x08: 6, 0x28: 10, 0xA8: 12, 0x88: 16}
_WRITES = {0x0A: 6, 0x2A: 10, 0xAA: 12, 0x8A: 16, 0x2E: 10, 0xAE: 12, 0x8E: 16}
_DATA_OUT = frozenset(
    (
        *_WRITES,
        *(0x41, 0x93),  # WRITE SAME
        *(0x2F, 0xAF, 0x8F),  # VERIFY, which takes data when BYTCHK is set
        *(0x89, 0x42),  # COMPARE AND WRITE, UNMAP
        *(0x15, 0x55, 0x4C),  # MODE SELECT, LOG SELECT
        *(0x5F, 0xA4),  # PERSISTENT RESERVE OUT, MAINTENANCE OUT
        *(0x04, 0x1D, 0x3B, 0x83, 0xB5),  # FORMAT UNIT, SEND DIAGNOSTIC, WRITE BUFFER, XCOPY, SPOUT
    )
)
_GROUP_BYTES = (6, 10, 10, 16, 16, 12, 16, 16)  # SPC-4 4.2.5.1; reserved groups travel whole

TEST_UNIT_READY = 0x00
INQUIRY = 0x12
PERSISTENT_RESERVE_IN = 0x5E
PERSISTENT_RESERVE_OUT = 0x5F
MAINTENANCE_IN = 0xA3
REPORT_TARGET_PORT_GROUPS = 0x0A  # its service actions
REPORT_SUPPORTED_OPERATION_CODES = 0x0C


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """One device that a host sees: a logical unit for a host through an engine."""

    engine: str
    unit: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as it came: the CDB, the data to the device, room for data from it in bytes."""

    front: Front
    cdb: bytes
    data_out: bytes = b""
    room: int = 0

    @property
    def opcode(self) -> int:
        """First byte of the CDB."""
        return self.cdb[0]

    @property
    def service_action(self) -> int:
        """Service action of the opcodes that have one in byte 1 (SPC-4 4.2.5.2)."""
        return self.cdb[1] & 0x1F

    @property
    def reads(self) -> bool:
        """Whether it is a READ."""
        return self.opcode in _READS

    @property
    def writes(self) -> bool:
        """Whether it is a WRITE or WRITE AND VERIFY."""
        return self.opcode in _WRITES

    @property
    def lba(self) -> int:
        """First block of a READ or WRITE."""
        width = _width(self.opcode)
        if width == 6:
            return int.from_bytes(self.cdb[1:4], "big") & 0x1FFFFF
        return int.from_bytes(self.cdb[2 : 10 if width == 16 else 6], "big")

    @property
    def blocks(self) -> int:
        """Blocks of a READ or WRITE; 0 in a CDB of 6 bytes means 256 (SBC-3 5.7)."""
        width = _width(self.opcode)
        if width == 6:
            return self.cdb[4] or 256
        where = {10: slice(7, 9), 12: slice(6, 10), 16: slice(10, 14)}[width]
        return int.from_bytes(self.cdb[where], "big")

    def at(self, lba: int) -> "Command":
        """Return the same READ or WRITE for another first block."""
        width = _width(self.opcode)
        cdb = bytearray(self.cdb)
        if width == 6:
            cdb[1:4] = lba.to_bytes(3, "big")
        elif width == 16:
            cdb[2:10] = lba.to_bytes(8, "big")
        else:
            cdb[2:6] = lba.to_bytes(4, "big")
        return replace(self, cdb=bytes(cdb))

    def carrying(self, data: bytes) -> "Command":
        """Return the same command with other data to the device."""
        return replace(self, data_out=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended: SCSI status, sense data, data from the device.

    `lost` says that it never reached the router, or that the router's engine is gone: then the
    status is what a host takes as a path failure.
    """

    status: int = GOOD
    sense: bytes = b""
    data: bytes = field(default=b"", repr=False)
    lost: bool = False

    @property
    def good(self) -> bool:
        """Whether the status is GOOD."""
        return self.status == GOOD

    @property
    def sense_key(self) -> int:
        """Sense key of fixed or descriptor format (SPC-4 4.5), 0 without sense data."""
        if len(self.sense) < 4:
            return 0
        return self.sense[1 if self.sense[0] & 0x7F in (0x72, 0x73) else 2] & 0xF

    @property
    def asc(self) -> int:
        """Additional sense code, 0 without sense data."""
        fixed = len(self.sense) >= 14 and self.sense[0] & 0x7F in (0x70, 0x71)
        return self.sense[12] if fixed else self.sense[2] if len(self.sense) >= 4 else 0


def takes_data(opcode: int) -> bool:
    """Tell whether a buffer of this operation code goes to the device."""
    return opcode in _DATA_OUT


def cdb_bytes(opcode: int) -> int:
    """Return the length of a CDB by its group; 16 where the group does not say."""
    return _GROUP_BYTES[opcode >> 5]


def sense(key: int, asc: int, ascq: int = 0) -> bytes:
    """Return fixed-format sense data of 18 bytes (SPC-4 4.5.3)."""
    data = bytearray(18)
    data[0], data[2], data[7], data[12], data[13] = 0x70, key, 10, asc, ascq
    return bytes(data)


def check_condition(key: int, asc: int, ascq: int = 0) -> Outcome:
    """Return a CHECK CONDITION."""
    return Outcome(status=CHECK_CONDITION, sense=sense(key, asc, ascq))


def unavailable() -> Outcome:
    """Return NOT READY, target port in unavailable state (04h/0Ch): a host takes another path."""
    return replace(check_condition(NOT_READY, 0x04, 0x0C), lost=True)


def write_16(front: Front, lba: int, data: bytes) -> Command:
    """Return a WRITE (16) of whole blocks."""
    blocks = len(data) // BLOCK_BYTES
    cdb = b"\x8a\0" + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + b"\0\0"
    return Command(front=front, cdb=cdb, data_out=data)


def read_16(front: Front, lba: int, blocks: int) -> Command:
    """Return a READ (16)."""
    cdb = b"\x88\0" + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + b"\0\0"
    return Command(front=front, cdb=cdb, room=blocks * BLOCK_BYTES)


def _width(opcode: int) -> int:
    width = _READS.get(opcode) or _WRITES.get(opcode)
    if width is None:
        raise ValueError(f"operation code {opcode:#04x} is neither READ nor WRITE")
    return width
