"""Persistent reservation parameter data, as the standard lays it out."""

import pytest

from certify import reserve
from certify.inquiry import DecodeError
from certify.reserve import InAction, Kind, OutAction


def test_cdbs_have_action_type_and_length_in_their_places():
    out = reserve.reserve_out(OutAction.PREEMPT, Kind.WRITE_EXCLUSIVE_ALL)
    seen = reserve.reserve_in(InAction.READ_FULL_STATUS, 0x1234)

    assert out.hex() == "5f040700000000001800"
    assert seen.hex() == "5e030000000000123400"


def test_a_parameter_list_has_key_action_key_and_flags():
    assert (
        reserve.out_list(1, 2, flags=5).hex() == "000000000000000100000000000000020000000005000000"
    )


def test_a_move_list_names_the_port_and_the_transport_id():
    seen = reserve.move_list(1, 2, 3, b"\x05\x00\x00\x04name", unregister=True)

    assert seen[16:24].hex() == "0002000300000008"
    assert seen[24:] == b"\x05\x00\x00\x04name"


def test_keys_and_generation_are_read():
    data = (7).to_bytes(4) + (16).to_bytes(4) + (1).to_bytes(8) + (2).to_bytes(8) + bytes(100)

    assert reserve.generation_of(data) == 7
    assert reserve.decode_keys(data) == [1, 2]


def test_a_reservation_is_read_or_there_is_none():
    held = bytes(4) + (16).to_bytes(4) + (9).to_bytes(8) + bytes((0, 0, 0, 0, 0, 0x05, 0, 0))

    assert reserve.decode_reservation(held) == reserve.Reservation(key=9, scope=0, kind=5)
    assert reserve.decode_reservation(bytes(8)) is None


def test_capabilities_are_read_bit_by_bit():
    seen = reserve.decode_capabilities(bytes((0, 8, 0x05, 0x81, 0xEA, 0x01, 0, 0)))

    assert (seen.all_ports, seen.aptpl_capable, seen.aptpl_active) == (True, True, True)
    assert (seen.specify_ports, seen.compatible_handling) == (False, False)
    assert seen.mask_is_valid
    assert seen.kinds == set(Kind)


def test_full_status_is_read_descriptor_by_descriptor():
    one = (4).to_bytes(8) + bytes((0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4)) + b"name"
    other = (5).to_bytes(8) + bytes((0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0))
    seen = reserve.decode_full_status(bytes(4) + len(one + other).to_bytes(4) + one + other)

    assert [(each.key, each.holds, each.kind, each.port) for each in seen] == [
        (4, True, 5, 2),
        (5, False, 0, 1),
    ]
    assert [each.transport_id for each in seen] == [b"name", b""]
    assert seen[1].all_ports


@pytest.mark.parametrize("data", [bytes(7), bytes(4) + (8).to_bytes(4)])
def test_data_that_was_cut_is_refused(data):
    with pytest.raises(DecodeError, match="expected at least"):
        reserve.decode_keys(data)
