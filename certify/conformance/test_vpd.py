"""Vital product data: listed pages exist, and they name one logical unit through every path."""

import pytest

from certify import cdb, sg
from certify.conformance.examiner import DATA_IN_BYTES, ConformancePath, Examiner
from certify.conformance.expectation import INVALID_FIELD
from certify.inquiry import (
    Association,
    DesignatorKind,
    Page,
    decode_designators,
    decode_serial,
    page_body,
    unit_wwids,
)

FAMILY = "VPD"
CLAUSE = "SPC-6 7.7"
BODY_BYTES = {
    Page.EXTENDED_INQUIRY: (0x3C,),
    Page.BLOCK_LIMITS: (0x3C, 0x10, 0x0C),
    Page.BLOCK_CHARACTERISTICS: (0x3C,),
}
"""Page lengths that SPC-6 7.7.7 and SBC-5 6.6 fix; block limits were shorter in SBC-2 and early
SBC-3, which a product may still claim (Linux's own target does).
"""
SAME_ON_ALL_PATHS = (
    Page.SERIAL,
    Page.EXTENDED_INQUIRY,
    Page.BLOCK_LIMITS,
    Page.BLOCK_CHARACTERISTICS,
    Page.LOGICAL_BLOCK_PROVISIONING,
)


def test_page_00_lists_the_pages_in_order(examiner: Examiner) -> None:
    """Page 00h is mandatory, ascending, and lists itself and 83h. Method: read page 00h."""
    got = examiner.expect(
        "page 00h",
        cdb.inquiry(DATA_IN_BYTES, page=Page.SUPPORTED),
        clause=CLAUSE,
        data_in_length=DATA_IN_BYTES,
    )
    pages = list(page_body(got.data, Page.SUPPORTED))
    examiner.claim(
        "pages are ascending and 00h and 83h are among them",
        pages == sorted(set(pages)) and {Page.SUPPORTED, Page.DESIGNATORS} <= set(pages),
        clause="SPC-6 7.7.18",
        expected="ascending, with 00h and 83h",
        observed=bytes(pages).hex(" "),
        after=got,
    )


def test_every_listed_page_can_be_read(examiner: Examiner) -> None:
    """A listed page is there and says its own code. Method: read each page of page 00h."""
    for page in page_body(examiner.page(Page.SUPPORTED), Page.SUPPORTED):
        got = examiner.expect(
            f"page {page:02x}h",
            cdb.inquiry(DATA_IN_BYTES, page=page),
            clause=CLAUSE,
            data_in_length=DATA_IN_BYTES,
        )
        examiner.claim(
            f"page {page:02x}h says its code and type",
            got.data[:2] == bytes((0, page)),
            clause=CLAUSE,
            expected=f"00 {page:02x}",
            observed=got.data[:2].hex(" "),
            after=got,
        )


def test_a_page_that_is_not_listed_is_refused(examiner: Examiner) -> None:
    """An unsupported page code is an invalid field. Method: the first code page 00h lacks."""
    listed = page_body(examiner.page(Page.SUPPORTED), Page.SUPPORTED)
    page = next(code for code in range(0x01, 0x100) if code not in listed)
    examiner.expect(
        f"unsupported page {page:02x}h",
        cdb.inquiry(DATA_IN_BYTES, page=page),
        INVALID_FIELD,
        clause="SPC-6 6.7.1",
        data_in_length=DATA_IN_BYTES,
    )


def test_allocation_length_cuts_a_page(examiner: Examiner) -> None:
    """A cut page still says its whole length. Method: page 83h in 4 bytes."""
    whole = examiner.page(Page.DESIGNATORS)
    got = examiner.expect(
        "page 83h cut to its header",
        cdb.inquiry(4, page=Page.DESIGNATORS),
        clause="SPC-6 4.2.5.6",
        data_in_length=4,
    )
    examiner.claim(
        "page length is not cut",
        got.data == whole[:4],
        clause="SPC-6 4.2.5.6",
        expected=whole[:4].hex(" "),
        observed=got.data.hex(" "),
        after=got,
    )


def test_the_serial_number_is_given(examiner: Examiner) -> None:
    """Page 80h holds a serial number that is not blank. Method: read page 80h if listed."""
    expected = "at least one character"
    if not examiner.supports(Page.SERIAL):
        examiner.not_run(
            "unit serial number",
            clause="SPC-6 7.7.19",
            expected=expected,
            reason="page 80h is optional and not listed in page 00h",
        )
        return
    serial = decode_serial(examiner.page(Page.SERIAL))
    examiner.claim(
        "unit serial number",
        serial != "",
        clause="SPC-6 7.7.19",
        expected=expected,
        observed=repr(serial),
    )


def test_page_83_names_the_unit_of_the_lab_file(examiner: Examiner) -> None:
    """A NAA designator is the WWID of the lab file. Method: read page 83h."""
    designators = decode_designators(examiner.page(Page.DESIGNATORS))
    naa = [
        one.wwid
        for one in designators
        if (one.association, one.kind) == (Association.LOGICAL_UNIT, DesignatorKind.NAA)
    ]
    examiner.claim(
        "NAA designator of the logical unit",
        examiner.path.wwid in naa,
        clause="SPC-6 7.7.6.6",
        expected=examiner.path.wwid,
        observed=", ".join(naa) or "none",
    )


def test_page_83_names_the_target_port(examiner: Examiner) -> None:
    """With ALUA, page 83h gives the port and its group. Method: TPGS field, then page 83h."""
    kinds = {
        one.kind
        for one in decode_designators(examiner.page(Page.DESIGNATORS))
        if one.association == Association.TARGET_PORT
    }
    standard = examiner.send(cdb.inquiry(96), data_in_length=96).raise_for_status()
    expected = "a relative target port and a target port group designator"
    if not standard.data[5] & 0x30:
        examiner.not_run(
            "target port designators",
            clause="SPC-6 5.18.2",
            expected=expected,
            reason="TPGS is 0: no asymmetric logical unit access",
        )
        return
    examiner.claim(
        "target port designators",
        {DesignatorKind.RELATIVE_PORT, DesignatorKind.PORT_GROUP} <= kinds,
        clause="SPC-6 5.18.2, 7.7.6",
        expected=expected,
        observed=f"types {sorted(kinds)}",
    )


def test_all_paths_name_the_same_unit(
    examiner: Examiner, unit_paths: list[ConformancePath]
) -> None:
    """One unit, one set of names, whichever engine answers. Method: page 83h of every path."""
    mine = unit_wwids(decode_designators(examiner.page(Page.DESIGNATORS)))
    for other in unit_paths:
        theirs = unit_wwids(decode_designators(_page(other, Page.DESIGNATORS)))
        examiner.claim(
            f"same names of the logical unit as {other.name}",
            sorted(mine) == sorted(theirs),
            clause="SPC-6 7.7.6.2",
            expected=", ".join(theirs),
            observed=", ".join(mine),
        )


@pytest.mark.parametrize("page", SAME_ON_ALL_PATHS, ids=lambda page: f"{page:02x}h")
def test_all_paths_give_the_same_page(
    examiner: Examiner, unit_paths: list[ConformancePath], page: Page
) -> None:
    """Pages of the logical unit do not depend on the path. Method: compared byte by byte."""
    name = f"page {page:02x}h is the same on all paths"
    if not examiner.supports(page):
        examiner.not_run(
            name,
            clause=CLAUSE,
            expected="the same bytes",
            reason=f"page {page:02x}h is optional and not listed in page 00h",
        )
        return
    mine = examiner.page(page)
    body = page_body(mine, page)
    wanted = BODY_BYTES.get(page, (len(body),))
    examiner.claim(
        f"length of page {page:02x}h",
        len(body) in wanted,
        clause="SPC-6 7.7.7, SBC-5 6.6",
        expected=f"{' or '.join(str(length) for length in wanted)} bytes",
        observed=f"{len(body)} bytes",
    )
    for other in unit_paths:
        theirs = _page(other, page)
        examiner.claim(
            f"{name}: {other.name}",
            page_body(theirs, page) == body,
            clause=CLAUSE,
            expected=page_body(theirs, page).hex(" "),
            observed=body.hex(" "),
        )


def _page(path: ConformancePath, page: int) -> bytes:
    command = cdb.inquiry(DATA_IN_BYTES, page=page)
    with sg.opened(path.sg) as descriptor:
        answer = sg.execute(descriptor, command, data_in_length=DATA_IN_BYTES)
    return answer.raise_for_status().data
