"""The last block can be used, the one after it cannot, and nothing is done by halves."""

import pytest

from certify import cdb
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import LBA_OUT_OF_RANGE

FAMILY = "Bounds"
CLAUSE = "SBC-5 4.5, 5.16 to 5.19, 5.40 to 5.43"
ADDRESS_BITS = {6: 21, 10: 32, 12: 32, 16: 64}
FILL = 0xA5
"""What the last block is filled with by all tests alike, so that they may run at once."""


def addressable(examiner: Examiner, lba: int, width: int) -> bool:
    """Tell whether a CDB of *width* bytes can name *lba*; record that it cannot."""
    if lba < 1 << ADDRESS_BITS[width]:
        return True
    examiner.not_run(
        f"LBA {lba} by a {width}-byte CDB",
        clause=CLAUSE,
        expected="",
        reason=f"the unit is larger than {ADDRESS_BITS[width]} bits of LBA can name",
    )
    return False


@pytest.mark.parametrize("width", [6, 10, 12, 16])
def test_the_last_block_can_be_written_and_read(examiner: Examiner, width: int) -> None:
    """The last LBA that READ CAPACITY tells is usable. Method: write it, read it."""
    last = examiner.path.last_lba
    if not addressable(examiner, last, width):
        return
    data = bytes([FILL]) * examiner.path.block_bytes
    examiner.expect(
        f"WRITE({width}) of the last block",
        cdb.write(last, 1, width=width),
        clause=CLAUSE,
        data_out=data,
    )
    got = examiner.expect(
        f"READ({width}) of the last block",
        cdb.read(last, 1, width=width),
        clause=CLAUSE,
        data_in_length=len(data),
    )
    examiner.claim(
        f"data of the last block by READ({width})",
        got.data == data,
        clause=CLAUSE,
        expected=f"{FILL:02x} throughout",
        observed=got.data[:16].hex(" "),
        after=got,
    )


@pytest.mark.parametrize("width", [6, 10, 12, 16])
@pytest.mark.parametrize(("offset", "blocks"), [(1, 1), (0, 2), (1000, 8)])
def test_beyond_the_last_block_is_refused(
    examiner: Examiner, width: int, offset: int, blocks: int
) -> None:
    """Reads and writes past the end are LBA out of range. Method: past it and across it."""
    lba = examiner.path.last_lba + offset
    if not addressable(examiner, lba, width):
        return
    length = blocks * examiner.path.block_bytes
    examiner.expect(
        f"READ({width}) of {blocks} from last+{offset}",
        cdb.read(lba, blocks, width=width),
        LBA_OUT_OF_RANGE,
        clause=CLAUSE,
        data_in_length=length,
    )
    examiner.expect(
        f"WRITE({width}) of {blocks} from last+{offset}",
        cdb.write(lba, blocks, width=width),
        LBA_OUT_OF_RANGE,
        clause=CLAUSE,
        data_out=bytes(length),
    )


@pytest.mark.parametrize("width", [10, 12, 16])
def test_the_highest_address_is_refused(examiner: Examiner, width: int) -> None:
    """No arithmetic wraps around. Method: READ of 8 blocks from the highest LBA of the CDB."""
    lba = (1 << ADDRESS_BITS[width]) - 1
    examiner.expect(
        f"READ({width}) from the highest address",
        cdb.read(lba, 8, width=width),
        LBA_OUT_OF_RANGE,
        clause=CLAUSE,
        data_in_length=8 * examiner.path.block_bytes,
    )


def test_a_write_across_the_end_writes_nothing(examiner: Examiner) -> None:
    """A refused write leaves the last block as it was. Method: other data across the end."""
    size = examiner.path.block_bytes
    other = bytes([FILL ^ 0xFF]) * size
    examiner.expect(
        "WRITE(10) across the end",
        cdb.write(examiner.path.last_lba, 2),
        LBA_OUT_OF_RANGE,
        clause=CLAUSE,
        data_out=2 * other,
    )
    seen = examiner.read(examiner.path.last_lba, 1)
    examiner.claim(
        "the last block is not written by a refused write",
        seen != other,
        clause=CLAUSE,
        expected=f"not {other[:4].hex(' ')}...",
        observed=seen[:16].hex(" "),
    )


@pytest.mark.parametrize("width", [10, 16])
def test_a_flush_beyond_the_end_is_refused(examiner: Examiner, width: int) -> None:
    """SYNCHRONIZE CACHE knows the bounds too. Method: one block past the last."""
    lba = examiner.path.blocks
    command = cdb.synchronize_cache_10(lba, 1) if width == 10 else cdb.synchronize_cache_16(lba, 1)
    examiner.expect(
        f"SYNCHRONIZE CACHE({width}) past the end",
        command,
        LBA_OUT_OF_RANGE,
        clause="SBC-5 5.32, 5.33",
    )
