"""WRITE SAME writes one block many times, or zeros, within its limits."""

import pytest

from certify import cdb
from certify.conformance.examiner import DATA_IN_BYTES, Examiner, Pattern, Window
from certify.conformance.expectation import GOOD, INVALID_FIELD, INVALID_OPCODE, LBA_OUT_OF_RANGE
from certify.conformance.offers import OPTIONAL
from certify.inquiry import (
    BlockLimits,
    Page,
    Provisioning,
    decode_block_limits,
    decode_provisioning,
)

FAMILY = "WRITE SAME"
CLAUSE = "SBC-4 WRITE SAME (10) command, WRITE SAME (16) command"
WIDTHS = (10, 16)
BLOCKS = 16
NDOB, UNMAP, ANCHOR = 0x01, 0x08, 0x10
NOT_PROVISIONED = Provisioning(
    unmap=False, write_same_16=False, write_same_10=False, reads_zeros=False, anchors=False
)


@pytest.mark.parametrize("width", WIDTHS)
def test_one_block_is_written_many_times(
    examiner: Examiner, window: Window, pattern: Pattern, width: int
) -> None:
    """Every named block gets the data, no other does. Method: 16 of 20 blocks."""
    if not _offered(examiner, window, width):
        return
    size = examiner.path.block_bytes
    before, block = pattern(BLOCKS + 4, size), pattern(1, size)[::-1]
    examiner.write(window.lba, before)
    examiner.expect(
        f"WRITE SAME({width}) of {BLOCKS} blocks",
        cdb.write_same(window.lba + 2, BLOCKS, width=width),
        clause=CLAUSE,
        data_out=block,
    )
    wanted = before[: 2 * size] + block * BLOCKS + before[-2 * size :]
    _reads(examiner, window.lba, wanted, f"WRITE SAME({width}): data and neighbours")


@pytest.mark.parametrize("width", WIDTHS)
def test_unmapped_blocks_read_as_promised(
    examiner: Examiner, window: Window, pattern: Pattern, width: int
) -> None:
    """UNMAP writes or unmaps the data. Method: zeros with the UNMAP bit, then read."""
    provisioning = _provisioning(examiner)
    name = f"WRITE SAME({width}) with UNMAP"
    supported = provisioning.write_same_16 if width == 16 else provisioning.write_same_10
    if not _offered(examiner, window, width):
        return
    size = examiner.path.block_bytes
    examiner.write(window.lba, pattern(BLOCKS + 4, size))
    command = cdb.write_same(window.lba + 2, BLOCKS, width=width, flags=UNMAP)
    if not supported:
        examiner.expect(name, command, INVALID_FIELD, clause=CLAUSE, data_out=bytes(size))
        return
    examiner.expect(name, command, clause=CLAUSE, data_out=bytes(size))
    before = pattern(BLOCKS + 4, size)
    wanted = before[: 2 * size] + bytes(size * BLOCKS) + before[-2 * size :]
    _reads(examiner, window.lba, wanted, f"{name}: zeros, and neighbours as before")


def test_without_data_zeros_are_written(
    examiner: Examiner, window: Window, pattern: Pattern
) -> None:
    """NDOB of WRITE SAME(16) writes zeros. Method: no data-out, then read."""
    name = "WRITE SAME(16) with NDOB"
    if not _offered(examiner, window, 16):
        return
    size = examiner.path.block_bytes
    examiner.write(window.lba, pattern(BLOCKS + 1, size))
    command = cdb.write_same(window.lba, BLOCKS, flags=NDOB)
    if INVALID_FIELD.met_by(examiner.send(command)):
        examiner.not_run(
            name, clause=CLAUSE, expected=str(GOOD), reason="the device refuses NDOB, as SBC-3 may"
        )
        return
    examiner.expect(name, command, clause=CLAUSE)
    wanted = bytes(size * BLOCKS) + pattern(BLOCKS + 1, size)[-size:]
    _reads(examiner, window.lba, wanted, f"{name}: zeros, and the neighbour as before")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_bounds_are_known(examiner: Examiner, window: Window, width: int) -> None:
    """Nothing is written past the end. Method: past it and across it."""
    if not _offered(examiner, window, width):
        return
    block = bytes(examiner.path.block_bytes)
    for name, lba, blocks in (
        ("past the end", examiner.path.blocks, 1),
        ("across the end", examiner.path.last_lba, 2),
    ):
        examiner.expect(
            f"WRITE SAME({width}) {name}",
            cdb.write_same(lba, blocks, width=width),
            LBA_OUT_OF_RANGE,
            clause=CLAUSE,
            data_out=block,
        )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_limits_of_page_b0_hold(examiner: Examiner, window: Window, width: int) -> None:
    """WSNZ and MAXIMUM WRITE SAME LENGTH are what is done. Method: 0 blocks, one too many."""
    limits = _limits(examiner)
    if not _offered(examiner, window, width):
        return
    block = bytes(examiner.path.block_bytes)
    if limits.write_same_nonzero:
        examiner.expect(
            f"WRITE SAME({width}) of 0 blocks with WSNZ 1",
            cdb.write_same(window.lba, 0, width=width),
            INVALID_FIELD,
            clause="SBC-4 Block Limits VPD page",
            data_out=block,
        )
    blocks = limits.write_same_most + 1
    name = f"WRITE SAME({width}) of more than the limit"
    if limits.write_same_most == 0 or blocks >= 1 << (16 if width == 10 else 32):
        examiner.not_run(
            name, clause=CLAUSE, expected=str(INVALID_FIELD), reason="page B0h sets no such limit"
        )
        return
    if blocks > examiner.path.blocks:
        examiner.not_run(
            name,
            clause=CLAUSE,
            expected=str(INVALID_FIELD),
            reason=f"the limit of {limits.write_same_most} blocks is not below the unit's size",
        )
        return
    examiner.expect(
        name,
        cdb.write_same(0, blocks, width=width),
        INVALID_FIELD,
        clause="SBC-4 Block Limits VPD page",
        data_out=block,
    )


def test_an_anchor_without_anchors_is_refused(examiner: Examiner, window: Window) -> None:
    """ANCHOR needs ANC_SUP. Method: ANCHOR and UNMAP both set."""
    name = "WRITE SAME(16) with ANCHOR"
    if not _offered(examiner, window, 16):
        return
    if _provisioning(examiner).anchors:
        examiner.not_run(
            name, clause=CLAUSE, expected=str(INVALID_FIELD), reason="the device has anchors"
        )
        return
    examiner.expect(
        name,
        cdb.write_same(window.lba, 1, flags=ANCHOR | UNMAP),
        INVALID_FIELD,
        clause=CLAUSE,
        data_out=bytes(examiner.path.block_bytes),
    )


def _offered(examiner: Examiner, window: Window, width: int) -> bool:
    """Tell whether the device knows WRITE SAME of this width, by one block of the window."""
    command = cdb.write_same(window.lba, 1, width=width)
    answer = examiner.send(command, data_out=bytes(examiner.path.block_bytes))
    if not INVALID_OPCODE.met_by(answer):
        return True
    examiner.not_run(f"WRITE SAME({width})", clause=CLAUSE, expected=str(GOOD), reason=OPTIONAL)
    return False


def _limits(examiner: Examiner) -> BlockLimits:
    if not examiner.supports(Page.BLOCK_LIMITS):
        return decode_block_limits(bytes((0, Page.BLOCK_LIMITS, 0, 0)))
    return decode_block_limits(examiner.page(Page.BLOCK_LIMITS))


def _provisioning(examiner: Examiner) -> Provisioning:
    if not examiner.supports(Page.LOGICAL_BLOCK_PROVISIONING):
        return NOT_PROVISIONED
    command = cdb.inquiry(DATA_IN_BYTES, page=Page.LOGICAL_BLOCK_PROVISIONING)
    return decode_provisioning(examiner.send(command, data_in_length=DATA_IN_BYTES).data)


def _reads(examiner: Examiner, lba: int, wanted: bytes, name: str) -> None:
    size = examiner.path.block_bytes
    seen = examiner.read(lba, len(wanted) // size)
    wrong = [
        at for at in range(0, len(wanted), size) if seen[at : at + size] != wanted[at : at + size]
    ]
    examiner.claim(
        name,
        not wrong,
        clause=CLAUSE,
        expected=f"{len(wanted) // size} blocks as written",
        observed=f"block {wrong[0] // size} is other" if wrong else "all as written",
    )
