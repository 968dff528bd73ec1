"""READ and WRITE of every CDB width move the blocks they name and no others."""

import zlib

import pytest

from certify import cdb
from certify.conformance.examiner import Examiner, Pattern, Window
from certify.conformance.expectation import GOOD, INVALID_FIELD

FAMILY = "READ and WRITE"
WIDTHS = (6, 10, 12, 16)
CLAUSE = "SBC-5 5.16 to 5.19, 5.40 to 5.43"
READ_6_BLOCKS_MAX = 256


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_written_is_read_by_every_width(
    examiner: Examiner, window: Window, pattern: Pattern, width: int
) -> None:
    """The CDB width does not matter to the data. Method: write by one width, read by all."""
    data = pattern(8, examiner.path.block_bytes)
    examiner.expect(
        f"WRITE({width}) of 8 blocks",
        cdb.write(window.lba, 8, width=width),
        clause=CLAUSE,
        data_out=data,
    )
    for other in WIDTHS:
        got = examiner.expect(
            f"READ({other}) of 8 blocks after WRITE({width})",
            cdb.read(window.lba, 8, width=other),
            clause=CLAUSE,
            data_in_length=len(data),
        )
        examiner.claim(
            f"data of READ({other}) after WRITE({width})",
            got.data == data,
            clause=CLAUSE,
            expected=_show(data),
            observed=_show(got.data),
            after=got,
        )


@pytest.mark.parametrize("width", WIDTHS)
def test_neighbours_are_left_alone(
    examiner: Examiner, window: Window, pattern: Pattern, width: int
) -> None:
    """A write of blocks 3 and 4 changes these two. Method: 8 blocks before and after."""
    size = examiner.path.block_bytes
    before = pattern(8, size)
    inner = bytes(byte ^ 0xFF for byte in before[3 * size : 5 * size])
    examiner.write(window.lba, before)
    examiner.expect(
        f"WRITE({width}) of 2 blocks",
        cdb.write(window.lba + 3, 2, width=width),
        clause=CLAUSE,
        data_out=inner,
    )
    wanted = before[: 3 * size] + inner + before[5 * size :]
    seen = examiner.read(window.lba, 8)
    examiner.claim(
        f"WRITE({width}) changes the blocks it names and no others",
        seen == wanted,
        clause=CLAUSE,
        expected=_show(wanted),
        observed=_show(seen),
    )


@pytest.mark.parametrize("width", [10, 12, 16])
def test_zero_blocks_is_no_error_and_no_data(
    examiner: Examiner, window: Window, pattern: Pattern, width: int
) -> None:
    """A transfer length of zero is GOOD and moves nothing. Method: write, then zero blocks."""
    data = pattern(1, examiner.path.block_bytes)
    examiner.write(window.lba, data)
    examiner.expect(
        f"READ({width}) of 0 blocks", cdb.read(window.lba, 0, width=width), clause=CLAUSE
    )
    examiner.expect(
        f"WRITE({width}) of 0 blocks", cdb.write(window.lba, 0, width=width), clause=CLAUSE
    )
    seen = examiner.read(window.lba, 1)
    examiner.claim(
        f"WRITE({width}) of 0 blocks changes nothing",
        seen == data,
        clause=CLAUSE,
        expected=_show(data),
        observed=_show(seen),
    )


def test_zero_in_a_6_byte_cdb_means_256_blocks(
    examiner: Examiner, window: Window, pattern: Pattern
) -> None:
    """READ(6) and WRITE(6) code 256 blocks as 0. Method: 256 blocks each way."""
    data = pattern(READ_6_BLOCKS_MAX, examiner.path.block_bytes)
    examiner.expect(
        "WRITE(6) of 256 blocks",
        cdb.write(window.lba, READ_6_BLOCKS_MAX, width=6),
        clause="SBC-5 5.40",
        data_out=data,
    )
    got = examiner.expect(
        "READ(6) of 256 blocks",
        cdb.read(window.lba, READ_6_BLOCKS_MAX, width=6),
        clause="SBC-5 5.16",
        data_in_length=len(data),
    )
    examiner.claim(
        "data of READ(6) of 256 blocks",
        got.data == data,
        clause="SBC-5 5.16",
        expected=_show(data),
        observed=_show(got.data),
        after=got,
    )


@pytest.mark.parametrize("flags", [cdb.DPO, cdb.FUA, cdb.DPO | cdb.FUA], ids=["dpo", "fua", "both"])
@pytest.mark.parametrize("width", [10, 12, 16])
def test_cache_bits_do_not_change_data(
    examiner: Examiner, window: Window, pattern: Pattern, width: int, flags: int
) -> None:
    """DPO and FUA are taken if DPOFUA says so, and move the same data. Method: both ways."""
    name = f"with {'DPO ' if flags & cdb.DPO else ''}{'FUA' if flags & cdb.FUA else ''}".strip()
    data = pattern(4, examiner.path.block_bytes)
    expected = GOOD if _takes_cache_bits(examiner) else INVALID_FIELD
    examiner.expect(
        f"WRITE({width}) {name}",
        cdb.write(window.lba, 4, width=width, flags=flags),
        expected,
        clause="SBC-4 Mode parameter header, DPOFUA",
        data_out=data,
    )
    got = examiner.expect(
        f"READ({width}) {name}",
        cdb.read(window.lba, 4, width=width, flags=flags),
        expected,
        clause="SBC-4 Mode parameter header, DPOFUA",
        data_in_length=len(data),
    )
    if expected is GOOD:
        examiner.claim(
            f"data of READ({width}) {name}",
            got.data == data,
            clause=CLAUSE,
            expected=_show(data),
            observed=_show(got.data),
            after=got,
        )


def test_a_flushed_write_is_there(examiner: Examiner, window: Window, pattern: Pattern) -> None:
    """Data survives SYNCHRONIZE CACHE of its range. Method: write, flush by 10 and 16, read."""
    data = pattern(4, examiner.path.block_bytes)
    examiner.write(window.lba, data)
    for width, command in (
        (10, cdb.synchronize_cache_10(window.lba, 4)),
        (16, cdb.synchronize_cache_16(window.lba, 4)),
    ):
        examiner.expect(f"SYNCHRONIZE CACHE({width})", command, clause="SBC-5 5.32, 5.33")
    seen = examiner.read(window.lba, 4)
    examiner.claim(
        "data after SYNCHRONIZE CACHE",
        seen == data,
        clause="SBC-5 5.32",
        expected=_show(data),
        observed=_show(seen),
    )


def test_the_whole_cache_can_be_flushed(examiner: Examiner) -> None:
    """Zero blocks from LBA 0 means everything. Method: both widths."""
    examiner.expect("SYNCHRONIZE CACHE(10) of all", cdb.synchronize_cache_10(), clause="SBC-5 5.32")
    examiner.expect("SYNCHRONIZE CACHE(16) of all", cdb.synchronize_cache_16(), clause="SBC-5 5.33")


def _show(data: bytes) -> str:
    """Return a length and a short digest: enough to see which data it was."""
    return f"{len(data)} bytes, first {data[:8].hex(' ')}, CRC {zlib.crc32(data):08x}"


def _takes_cache_bits(examiner: Examiner) -> bool:
    """Tell whether DPOFUA is set in the header of MODE SENSE(6) data."""
    got = examiner.send(cdb.mode_sense_6(), data_in_length=252)
    return got.is_good and bool(got.data[2] & 0x10)
