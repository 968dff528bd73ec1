"""INQUIRY data and VPD pages are decoded; the golden page is Linux's own target's."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify import inquiry
from certify.inquiry import Association, DecodeError, DesignatorKind

LIO_PAGE_83 = bytes.fromhex(
    "008300a40103001060014051111111100000000000000000020100344c494f2d4f52472049424c4f"
    "434b3a31313131313131312d303030302d303030302d303030302d30303030303030303030303000"
    "619400040000000161950004000000000106000400000000639800206e61612e3630303134303530"
    "30303030303030312c742c30783030303100000063a800186e61612e363030313430353030303030"
    "3030303100000000"
)
WWID = "360014051111111100000000000000000"


def test_designators_of_a_real_page():
    designators = inquiry.decode_designators(LIO_PAGE_83)

    assert [(one.association, one.kind) for one in designators] == [
        (Association.LOGICAL_UNIT, DesignatorKind.NAA),
        (Association.LOGICAL_UNIT, DesignatorKind.T10),
        (Association.TARGET_PORT, DesignatorKind.RELATIVE_PORT),
        (Association.TARGET_PORT, DesignatorKind.PORT_GROUP),
        (Association.LOGICAL_UNIT, DesignatorKind.LOGICAL_UNIT_GROUP),
        (Association.TARGET_PORT, DesignatorKind.NAME_STRING),
        (Association.TARGET_DEVICE, DesignatorKind.NAME_STRING),
    ]


def test_the_unit_is_named_as_multipath_names_it():
    names = inquiry.unit_wwids(inquiry.decode_designators(LIO_PAGE_83))

    assert names == [WWID, "1LIO-ORG IBLOCK:11111111-0000-0000-0000-000000000000"]


@pytest.mark.parametrize("length", range(0, len(LIO_PAGE_83), 7))
def test_a_page_that_is_cut_is_not_decoded_by_halves(length):
    with pytest.raises(DecodeError, match="expected at least"):
        inquiry.decode_designators(LIO_PAGE_83[:length])


def test_another_page_is_refused():
    with pytest.raises(DecodeError, match="page 80h: the header says page 83h"):
        inquiry.decode_serial(LIO_PAGE_83)


def test_standard_data():
    data = bytes((0, 0, 6, 0x12, 91, 0x30, 0, 2)) + b"ZEROSTALReference Router0.1 "

    standard = inquiry.decode_standard(data)

    assert (standard.vendor, standard.product, standard.revision) == (
        "ZEROSTAL",
        "Reference Router",
        "0.1",
    )
    assert (standard.version, standard.response_format) == (6, 2)
    assert (standard.target_port_group_support, standard.command_queuing) == (3, True)


def test_capacities():
    ten = inquiry.decode_capacity_10(bytes.fromhex("0001ffff00000200"))
    sixteen = inquiry.decode_capacity_16(bytes.fromhex("000000000001ffff000010000003" + 18 * "00"))

    assert (ten.last_lba, ten.block_bytes, ten.size_bytes) == (131071, 512, 64 << 20)
    assert (sixteen.block_bytes, sixteen.blocks_per_physical) == (4096, 8)


def test_target_port_groups():
    data = bytes.fromhex("00000018 800f0001 00020001 00000001 010f0002 00000001 00000002")

    one, other = inquiry.decode_target_port_groups(data)

    assert (one.group, one.asymmetric_access_state, one.preferred, one.ports) == (1, 0, True, (1,))
    assert (other.group, other.asymmetric_access_state, other.ports) == (2, 1, (2,))


@given(st.binary(max_size=120))
@pytest.mark.parametrize(
    "decode",
    [
        inquiry.decode_standard,
        inquiry.decode_serial,
        inquiry.decode_designators,
        inquiry.decode_capacity_10,
        inquiry.decode_capacity_16,
        inquiry.decode_target_port_groups,
    ],
)
def test_no_bytes_make_a_decoder_fail_otherwise(decode, data):
    with suppress(DecodeError):
        decode(data)
