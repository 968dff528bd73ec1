"""COMPARE AND WRITE is one step: it writes only what was compared equal, whoever else tries."""

import threading

import pytest

from certify import cdb
from certify.conformance.examiner import Examiner, Pattern, Window
from certify.conformance.expectation import GOOD, INVALID_FIELD, LBA_OUT_OF_RANGE, MISCOMPARE
from certify.conformance.offers import offers
from certify.inquiry import Page, decode_block_limits

FAMILY = "COMPARE AND WRITE"
CLAUSE = "SBC-4 COMPARE AND WRITE command"
ROUNDS = 16


@pytest.mark.parametrize("blocks", [1, 4])
def test_equal_blocks_are_written(
    examiner: Examiner, window: Window, pattern: Pattern, blocks: int
) -> None:
    """What compares equal is written. Method: compare with what is there, then read."""
    if not _offered(examiner, blocks):
        return
    old = pattern(blocks, examiner.path.block_bytes)
    new = _turned(old)
    examiner.write(window.lba, old)
    examiner.expect(
        f"COMPARE AND WRITE of {blocks} equal blocks",
        cdb.compare_and_write(window.lba, blocks),
        clause=CLAUSE,
        data_out=old + new,
    )
    _reads(examiner, window.lba, new, f"COMPARE AND WRITE of {blocks} blocks: data is written")


@pytest.mark.parametrize("place", [0, 300, 511], ids=lambda place: f"byte{place}")
@pytest.mark.parametrize("blocks", [1, 4])
def test_other_blocks_are_not_written(
    examiner: Examiner, window: Window, pattern: Pattern, blocks: int, place: int
) -> None:
    """A miscompare writes nothing and says where. Method: one byte of the last block other."""
    if not _offered(examiner, blocks):
        return
    size = examiner.path.block_bytes
    old = pattern(blocks, size)
    at = (blocks - 1) * size + place
    compared = old[:at] + bytes((old[at] ^ 0xFF,)) + old[at + 1 :]
    examiner.write(window.lba, old)
    name = f"COMPARE AND WRITE of {blocks} blocks, other at byte {at}"
    got = examiner.expect(
        name,
        cdb.compare_and_write(window.lba, blocks),
        MISCOMPARE,
        clause=CLAUSE,
        data_out=compared + _turned(old),
    )
    information = got.sense.information if got.sense else None
    examiner.claim(
        f"{name}: INFORMATION",
        information == at,
        clause=CLAUSE,
        expected=f"{at}, the offset of the first byte that differs, with VALID 1",
        observed="not valid" if information is None else f"{information}",
        after=got,
    )
    _reads(examiner, window.lba, old, f"{name}: nothing is written")


def test_zero_blocks_are_no_error(examiner: Examiner, window: Window) -> None:
    """NUMBER OF LOGICAL BLOCKS 0 compares and writes nothing. Method: no data-out."""
    if _offered(examiner, 1):
        command = cdb.compare_and_write(window.lba, 0)
        examiner.expect("COMPARE AND WRITE of 0 blocks", command, clause=CLAUSE)


def test_the_limit_of_page_b0_holds(examiner: Examiner, window: Window) -> None:
    """MAXIMUM COMPARE AND WRITE LENGTH is what is done. Method: one block more."""
    if not _offered(examiner, 1):
        return
    most = decode_block_limits(examiner.page(Page.BLOCK_LIMITS)).compare_and_write_most
    examiner.claim(
        "page B0h tells that COMPARE AND WRITE is there",
        most > 0,
        clause="SBC-4 Block Limits VPD page",
        expected="MAXIMUM COMPARE AND WRITE LENGTH not 0",
        observed=f"{most}",
    )
    if most == 0xFF:
        return  # its CDB cannot say more
    examiner.expect(
        f"COMPARE AND WRITE of {most + 1} blocks",
        cdb.compare_and_write(window.lba, most + 1),
        INVALID_FIELD,
        clause=CLAUSE,
        data_out=bytes(2 * (most + 1) * examiner.path.block_bytes),
    )


def test_the_bounds_are_known(examiner: Examiner) -> None:
    """Nothing is compared past the end. Method: past it and across it."""
    if not _offered(examiner, 2):
        return
    size = examiner.path.block_bytes
    for name, lba, blocks in (
        ("past the end", examiner.path.blocks, 1),
        ("across the end", examiner.path.last_lba, 2),
    ):
        examiner.expect(
            f"COMPARE AND WRITE {name}",
            cdb.compare_and_write(lba, blocks),
            LBA_OUT_OF_RANGE,
            clause=CLAUSE,
            data_out=bytes(2 * blocks * size),
        )


def test_what_another_engine_wrote_is_compared(
    writer: Examiner, reader: Examiner, window: Window, pattern: Pattern
) -> None:
    """The comparison sees every path's writes. Method: old and new data through the other."""
    if not _offered(reader, 1):
        return
    old = pattern(1, writer.path.block_bytes)
    new, last = _turned(old), old[::-1]
    writer.write(window.lba, old)
    reader.read(window.lba, 1)
    writer.write(window.lba, new)
    command = cdb.compare_and_write(window.lba, 1)
    name = f"COMPARE AND WRITE after {writer.path.name} wrote"
    reader.expect(
        f"{name}: with the data before", command, MISCOMPARE, clause=CLAUSE, data_out=old + last
    )
    reader.expect(f"{name}: with its data", command, GOOD, clause=CLAUSE, data_out=new + last)
    _reads(writer, window.lba, last, f"COMPARE AND WRITE of {reader.path.name} is read back")


def test_one_of_two_engines_wins(
    writer: Examiner, reader: Examiner, window: Window, pattern: Pattern
) -> None:
    """Two at once from one value: one is GOOD, the other a miscompare. Method: 16 rounds."""
    if not (_offered(writer, 1) and _offered(reader, 1)):
        return
    size = writer.path.block_bytes
    values = pattern(1 + 2 * ROUNDS, size)
    writer.write(window.lba, values[:size])
    seen = values[:size]
    wrong: list[str] = []
    for number in range(ROUNDS):
        offers_made = [
            values[(1 + 2 * number + side) * size : (2 + 2 * number + side) * size]
            for side in (0, 1)
        ]
        ends = _race(writer, reader, window.lba, seen, offers_made)
        after = writer.read(window.lba, 1)
        winners = [side for side in (0, 1) if ends[side] == "GOOD"]
        lost = [side for side in (0, 1) if ends[side] == "MISCOMPARE"]
        fair = len(winners) == len(lost) == 1 and after == offers_made[winners[0]]
        if not fair:
            wrong.append(f"round {number}: {ends[0]}, {ends[1]}")
        seen = after
    reader.claim(
        f"COMPARE AND WRITE at once with {writer.path.name}",
        not wrong,
        clause=CLAUSE,
        expected=f"{ROUNDS} rounds with one GOOD, one MISCOMPARE, and the winner's data",
        observed=wrong[0] if wrong else f"{ROUNDS} such rounds",
    )


def _race(
    one: Examiner, other: Examiner, lba: int, compared: bytes, offered: list[bytes]
) -> list[str]:
    """Let both compare and write at once; return "GOOD", "MISCOMPARE" or another end of each."""
    ends = ["", ""]
    start = threading.Barrier(2, timeout=5.0)

    def run(side: int, examiner: Examiner) -> None:
        start.wait()
        got = examiner.send(cdb.compare_and_write(lba, 1), data_out=compared + offered[side])
        ends[side] = "MISCOMPARE" if MISCOMPARE.met_by(got) else str(got)

    threads = [
        threading.Thread(target=run, args=(side, examiner))
        for side, examiner in enumerate((one, other))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def _offered(examiner: Examiner, blocks: int) -> bool:
    """Tell whether the device does COMPARE AND WRITE of so many blocks; record if not."""
    if not offers(examiner, "COMPARE AND WRITE", clause=CLAUSE):
        return False
    if not examiner.supports(Page.BLOCK_LIMITS):
        return True
    most = decode_block_limits(examiner.page(Page.BLOCK_LIMITS)).compare_and_write_most
    if most >= blocks:
        return True
    examiner.not_run(
        f"COMPARE AND WRITE of {blocks} blocks",
        clause=CLAUSE,
        expected=str(GOOD),
        reason=f"page B0h allows {most} blocks",
    )
    return False


def _turned(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


def _reads(examiner: Examiner, lba: int, wanted: bytes, name: str) -> None:
    seen = examiner.read(lba, len(wanted) // examiner.path.block_bytes)
    examiner.claim(
        name,
        seen == wanted,
        clause=CLAUSE,
        expected=wanted[:16].hex(" "),
        observed=f"{seen[:16].hex(' ')}, {'equal' if seen == wanted else 'other'} throughout",
    )
