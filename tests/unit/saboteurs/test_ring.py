"""The saboteurs' own end of a TCMU ring."""

import struct

import pytest

from certify.saboteurs.ring import Ring, RingError
from tests.unit.saboteurs.conftest import DATA_AT

READ = bytes((0x28, 0, 0, 0, 0, 8, 0, 0, 8, 0))


def test_a_command_is_taken_with_its_cdb_and_data(kernel):
    ring = Ring(kernel.memory)
    kernel.memory[DATA_AT : DATA_AT + 3] = b"abc"
    kernel.memory[DATA_AT + 100 : DATA_AT + 102] = b"de"
    kernel.put(7, READ, [(DATA_AT, 3), (DATA_AT + 100, 2)])

    (slot,) = ring.take()

    assert (slot.number, slot.cdb[:10], slot.room) == (7, READ, 5)
    assert ring.gather(slot) == b"abcde"


def test_commands_are_answered_in_any_order(kernel):
    ring = Ring(kernel.memory)
    kernel.put(1, READ)
    kernel.put(2, READ)
    first, second = ring.take()

    ring.answer(second, 0, b"", b"")
    assert (kernel.answer_at(0)[0], kernel.tail) == (2, 160)
    ring.answer(first, 2, b"\x70\0\x05", b"")

    assert kernel.answer_at(160) == (1, 0, 2, 0, 5)
    assert kernel.tail == kernel.head


def test_data_goes_into_the_pieces_and_a_short_answer_says_its_length(kernel):
    ring = Ring(kernel.memory)
    kernel.put(3, READ, [(DATA_AT, 2), (DATA_AT + 50, 8)])
    (slot,) = ring.take()

    ring.answer(slot, 0, b"", b"wxyz")

    assert kernel.memory[DATA_AT : DATA_AT + 2] == b"wx"
    assert kernel.memory[DATA_AT + 50 : DATA_AT + 52] == b"yz"
    assert kernel.answer_at(0) == (3, 2, 0, 4, 0)


def test_padding_is_stepped_over_and_the_ring_begins_again(kernel):
    ring = Ring(kernel.memory)
    for number in range(6):
        kernel.put(number, READ)
        (slot,) = ring.take()
        ring.answer(slot, 0, b"", b"")
    kernel.pad()
    kernel.put(9, READ)

    (slot,) = ring.take()
    ring.answer(slot, 0, b"", b"")

    assert slot.number == 9
    assert kernel.tail == kernel.head == 160


def test_a_reset_of_the_unit_is_told(kernel):
    ring = Ring(kernel.memory)
    kernel.reset_unit()

    assert list(ring.take()) == []

    assert ring.reset_asked
    assert kernel.tail == kernel.head


def test_a_ring_that_was_in_use_is_refused(kernel):
    struct.pack_into("<I", kernel.memory, 64, 160)

    with pytest.raises(RingError, match="expected 0"):
        Ring(kernel.memory)


def test_an_entry_that_leaves_the_ring_is_refused(kernel):
    ring = Ring(kernel.memory)
    kernel.put(1, READ)
    struct.pack_into("<I", kernel.memory, 128, 4096 | 1)

    with pytest.raises(RingError, match="4096 bytes"):
        list(ring.take())
