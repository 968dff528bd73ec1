"""Sense data of both formats is decoded, and data that is short or strange never raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.scsi import Completion, ScsiError, SenseKey, Status, decode_sense

FIXED = bytes.fromhex("f0 00 05 00 00 10 00 0a 00 00 00 00 21 00 00 c0 00 02")
DESCRIPTOR = bytes.fromhex(
    "72 05 24 00 00 00 00 14 00 0a 80 00 00 00 00 01 00 00 00 00 02 06 00 00 cf 00 03 00"
)


def completion(**changes):
    """A GOOD completion of TEST UNIT READY, with changes."""
    fields = {
        "cdb": bytes(6),
        "status": Status.GOOD,
        "sense": None,
        "residual": 0,
        "host_status": 0,
        "driver_status": 0,
        "data": b"",
        "sent_ns": 1,
        "done_ns": 2,
    }
    return Completion(**(fields | changes))


def test_fixed_format_is_decoded():
    sense = decode_sense(FIXED)

    assert (sense.key, sense.asc, sense.ascq) == (SenseKey.ILLEGAL_REQUEST, 0x21, 0x00)
    assert (sense.information, sense.field_pointer, sense.deferred) == (0x1000, 2, False)
    assert sense.raw == FIXED


def test_descriptor_format_is_decoded():
    sense = decode_sense(DESCRIPTOR)

    assert sense.code == "5/24/00"
    assert (sense.information, sense.field_pointer) == (0x100000000, 3)


def test_deferred_errors_are_told_apart():
    assert decode_sense(bytes((0x71,)) + FIXED[1:]).deferred
    assert decode_sense(bytes((0x73,)) + DESCRIPTOR[1:]).deferred


def test_a_pointer_into_the_parameter_list_is_not_one_into_the_cdb():
    assert decode_sense(FIXED[:15] + b"\x80\0\2").field_pointer is None


def test_fields_beyond_a_short_sense_are_zero():
    assert decode_sense(FIXED[:3]).code == "5/00/00"


@pytest.mark.parametrize("raw", [b"", b"\0" * 18, b"\x7f" + bytes(17)])
def test_what_is_no_sense_data_is_none(raw):
    assert decode_sense(raw) is None


@given(st.binary(max_size=64))
def test_no_bytes_make_the_decoder_raise(raw):
    sense = decode_sense(raw)

    assert sense is None or sense.raw == raw


def test_names_are_for_humans():
    text = str(completion(status=Status.CHECK_CONDITION, sense=decode_sense(FIXED)))

    assert text == "CHECK CONDITION, ILLEGAL REQUEST 21/00 (logical block address out of range)"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "GOOD"),
        ({"status": Status.BUSY}, "BUSY"),
        ({"status": 0x99}, "99h"),
        ({"status": Status.CHECK_CONDITION}, "CHECK CONDITION, no sense data"),
        ({"host_status": 1}, "host status NO CONNECT"),
        ({"host_status": 0x77}, "host status 77h"),
        ({"driver_status": 6}, "driver status 06h"),
    ],
)
def test_every_end_has_words(changes, text):
    assert str(completion(**changes)) == text


@pytest.mark.parametrize(
    "changes", [{"status": Status.BUSY}, {"host_status": 1}, {"driver_status": 6}]
)
def test_only_good_from_the_target_is_good(changes):
    with pytest.raises(ScsiError, match=r"CDB 00 00 00 00 00 00: .*; expected GOOD"):
        completion(**changes).raise_for_status()


def test_the_flag_that_sense_is_there_is_no_error():
    assert completion(driver_status=8).raise_for_status().is_good
