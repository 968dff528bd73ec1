"""UNMAP unmaps what its list names, and refuses lists that are too short, too long or too far."""

import pytest

from certify import cdb
from certify.conformance.examiner import Examiner, Pattern, Window
from certify.conformance.expectation import (
    GOOD,
    INVALID_FIELD,
    INVALID_PARAMETER,
    LBA_OUT_OF_RANGE,
    LIST_LENGTH_ERROR,
)
from certify.conformance.offers import offers
from certify.inquiry import Page, decode_block_limits, decode_provisioning

FAMILY = "UNMAP"
CLAUSE = "SBC-4 UNMAP command"
CLAUSE_LIMITS = "SBC-4 Block Limits VPD page"
BLOCKS = 8
Extent = tuple[int, int]
"""The first block and how many."""


def unmap_list(*extents: Extent) -> bytes:
    """Return the parameter list of UNMAP."""
    body = b"".join(lba.to_bytes(8) + blocks.to_bytes(4) + bytes(4) for lba, blocks in extents)
    return (6 + len(body)).to_bytes(2) + len(body).to_bytes(2) + bytes(4) + body


def test_unmapped_blocks_read_as_zeros(
    examiner: Examiner, window: Window, pattern: Pattern
) -> None:
    """With LBPRZ unmapped blocks read as zeros, others are as before. Method: 8 of 12 blocks."""
    if not offers(examiner, "UNMAP", clause=CLAUSE):
        return
    size = examiner.path.block_bytes
    before = pattern(BLOCKS + 4, size)
    examiner.write(window.lba, before)
    data = unmap_list((window.lba + 2, BLOCKS))
    examiner.expect("UNMAP of 8 blocks", cdb.unmap(len(data)), clause=CLAUSE, data_out=data)
    seen = examiner.read(window.lba, BLOCKS + 4)
    examiner.claim(
        "neighbours of unmapped blocks",
        seen[: 2 * size] + seen[-2 * size :] == before[: 2 * size] + before[-2 * size :],
        clause=CLAUSE,
        expected="as before",
        observed=seen[: 2 * size][:16].hex(" "),
    )
    name = "unmapped blocks read as zeros"
    page = examiner.page(Page.LOGICAL_BLOCK_PROVISIONING)
    if not decode_provisioning(page).reads_zeros:
        examiner.not_run(name, clause=CLAUSE, expected="zeros", reason="LBPRZ is 0 in page B2h")
        return
    inner = seen[2 * size : -2 * size]
    examiner.claim(
        name, not any(inner), clause=CLAUSE, expected="zeros", observed=inner[:16].hex(" ")
    )


@pytest.mark.parametrize(
    "case", ["no list", "no descriptor", "no blocks"], ids=lambda case: case.replace(" ", "-")
)
def test_nothing_to_unmap_is_no_error(
    examiner: Examiner, window: Window, pattern: Pattern, case: str
) -> None:
    """An empty list, or a descriptor of 0 blocks, is GOOD. Method: and the data stays."""
    if not offers(examiner, "UNMAP", clause=CLAUSE):
        return
    data = {"no list": b"", "no descriptor": unmap_list(), "no blocks": unmap_list((0, 0))}[case]
    before = pattern(1, examiner.path.block_bytes)
    examiner.write(window.lba, before)
    command = cdb.unmap(len(data))
    examiner.expect(f"UNMAP: {case}", command, clause=CLAUSE, data_out=data or None)
    seen = examiner.read(window.lba, 1)
    examiner.claim(
        f"UNMAP: {case}: data stays",
        seen == before,
        clause=CLAUSE,
        expected=before[:16].hex(" "),
        observed=seen[:16].hex(" "),
    )


@pytest.mark.parametrize("length", [1, 4, 7])
def test_a_list_without_a_whole_header_is_refused(examiner: Examiner, length: int) -> None:
    """PARAMETER LIST LENGTH below 8 is a length error. Method: 1, 4, 7 bytes."""
    if not offers(examiner, "UNMAP", clause=CLAUSE):
        return
    examiner.expect(
        f"UNMAP with a list of {length} bytes",
        cdb.unmap(length),
        LIST_LENGTH_ERROR,
        clause=CLAUSE,
        data_out=unmap_list((0, 1))[:length],
    )


def test_the_bounds_are_known(examiner: Examiner) -> None:
    """Nothing past the end is unmapped. Method: past it and across it."""
    if not offers(examiner, "UNMAP", clause=CLAUSE):
        return
    for name, extent in (
        ("past the end", (examiner.path.blocks, 1)),
        ("across the end", (examiner.path.last_lba, 2)),
        ("at the highest address", ((1 << 64) - 1, 1)),
    ):
        data = unmap_list(extent)
        examiner.expect(
            f"UNMAP {name}", cdb.unmap(len(data)), LBA_OUT_OF_RANGE, clause=CLAUSE, data_out=data
        )


def test_the_limits_of_page_b0_hold(examiner: Examiner, window: Window) -> None:
    """The largest UNMAP is what page B0h says. Method: one descriptor, one block too many."""
    if not offers(examiner, "UNMAP", clause=CLAUSE):
        return
    limits = decode_block_limits(examiner.page(Page.BLOCK_LIMITS))
    most = limits.unmap_descriptors_most
    examiner.claim(
        "page B0h tells that UNMAP is there",
        limits.unmap_blocks_most > 0 and most > 0,
        clause=CLAUSE_LIMITS,
        expected="MAXIMUM UNMAP LBA COUNT and BLOCK DESCRIPTOR COUNT not 0",
        observed=f"{limits.unmap_blocks_most} blocks, {most} descriptors",
    )
    if most < (0x10000 - 8) // 16:
        data = unmap_list(*((window.lba, 0),) * (most + 1))
        examiner.expect(
            f"UNMAP with {most + 1} descriptors",
            cdb.unmap(len(data)),
            INVALID_PARAMETER,
            clause=CLAUSE_LIMITS,
            data_out=data,
        )
    if limits.unmap_blocks_most < examiner.path.blocks:
        data = unmap_list((0, limits.unmap_blocks_most + 1))
        examiner.expect(
            f"UNMAP of {limits.unmap_blocks_most + 1} blocks",
            cdb.unmap(len(data)),
            INVALID_PARAMETER,
            clause=CLAUSE_LIMITS,
            data_out=data,
        )


def test_an_incomplete_descriptor_unmaps_nothing(
    examiner: Examiner, window: Window, pattern: Pattern
) -> None:
    """Half a descriptor is ignored or refused. Method: 8 bytes of one; the data stays."""
    if not offers(examiner, "UNMAP", clause=CLAUSE):
        return
    before = pattern(1, examiner.path.block_bytes)
    examiner.write(window.lba, before)
    data = (14).to_bytes(2) + (8).to_bytes(2) + bytes(4) + window.lba.to_bytes(8)
    answer = examiner.send(cdb.unmap(len(data)), data_out=data)
    seen = examiner.read(window.lba, 1)
    examiner.claim(
        "UNMAP with half a descriptor",
        seen == before and (GOOD.met_by(answer) or LIST_LENGTH_ERROR.met_by(answer)),
        clause=CLAUSE,
        expected=f"{GOOD} or {LIST_LENGTH_ERROR}, and the data stays",
        observed=f"{answer}, data {'as before' if seen == before else 'gone'}",
        after=answer,
    )


def test_an_anchor_without_anchors_is_refused(examiner: Examiner, window: Window) -> None:
    """ANCHOR needs ANC_SUP. Method: ANCHOR set."""
    if not offers(examiner, "UNMAP", clause=CLAUSE):
        return
    if decode_provisioning(examiner.page(Page.LOGICAL_BLOCK_PROVISIONING)).anchors:
        examiner.not_run(
            "UNMAP with ANCHOR",
            clause=CLAUSE,
            expected=str(INVALID_FIELD),
            reason="the device has anchors",
        )
        return
    data = unmap_list((window.lba, 1))
    examiner.expect(
        "UNMAP with ANCHOR",
        cdb.unmap(len(data), anchor=True),
        INVALID_FIELD,
        clause=CLAUSE,
        data_out=data,
    )
