"""Commands as a saboteur sees them."""

import pytest

from certify.saboteurs.values import (
    Command,
    Outcome,
    check_condition,
    read_16,
    takes_data,
    unavailable,
    write_16,
)
from tests.unit.saboteurs.conftest import front, pattern


@pytest.mark.parametrize(
    ("cdb", "lba", "blocks"),
    [
        ("0a01020304000000", 0x10203, 4),
        ("08000000000000", 0, 256),
        ("2a000102030400010200", 0x1020304, 258),
        ("a8000102030400000102", 0x1020304, 0x102),
        ("88000000000000000009000000030000", 9, 3),
    ],
)
def test_address_and_length_of_every_width(cdb, lba, blocks):
    command = Command(front=front(), cdb=bytes.fromhex(cdb).ljust(16, b"\0"))

    assert (command.lba, command.blocks) == (lba, blocks)


@pytest.mark.parametrize("opcode", [0x0A, 0x2A, 0xAA, 0x8A, 0x88])
def test_a_command_moved_has_the_other_address_and_the_same_length(opcode):
    cdb = bytes((opcode, *bytes(15)))
    moved = Command(front=front(), cdb=cdb).at(0x1234)

    assert (moved.lba, moved.blocks) == (0x1234, Command(front=front(), cdb=cdb).blocks)


def test_commands_of_its_own_are_whole():
    write, read = write_16(front(), 5, pattern(1)), read_16(front(), 5, 8)

    assert (write.lba, write.blocks, write.writes, takes_data(write.opcode)) == (5, 8, True, True)
    assert (read.lba, read.blocks, read.reads, read.room) == (5, 8, True, 4096)


@pytest.mark.parametrize("sense", ["700002000000000a00000000040c0000", "7202040c"])
def test_sense_data_of_both_formats_is_understood(sense):
    outcome = Outcome(status=2, sense=bytes.fromhex(sense))

    assert (outcome.sense_key, outcome.asc) == (2, 4)


def test_a_lost_path_is_told_as_not_ready():
    lost = unavailable()

    assert (lost.status, lost.sense_key, lost.asc, lost.lost) == (2, 2, 4, True)
    assert check_condition(5, 0x20).lost is False
