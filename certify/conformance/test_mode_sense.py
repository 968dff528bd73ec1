"""MODE SENSE and MODE SELECT: values of all kinds agree, unknown pages are refused."""

import pytest

from certify import cdb, sg
from certify.conformance.examiner import ConformancePath, Examiner
from certify.conformance.expectation import (
    CUT_LIST,
    GOOD,
    INVALID_FIELD,
    INVALID_PARAMETER,
    SAVING_NOT_SUPPORTED,
)
from certify.conformance.nexus import Nexuses
from certify.conformance.offers import offers

FAMILY = "Mode pages"
CLAUSE = "SPC-6 6.13, 6.14"
CACHING = 0x08
CONTROL = 0x0A
UNKNOWN_PAGE = 0x2E
"""Reserved in SBC-5 6.5 and in SPC-6 7.5."""
HEADER_BYTES = {6: 4, 10: 8}
CURRENT, CHANGEABLE, DEFAULT, SAVED = range(4)
CLAUSE_SELECT = "SPC-4 MODE SELECT(6) command, MODE SELECT(10) command"


def mode_sense(width: int, page: int, control: int = CURRENT) -> bytes:
    """MODE SENSE of the given width for one page."""
    if width == 6:
        return cdb.mode_sense_6(page, control=control)
    return cdb.mode_sense_10(page, control=control)


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


@pytest.mark.parametrize("page", [CACHING, CONTROL], ids=["caching", "control"])
def test_values_of_all_kinds_have_one_shape(examiner: Examiner, page: int) -> None:
    """Changeable, default and saved values are a page of the same length. Method: PC 01b to 11b."""
    now = _page(examiner, page, CURRENT)
    for control, words in ((CHANGEABLE, "changeable"), (DEFAULT, "default"), (SAVED, "saved")):
        name = f"{words} values of page {page:02x}h"
        command = mode_sense(6, page, control)
        got = examiner.send(command, data_in_length=252)
        if control == SAVED and SAVING_NOT_SUPPORTED.met_by(got):
            examiner.not_run(
                name,
                clause=CLAUSE,
                expected=str(GOOD),
                reason="saved values are optional: answered SAVING PARAMETERS NOT SUPPORTED",
            )
            continue
        seen = page_of(got.data, 6) if got.is_good else b""
        seen = seen[: 2 + seen[1]] if len(seen) > 1 else seen
        examiner.claim(
            name,
            len(seen) == len(now) and seen[:1] != b"" and seen[0] & 0x3F == page,
            clause=CLAUSE,
            expected=f"page {page:02x}h of {len(now)} bytes",
            observed=f"{got}: {seen.hex(' ')}",
            after=got,
        )


def test_a_page_is_written_back(nexuses: Nexuses) -> None:
    """MODE SELECT of what is there changes nothing and is GOOD. Method: control page."""
    examiner = nexuses.mine
    if not offers(examiner, "MODE SELECT(6)", clause=CLAUSE_SELECT):
        return
    now = _page(examiner, CONTROL, CURRENT)
    data = bytes(4) + bytes((now[0] & 0x3F,)) + now[1:]
    examiner.expect(
        "MODE SELECT(6) of the control page as it is",
        cdb.mode_select_6(len(data)),
        GOOD,
        clause=CLAUSE_SELECT,
        data_out=data,
    )
    seen = _page(examiner, CONTROL, CURRENT)
    examiner.claim(
        "control page after MODE SELECT of itself",
        seen == now,
        clause=CLAUSE_SELECT,
        expected=now.hex(" "),
        observed=seen.hex(" "),
    )


def test_what_cannot_be_changed_is_refused(nexuses: Nexuses) -> None:
    """A value that is not changeable is an invalid field. Method: one such bit; cut lists."""
    examiner = nexuses.mine
    if not offers(examiner, "MODE SELECT(6)", clause=CLAUSE_SELECT):
        return
    now, mask = _page(examiner, CONTROL, CURRENT), _page(examiner, CONTROL, CHANGEABLE)
    at = next(index for index in range(2, len(mask)) if mask[index] != 0xFF)
    bit = ~mask[at] & -~mask[at] & 0xFF
    page = bytearray(now)
    page[0] &= 0x3F
    page[at] ^= bit
    data = bytes(4) + bytes(page)
    examiner.expect(
        f"MODE SELECT(6) turns bit {bit:02x}h of byte {at}, which is not changeable",
        cdb.mode_select_6(len(data)),
        INVALID_PARAMETER,
        clause=CLAUSE_SELECT,
        data_out=data,
    )
    for length in (3, 4 + len(page) - 1):
        examiner.expect(
            f"MODE SELECT(6) with a list cut to {length} bytes",
            cdb.mode_select_6(length),
            CUT_LIST,
            clause=CLAUSE_SELECT,
            data_out=data[:length],
        )
    seen = _page(examiner, CONTROL, CURRENT)
    examiner.claim(
        "control page after refused MODE SELECTs",
        seen == now,
        clause=CLAUSE_SELECT,
        expected=now.hex(" "),
        observed=seen.hex(" "),
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


def _page(examiner: Examiner, page: int, control: int) -> bytes:
    """Return one mode page whole, unrecorded; raise ScsiError."""
    got = examiner.send(mode_sense(6, page, control), data_in_length=252).raise_for_status()
    found = page_of(got.data, 6)
    return found[: 2 + found[1]]
