"""INQUIRY tells one identity through every path, and respects the allocation length."""

import pytest

from certify import cdb, sg
from certify.conformance.examiner import ConformancePath, Examiner
from certify.conformance.expectation import INVALID_FIELD
from certify.inquiry import decode_standard

FAMILY = "INQUIRY"
CLAUSE = "SPC-6 6.7"
SPC_3 = 5
"""Version code of the oldest standard whose multipath features the suite relies on."""


def test_standard_data_describes_a_connected_disk(examiner: Examiner) -> None:
    """A disk of SPC-3 or later with response format 2. Method: INQUIRY of 96 bytes."""
    got = examiner.expect("standard data", cdb.inquiry(96), clause=CLAUSE, data_in_length=96)
    data = decode_standard(got.data)
    seen = (
        f"qualifier {data.peripheral_qualifier}, type {data.peripheral_type}, "
        f"format {data.response_format}, version {data.version}"
    )
    examiner.claim(
        "connected direct access block device",
        (data.peripheral_qualifier, data.peripheral_type, data.response_format) == (0, 0, 2)
        and data.version >= SPC_3,
        clause="SPC-6 6.7.2",
        expected=f"qualifier 0, type 0, format 2, version {SPC_3} or later",
        observed=seen,
        after=got,
    )
    examiner.claim(
        "vendor, product and revision are given",
        all((data.vendor, data.product, data.revision)),
        clause="SPC-6 6.7.2",
        expected="three texts in ASCII",
        observed=f"{data.vendor!r}, {data.product!r}, {data.revision!r}",
        after=got,
    )


@pytest.mark.parametrize("length", [0, 5, 36])
def test_allocation_length_cuts_the_data(examiner: Examiner, length: int) -> None:
    """Data is cut to the allocation length without an error. Method: lengths 0, 5, 36."""
    got = examiner.expect(
        f"allocation length {length}",
        cdb.inquiry(length),
        clause="SPC-6 4.2.5.6",
        data_in_length=length,
    )
    examiner.claim(
        f"{length} bytes arrive for allocation length {length}",
        len(got.data) == length,
        clause="SPC-6 4.2.5.6",
        expected=f"{length} bytes",
        observed=f"{len(got.data)} bytes",
        after=got,
    )


def test_the_length_field_is_not_cut(examiner: Examiner) -> None:
    """ADDITIONAL LENGTH counts what there is, not what fits. Method: 5 bytes against 96."""
    whole = examiner.send(cdb.inquiry(96), data_in_length=96).raise_for_status()
    cut = examiner.send(cdb.inquiry(5), data_in_length=5).raise_for_status()
    examiner.claim(
        "additional length is the same for a short allocation length",
        cut.data[4] == whole.data[4],
        clause="SPC-6 4.2.5.6",
        expected=f"{whole.data[4]}",
        observed=f"{cut.data[4]}",
        after=cut,
    )


def test_data_shorter_than_the_buffer_leaves_a_residual(examiner: Examiner) -> None:
    """The initiator learns how much arrived. Method: a buffer of 252 bytes, residual compared."""
    got = examiner.send(cdb.inquiry(252), data_in_length=252).raise_for_status()
    wanted = max(0, 252 - (5 + got.data[4]))
    examiner.claim(
        "residual of a short data-in",
        got.residual == wanted,
        clause="SAM-6 5.4.3, SPC-6 6.7.2",
        expected=f"{wanted} bytes",
        observed=f"{got.residual} bytes",
        after=got,
    )


def test_a_page_code_without_evpd_is_refused(examiner: Examiner) -> None:
    """PAGE CODE must be zero unless EVPD is one. Method: EVPD 0, page 83h."""
    examiner.expect(
        "page code without EVPD",
        bytes((0x12, 0, 0x83, 0, 96, 0)),
        INVALID_FIELD,
        clause="SPC-6 6.7.1",
        data_in_length=96,
    )


def test_all_paths_tell_the_same(examiner: Examiner, unit_paths: list[ConformancePath]) -> None:
    """One logical unit has one set of INQUIRY data. Method: compared with every other path."""
    mine = examiner.send(cdb.inquiry(96), data_in_length=96).raise_for_status()
    for other in unit_paths:
        with sg.opened(other.sg) as descriptor:
            theirs = sg.execute(descriptor, cdb.inquiry(96), data_in_length=96).raise_for_status()
        examiner.claim(
            f"same standard data as {other.name}",
            mine.data[:36] == theirs.data[:36],
            clause="SAM-6 4.6.4",
            expected=theirs.data[:36].hex(" "),
            observed=mine.data[:36].hex(" "),
            after=mine,
        )
