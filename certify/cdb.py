"""Command descriptor blocks, built field by field from SPC-6, SBC-5 and SPC-6 for REPORT LUNS.

`lba` and `blocks` count logical blocks of the unit, `allocation_length` bytes.
"""

from enum import IntEnum


class Opcode(IntEnum):
    """Operation codes that the suite sends."""

    TEST_UNIT_READY = 0x00
    REQUEST_SENSE = 0x03
    READ_6 = 0x08
    WRITE_6 = 0x0A
    INQUIRY = 0x12
    MODE_SENSE_6 = 0x1A
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


READ_CAPACITY_16_ACTION = 0x10
REPORT_TARGET_PORT_GROUPS_ACTION = 0x0A


def test_unit_ready() -> bytes:
    """TEST UNIT READY, SPC-6 6.45."""
    return bytes(6)


test_unit_ready.__test__ = False  # type: ignore[attr-defined] # a command, not a pytest test


def request_sense(allocation_length: int = 252, *, descriptor: bool = False) -> bytes:
    """REQUEST SENSE, SPC-6 6.37."""
    return bytes((Opcode.REQUEST_SENSE, descriptor, 0, 0, allocation_length, 0))


def inquiry(allocation_length: int = 96, *, page: int | None = None) -> bytes:
    """INQUIRY, SPC-6 6.7; with *page*, that vital product data page."""
    length = allocation_length.to_bytes(2)
    return bytes((Opcode.INQUIRY, page is not None, page or 0, *length, 0))


def mode_sense_6(page: int = 0x3F, *, allocation_length: int = 252, control: int = 0) -> bytes:
    """MODE SENSE(6), SPC-6 6.13; *control* 0 current, 1 changeable, 2 default, 3 saved."""
    return bytes((Opcode.MODE_SENSE_6, 0, control << 6 | page, 0, allocation_length, 0))


def mode_sense_10(page: int = 0x3F, *, allocation_length: int = 252, control: int = 0) -> bytes:
    """MODE SENSE(10), SPC-6 6.14."""
    length = allocation_length.to_bytes(2)
    return bytes((Opcode.MODE_SENSE_10, 0, control << 6 | page, 0, 0, 0, 0, *length, 0))


def read_capacity_10() -> bytes:
    """READ CAPACITY(10), SBC-5 5.20."""
    return bytes((Opcode.READ_CAPACITY_10, *bytes(9)))


def read_capacity_16(allocation_length: int = 32) -> bytes:
    """READ CAPACITY(16), SBC-5 5.21."""
    action = READ_CAPACITY_16_ACTION
    length = allocation_length.to_bytes(4)
    return bytes((Opcode.SERVICE_ACTION_IN_16, action, *bytes(8), *length, 0, 0))


def report_luns(allocation_length: int = 1024) -> bytes:
    """REPORT LUNS, SPC-6 6.35."""
    return bytes((Opcode.REPORT_LUNS, *bytes(5), *allocation_length.to_bytes(4), 0, 0))


def report_target_port_groups(allocation_length: int = 1024, *, extended: bool = False) -> bytes:
    """REPORT TARGET PORT GROUPS, SPC-6 6.36."""
    action = REPORT_TARGET_PORT_GROUPS_ACTION | (0x20 if extended else 0)
    return bytes((Opcode.MAINTENANCE_IN, action, *bytes(4), *allocation_length.to_bytes(4), 0, 0))


def transfer_6(opcode: Opcode, lba: int, blocks: int) -> bytes:
    """READ(6) or WRITE(6), SBC-5 5.16 and 5.40: 21 bits of LBA; 256 blocks are coded as 0."""
    if not 0 <= lba < 1 << 21 or not 0 <= blocks <= 256:
        raise ValueError(f"LBA {lba}, {blocks} blocks do not fit a 6-byte CDB")
    return bytes((opcode, *lba.to_bytes(3), blocks & 0xFF, 0))


def transfer_10(opcode: Opcode, lba: int, blocks: int, *, flags: int = 0) -> bytes:
    """READ(10) or WRITE(10), SBC-5 5.17 and 5.41; *flags* is byte 1 (protect, DPO, FUA)."""
    return bytes((opcode, flags, *lba.to_bytes(4), 0, *blocks.to_bytes(2), 0))


def transfer_12(opcode: Opcode, lba: int, blocks: int, *, flags: int = 0) -> bytes:
    """READ(12) or WRITE(12), SBC-5 5.18 and 5.42."""
    return bytes((opcode, flags, *lba.to_bytes(4), *blocks.to_bytes(4), 0, 0))


def transfer_16(opcode: Opcode, lba: int, blocks: int, *, flags: int = 0) -> bytes:
    """READ(16) or WRITE(16), SBC-5 5.19 and 5.43."""
    return bytes((opcode, flags, *lba.to_bytes(8), *blocks.to_bytes(4), 0, 0))


def synchronize_cache_10(lba: int = 0, blocks: int = 0) -> bytes:
    """SYNCHRONIZE CACHE(10), SBC-5 5.32; zero blocks means up to the last."""
    return transfer_10(Opcode.SYNCHRONIZE_CACHE_10, lba, blocks)


def synchronize_cache_16(lba: int = 0, blocks: int = 0) -> bytes:
    """SYNCHRONIZE CACHE(16), SBC-5 5.33."""
    return transfer_16(Opcode.SYNCHRONIZE_CACHE_16, lba, blocks)


def read(lba: int, blocks: int, *, width: int = 10) -> bytes:
    """READ of the given CDB *width*: 6, 10, 12 or 16 bytes."""
    return _transfer(
        (Opcode.READ_6, Opcode.READ_10, Opcode.READ_12, Opcode.READ_16), lba, blocks, width
    )


def write(lba: int, blocks: int, *, width: int = 10) -> bytes:
    """WRITE of the given CDB *width*: 6, 10, 12 or 16 bytes."""
    return _transfer(
        (Opcode.WRITE_6, Opcode.WRITE_10, Opcode.WRITE_12, Opcode.WRITE_16), lba, blocks, width
    )


def _transfer(
    opcodes: tuple[Opcode, Opcode, Opcode, Opcode], lba: int, blocks: int, width: int
) -> bytes:
    if width == 6:
        return transfer_6(opcodes[0], lba, blocks)
    if width == 10:
        return transfer_10(opcodes[1], lba, blocks)
    if width == 12:
        return transfer_12(opcodes[2], lba, blocks)
    if width == 16:
        return transfer_16(opcodes[3], lba, blocks)
    raise ValueError(f"CDB of {width} bytes; expected 6, 10, 12 or 16")
