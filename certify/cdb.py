"""Command descriptor blocks, built field by field from SPC-6, SBC-5 and SPC-6 for REPORT LUNS.

`lba` and `blocks` count logical blocks of the unit, `allocation_length` bytes.
"""

from collections.abc import Mapping
from enum import IntEnum


class Opcode(IntEnum):
    """Operation codes that the suite sends."""

    TEST_UNIT_READY = 0x00
    REQUEST_SENSE = 0x03
    READ_6 = 0x08
    WRITE_6 = 0x0A
    INQUIRY = 0x12
    MODE_SELECT_6 = 0x15
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
    MODE_SELECT_10 = 0x55
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


READ_CAPACITY_16_ACTION = 0x10
TARGET_PORT_GROUPS_ACTION = 0x0A
SUPPORTED_OPERATION_CODES_ACTION = 0x0C
SUPPORTED_TASK_MANAGEMENT_ACTION = 0x0D
DPO, FUA = 0x10, 0x08
"""Bits of byte 1 of reads and writes, SBC-4 READ (10) command."""


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
    action = TARGET_PORT_GROUPS_ACTION | (0x20 if extended else 0)
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


_READ = {6: Opcode.READ_6, 10: Opcode.READ_10, 12: Opcode.READ_12, 16: Opcode.READ_16}
_WRITE = {6: Opcode.WRITE_6, 10: Opcode.WRITE_10, 12: Opcode.WRITE_12, 16: Opcode.WRITE_16}
_VERIFY = {10: Opcode.VERIFY_10, 12: Opcode.VERIFY_12, 16: Opcode.VERIFY_16}
_WRITE_AND_VERIFY = {
    10: Opcode.WRITE_AND_VERIFY_10,
    12: Opcode.WRITE_AND_VERIFY_12,
    16: Opcode.WRITE_AND_VERIFY_16,
}
_WRITE_SAME = {10: Opcode.WRITE_SAME_10, 16: Opcode.WRITE_SAME_16}


def read(lba: int, blocks: int, *, width: int = 10, flags: int = 0) -> bytes:
    """READ of the given CDB *width*: 6, 10, 12 or 16 bytes; *flags* is byte 1 (not of width 6)."""
    return _transfer(_READ, lba, blocks, width, flags)


def write(lba: int, blocks: int, *, width: int = 10, flags: int = 0) -> bytes:
    """WRITE of the given CDB *width*: 6, 10, 12 or 16 bytes; *flags* is byte 1 (not of width 6)."""
    return _transfer(_WRITE, lba, blocks, width, flags)


def verify(lba: int, blocks: int, *, width: int = 10, bytchk: int = 0) -> bytes:
    """VERIFY of 10, 12 or 16 bytes, SBC-4 VERIFY (10) command; *bytchk* is 0 to 3."""
    return _transfer(_VERIFY, lba, blocks, width, bytchk << 1)


def write_and_verify(lba: int, blocks: int, *, width: int = 10, bytchk: int = 0) -> bytes:
    """WRITE AND VERIFY of 10, 12 or 16 bytes, SBC-4 WRITE AND VERIFY (10) command."""
    return _transfer(_WRITE_AND_VERIFY, lba, blocks, width, bytchk << 1)


def write_same(lba: int, blocks: int, *, width: int = 16, flags: int = 0) -> bytes:
    """WRITE SAME of 10 or 16 bytes; *flags* is byte 1 (ANCHOR 10h, UNMAP 08h, NDOB 01h)."""
    return _transfer(_WRITE_SAME, lba, blocks, width, flags)


def compare_and_write(lba: int, blocks: int, *, flags: int = 0) -> bytes:
    """COMPARE AND WRITE, SBC-4 COMPARE AND WRITE command; *blocks* is one byte."""
    return bytes((Opcode.COMPARE_AND_WRITE, flags, *lba.to_bytes(8), 0, 0, 0, blocks, 0, 0))


def unmap(list_length: int, *, anchor: bool = False) -> bytes:
    """UNMAP with a parameter list of that many bytes, SBC-4 UNMAP command."""
    return bytes((Opcode.UNMAP, anchor, 0, 0, 0, 0, 0, *list_length.to_bytes(2), 0))


def start_stop_unit(*, start: bool = True, immediate: bool = False) -> bytes:
    """START STOP UNIT, SBC-4 START STOP UNIT command."""
    return bytes((Opcode.START_STOP_UNIT, immediate, 0, 0, start, 0))


def mode_select_6(list_length: int) -> bytes:
    """MODE SELECT(6) of pages (PF 1) that are not saved, SPC-4 MODE SELECT(6) command."""
    return bytes((Opcode.MODE_SELECT_6, 0x10, 0, 0, list_length, 0))


def mode_select_10(list_length: int) -> bytes:
    """MODE SELECT(10) of pages (PF 1) that are not saved, SPC-4 MODE SELECT(10) command."""
    return bytes((Opcode.MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, *list_length.to_bytes(2), 0))


def set_target_port_groups(list_length: int) -> bytes:
    """SET TARGET PORT GROUPS, SPC-4 SET TARGET PORT GROUPS command."""
    length = list_length.to_bytes(4)
    return bytes((Opcode.MAINTENANCE_OUT, TARGET_PORT_GROUPS_ACTION, 0, 0, 0, 0, *length, 0, 0))


def report_supported_operation_codes(
    option: int = 0, opcode: int = 0, action: int = 0, *, allocation_length: int = 8192
) -> bytes:
    """REPORT SUPPORTED OPERATION CODES; *option* 0 all, 1 one, 2 one with action, 3 either."""
    head = (Opcode.MAINTENANCE_IN, SUPPORTED_OPERATION_CODES_ACTION, option, opcode)
    return bytes((*head, *action.to_bytes(2), *allocation_length.to_bytes(4), 0, 0))


def _transfer(
    opcodes: Mapping[int, Opcode], lba: int, blocks: int, width: int, flags: int
) -> bytes:
    if width not in opcodes:
        raise ValueError(f"CDB of {width} bytes; expected {_either(opcodes)}")
    if width == 6:
        return transfer_6(opcodes[6], lba, blocks)
    shape = {10: transfer_10, 12: transfer_12, 16: transfer_16}[width]
    return shape(opcodes[width], lba, blocks, flags=flags)


def _either(widths: Mapping[int, Opcode]) -> str:
    *first, last = sorted(widths)
    return f"{', '.join(str(width) for width in first)} or {last}"
