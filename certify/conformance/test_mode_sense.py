"""MODE SENSE: both widths agree, and unknown pages are refused."""

import pytest

from certify import cdb, sg
from certify.conformance.examiner import ConformancePath, Examiner
from certify.conformance.expectation import INVALID_FIELD

FAMILY = "MODE SENSE"
CLAUSE = "SPC-6 6.13, 6.14"
CACHING = 0x08
CONTROL = 0x0A
UNKNOWN_PAGE = 0x2E
"""Reserved in SBC-5 6.5 and in SPC-6 7.5."""
HEADER_BYTES = {6: 4, 10: 8}


def mode_sense(width: int, page: int) -> bytes:
    """MODE SENSE of the given width for one page."""
    if width == 6:
        return cdb.mode_sense_6(page)
    return cdb.mode_sense_10(page)


def page_of(data: bytes, width: int) -> bytes:
    """Return the first mode page of MODE SENSE data, behind header and block descriptors."""
    descriptors = data[3] if width == 6 else int.from_bytes(data[6:8])
    return data[HEADER_BYTES[width] + descriptors :]


@pytest.mark.parametrize("width", [6, 10])
@pytest.mark.parametrize("page", [CACHING, CONTROL, 0x3F], ids=["caching", "control", "all"])
def test_a_page_can_be_read(examiner: Examiner, width: int, page: int) -> None:
    """Header and page lengths are consistent. Method: MODE SENSE of current values."""
    name = f"MODE SENSE({width}) of page {page:02x}h"
    got = examiner.expect(name, mode_sense(width, page), clause=CLAUSE, data_in_length=252)
    said = 1 + got.data[0] if width == 6 else 2 + int.from_bytes(got.data[:2])
    first = page_of(got.data, width)
    length = 2 + first[1] if len(first) > 1 else 0
    examiner.claim(
        f"{name}: its lengths",
        said >= HEADER_BYTES[width] + length and 2 <= length <= len(first),
        clause="SPC-6 7.5.5 to 7.5.7",
        expected="mode data length covers header and page",
        observed=f"mode data of {said} bytes, first page of {length} bytes",
        after=got,
    )
    examiner.claim(
        f"{name}: its code",
        page == 0x3F or first[0] & 0x3F == page,
        clause="SPC-6 7.5.7",
        expected=f"{page:02x}h",
        observed=f"{first[0] & 0x3F:02x}h",
        after=got,
    )


def test_the_unit_is_not_write_protected(examiner: Examiner) -> None:
    """A unit to be written to says so. Method: WP bit of both headers."""
    for width, at in ((6, 2), (10, 3)):
        command = mode_sense(width, CACHING)
        got = examiner.send(command, data_in_length=252).raise_for_status()
        examiner.claim(
            f"write protection in MODE SENSE({width})",
            not got.data[at] & 0x80,
            clause="SBC-5 6.5.1",
            expected="WP 0",
            observed=f"WP {got.data[at] >> 7}",
            after=got,
        )


@pytest.mark.parametrize("width", [6, 10])
def test_an_unknown_page_is_refused(examiner: Examiner, width: int) -> None:
    """An unsupported page code is an invalid field. Method: a reserved code."""
    examiner.expect(
        f"MODE SENSE({width}) of reserved page {UNKNOWN_PAGE:02x}h",
        mode_sense(width, UNKNOWN_PAGE),
        INVALID_FIELD,
        clause=CLAUSE,
        data_in_length=252,
    )


def test_all_paths_tell_the_same(examiner: Examiner, unit_paths: list[ConformancePath]) -> None:
    """Whether there is a write cache does not depend on the path. Method: caching page of all."""
    command = cdb.mode_sense_6(CACHING)
    mine = page_of(examiner.send(command, data_in_length=252).raise_for_status().data, 6)
    for other in unit_paths:
        with sg.opened(other.sg) as descriptor:
            answer = sg.execute(descriptor, command, data_in_length=252).raise_for_status()
        theirs = page_of(answer.data, 6)
        examiner.claim(
            f"same caching page as {other.name}",
            mine[:20] == theirs[:20],
            clause="SBC-5 6.5.5",
            expected=theirs[:20].hex(" "),
            observed=mine[:20].hex(" "),
        )
