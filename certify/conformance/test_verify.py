"""VERIFY and WRITE AND VERIFY compare what they are told to, and tell what differs."""

import pytest

from certify import cdb
from certify.conformance.examiner import Examiner, Pattern, Window
from certify.conformance.expectation import (
    GOOD,
    INVALID_FIELD,
    LBA_OUT_OF_RANGE,
    MISCOMPARE,
    Expectation,
)
from certify.conformance.offers import offers

FAMILY = "VERIFY"
WIDTHS = (10, 12, 16)
CLAUSE = "SBC-4 VERIFY (10) command"
CLAUSE_WRITE = "SBC-4 WRITE AND VERIFY (10) command"
BLOCKS = 4


@pytest.mark.parametrize("width", WIDTHS)
def test_the_medium_is_verified_without_data(
    examiner: Examiner, window: Window, pattern: Pattern, width: int
) -> None:
    """BYTCHK 0 reads and compares nothing. Method: written blocks, zero blocks, past the end."""
    if not offers(examiner, f"VERIFY({width})", clause=CLAUSE):
        return
    examiner.write(window.lba, pattern(BLOCKS, examiner.path.block_bytes))
    for name, lba, blocks, expected in (
        ("of written blocks", window.lba, BLOCKS, GOOD),
        ("of 0 blocks", window.lba, 0, GOOD),
        ("past the end", examiner.path.blocks, 1, LBA_OUT_OF_RANGE),
        ("across the end", examiner.path.last_lba, 2, LBA_OUT_OF_RANGE),
    ):
        command = cdb.verify(lba, blocks, width=width)
        examiner.expect(f"VERIFY({width}) {name}", command, expected, clause=CLAUSE)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("where", [0, 1, BLOCKS - 1], ids=lambda where: f"block{where}")
def test_data_is_compared(
    examiner: Examiner, window: Window, pattern: Pattern, width: int, where: int
) -> None:
    """BYTCHK 01b compares byte by byte. Method: the same data, then one bit of one block other."""
    if not offers(examiner, f"VERIFY({width})", clause=CLAUSE):
        return
    data = pattern(BLOCKS, examiner.path.block_bytes)
    other = _changed(data, where * examiner.path.block_bytes + 17)
    examiner.write(window.lba, data)
    command = cdb.verify(window.lba, BLOCKS, width=width, bytchk=1)
    name = f"VERIFY({width}) BYTCHK 1"
    examiner.expect(f"{name}: equal", command, GOOD, clause=CLAUSE, data_out=data)
    examiner.expect(
        f"{name}: other in block {where}", command, MISCOMPARE, clause=CLAUSE, data_out=other
    )
    _unchanged(examiner, window.lba, data, f"{name}: the medium is not written", CLAUSE)


@pytest.mark.parametrize("width", WIDTHS)
def test_one_block_is_compared_with_all(
    examiner: Examiner, window: Window, pattern: Pattern, width: int
) -> None:
    """BYTCHK 11b compares every block with the one that is sent. Method: alike, then not."""
    if not offers(examiner, f"VERIFY({width})", clause=CLAUSE):
        return
    block = pattern(1, examiner.path.block_bytes)
    command = cdb.verify(window.lba, BLOCKS, width=width, bytchk=3)
    name = f"VERIFY({width}) BYTCHK 3"
    examiner.write(window.lba, block * BLOCKS)
    if _not_supported(examiner, name, command, block):
        return
    examiner.expect(f"{name}: all alike", command, GOOD, clause=CLAUSE, data_out=block)
    examiner.write(window.lba + BLOCKS - 1, _changed(block, 5))
    examiner.expect(f"{name}: the last other", command, MISCOMPARE, clause=CLAUSE, data_out=block)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_reserved_comparison_is_refused(examiner: Examiner, window: Window, width: int) -> None:
    """BYTCHK 10b is reserved. Method: VERIFY and WRITE AND VERIFY with it."""
    block = bytes(examiner.path.block_bytes)
    for name, command in (
        ("VERIFY", cdb.verify(window.lba, 1, width=width, bytchk=2)),
        ("WRITE AND VERIFY", cdb.write_and_verify(window.lba, 1, width=width, bytchk=2)),
    ):
        if offers(examiner, f"{name}({width})", clause=CLAUSE):
            examiner.expect(
                f"{name}({width}) BYTCHK 2", command, INVALID_FIELD, clause=CLAUSE, data_out=block
            )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("bytchk", [0, 1])
def test_what_is_written_and_verified_is_there(
    examiner: Examiner, window: Window, pattern: Pattern, width: int, bytchk: int
) -> None:
    """WRITE AND VERIFY writes. Method: two of four blocks, then all are read."""
    name = f"WRITE AND VERIFY({width})"
    if not offers(examiner, name, clause=CLAUSE_WRITE):
        return
    size = examiner.path.block_bytes
    before = pattern(BLOCKS, size)
    inner = bytes(byte ^ 0xFF for byte in before[size : 3 * size])
    examiner.write(window.lba, before)
    examiner.expect(
        f"{name} BYTCHK {bytchk}",
        cdb.write_and_verify(window.lba + 1, 2, width=width, bytchk=bytchk),
        clause=CLAUSE_WRITE,
        data_out=inner,
    )
    wanted = before[:size] + inner + before[3 * size :]
    _unchanged(
        examiner, window.lba, wanted, f"{name} BYTCHK {bytchk}: data and neighbours", CLAUSE_WRITE
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_writing_and_verifying_knows_the_bounds(examiner: Examiner, width: int) -> None:
    """WRITE AND VERIFY past the end is refused, of 0 blocks it is GOOD. Method: three CDBs."""
    name = f"WRITE AND VERIFY({width})"
    if not offers(examiner, name, clause=CLAUSE_WRITE):
        return
    size = examiner.path.block_bytes
    cases: tuple[tuple[str, int, int, Expectation], ...] = (
        ("of 0 blocks", 0, 0, GOOD),
        ("past the end", examiner.path.blocks, 1, LBA_OUT_OF_RANGE),
        ("across the end", examiner.path.last_lba, 2, LBA_OUT_OF_RANGE),
    )
    for words, lba, blocks, expected in cases:
        command = cdb.write_and_verify(lba, blocks, width=width)
        data = bytes(blocks * size) if blocks else None
        examiner.expect(f"{name} {words}", command, expected, clause=CLAUSE_WRITE, data_out=data)


def _changed(data: bytes, at: int) -> bytes:
    """Return *data* with one bit of byte *at* turned."""
    return data[:at] + bytes((data[at] ^ 0x01,)) + data[at + 1 :]


def _not_supported(examiner: Examiner, name: str, command: bytes, block: bytes) -> bool:
    """Tell whether BYTCHK 11b is refused as a field; record that it is."""
    if not INVALID_FIELD.met_by(examiner.send(command, data_out=block)):
        return False
    examiner.not_run(
        name,
        clause=CLAUSE,
        expected=str(GOOD),
        reason="the device refuses BYTCHK 11b with INVALID FIELD IN CDB: it does not support it",
    )
    return True


def _unchanged(examiner: Examiner, lba: int, data: bytes, name: str, clause: str) -> None:
    seen = examiner.read(lba, len(data) // examiner.path.block_bytes)
    examiner.claim(
        name,
        seen == data,
        clause=clause,
        expected=data[:16].hex(" "),
        observed=f"{seen[:16].hex(' ')}, {'equal' if seen == data else 'other'} throughout",
    )
