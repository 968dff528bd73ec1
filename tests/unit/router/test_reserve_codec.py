"""Reservation commands are the standard's bytes; no answer is taken for what it is not."""

import pytest

from reference_router.keys import Control, ControlOp, ControlResult, Outcome
from reference_router.reserve_codec import ScsiEnd, commands_of, result_of

KEY, OTHER = 0x5A53_1000_0000_0001, 0x5A53_2000_0000_0002
READ = Control("lu0", 0, ControlOp.READ_KEYS)
RESERVE = Control("lu0", 0, ControlOp.RESERVE, KEY)
FREE = bytes.fromhex("00000007 00000000")
NO_KEYS = FREE
HELD = bytes.fromhex("00000007 00000010 0000000000000000 00000000 00 07 0000")


def fixed(key: int, asc: int, ascq: int) -> bytes:
    return bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0])


def read(keys: bytes, reservation: bytes = FREE) -> ControlResult:
    return result_of(READ, [ScsiEnd(answer=keys), ScsiEnd(answer=reservation)])


@pytest.mark.parametrize(
    ("op", "cdb", "flags"),
    [
        (ControlOp.REGISTER, "5f 00 00 0000 00000018 00", "01"),
        (ControlOp.REGISTER_AND_IGNORE, "5f 06 00 0000 00000018 00", "01"),
        (ControlOp.RESERVE, "5f 01 07 0000 00000018 00", "00"),
        (ControlOp.PREEMPT_AND_ABORT, "5f 05 07 0000 00000018 00", "00"),
        (ControlOp.CLEAR, "5f 03 00 0000 00000018 00", "00"),
    ],
)
def test_reserve_out_bytes(op, cdb, flags):
    (command,) = commands_of(Control("lu0", 0, op, KEY, OTHER), aborts=True)
    assert command.cdb == bytes.fromhex(cdb)
    assert command.parameters == bytes.fromhex(
        f"5a53100000000001 5a53200000000002 00000000 {flags} 000000"
    )
    assert command.answer_bytes == 0


def test_preempt_without_abort_where_abort_is_not_safe():
    control = Control("lu0", 0, ControlOp.PREEMPT_AND_ABORT, KEY, OTHER)
    (command,) = commands_of(control, aborts=False)
    assert command.cdb == bytes.fromhex("5f 04 07 0000 00000018 00")


def test_reserve_in_bytes():
    keys, reservation = commands_of(READ, aborts=True)
    assert keys.cdb == bytes.fromhex("5e 00 0000000000 0800 00")
    assert reservation.cdb == bytes.fromhex("5e 01 0000000000 0018 00")
    assert (keys.answer_bytes, reservation.answer_bytes) == (2048, 24)


def test_keys_and_reservation_are_read():
    keys = bytes.fromhex("00000007 00000010 5a53100000000001 5a53200000000002")
    assert read(keys, HELD) == ControlResult(
        outcome=Outcome.GOOD, keys=(KEY, OTHER), reservation_type=7
    )


def test_nothing_registered_and_nothing_reserved():
    assert read(NO_KEYS) == ControlResult(outcome=Outcome.GOOD)


def test_more_room_than_answer_is_ignored():
    assert read(FREE + bytes(40)).keys == ()


@pytest.mark.parametrize(
    ("keys", "reservation", "words"),
    [
        ("", FREE.hex(), "READ KEYS: expected at least 8 bytes, seen 0"),
        ("00000007 00000010 5a53100000000001", FREE.hex(), "expected 16 bytes after the header"),
        ("00000007 0000000c 5a5310000000000100000000", FREE.hex(), "no list of keys"),
        ("00000007 00000800" + "00" * 2040, FREE.hex(), "has 2048 bytes, expected 2040 at most"),
        ("00000007 ffffffff", FREE.hex(), "has 4294967295 bytes"),
        (FREE.hex(), "000000", "READ RESERVATION: expected at least 8 bytes, seen 3"),
        (FREE.hex(), "00000007 00000008" + "00" * 8, "expected 0 or 16 bytes, seen 8"),
        (FREE.hex(), "00000007 00000010" + "00" * 8, "expected 16 bytes after the header, seen 8"),
    ],
)
def test_answer_that_cannot_be_is_an_error_in_words(keys, reservation, words):
    result = read(bytes.fromhex(keys), bytes.fromhex(reservation))
    assert result.outcome is Outcome.ERROR
    assert words in result.why


def test_reservation_conflict():
    result = result_of(RESERVE, [ScsiEnd(status=0x18)])
    assert result == ControlResult(outcome=Outcome.CONFLICT)


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (ScsiEnd(status=0x08), "status BUSY"),
        (ScsiEnd(status=0x40), "status TASK ABORTED"),
        (ScsiEnd(status=0x77), "status 0x77"),
        (ScsiEnd(status=2, sense=fixed(5, 0x20, 0)), "CHECK CONDITION, sense 5/20/00"),
        (ScsiEnd(status=2, sense=b"\x72\x0b\x2f\x01"), "CHECK CONDITION, sense b/2f/01"),
        (ScsiEnd(status=2), "CHECK CONDITION with sense data missing"),
        (ScsiEnd(status=2, sense=b"\x70\x00\x06"), "CHECK CONDITION with sense data 700006"),
        (ScsiEnd(failure="no such device"), "no such device"),
    ],
)
def test_other_ends_are_errors_in_words(end, why):
    assert result_of(RESERVE, [end]) == ControlResult(outcome=Outcome.ERROR, why=why)


def test_failed_first_half_of_a_read_is_its_end():
    assert result_of(READ, [ScsiEnd(status=8)]).why == "status BUSY"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (ScsiEnd(status=2, sense=fixed(6, 0x2A, 5)), True),
        (ScsiEnd(status=2, sense=b"\x72\x06\x29\x00"), True),
        (ScsiEnd(status=2, sense=fixed(5, 0x2A, 5)), False),
        (ScsiEnd(status=0, sense=fixed(6, 0x2A, 5)), False),
        (ScsiEnd(status=2), False),
    ],
)
def test_unit_attention_is_known_by_its_sense_key(end, expected):
    assert end.unit_attention is expected
