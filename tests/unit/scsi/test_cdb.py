"""CDBs have their fields where the standards put them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify import cdb


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (cdb.test_unit_ready(), "00 00 00 00 00 00"),
        (cdb.request_sense(252, descriptor=True), "03 01 00 00 fc 00"),
        (cdb.inquiry(96), "12 00 00 00 60 00"),
        (cdb.inquiry(1024, page=0x83), "12 01 83 04 00 00"),
        (cdb.inquiry(4, page=0x00), "12 01 00 00 04 00"),
        (cdb.mode_sense_6(0x08, control=2), "1a 00 88 00 fc 00"),
        (cdb.mode_sense_10(0x0A), "5a 00 0a 00 00 00 00 00 fc 00"),
        (cdb.read_capacity_10(), "25 00 00 00 00 00 00 00 00 00"),
        (cdb.read_capacity_16(), "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00"),
        (cdb.report_luns(1024), "a0 00 00 00 00 00 00 00 04 00 00 00"),
        (cdb.report_target_port_groups(), "a3 0a 00 00 00 00 00 00 04 00 00 00"),
        (cdb.read(0x12345, 256, width=6), "08 01 23 45 00 00"),
        (cdb.write(0x12345678, 0x9ABC, width=10), "2a 00 12 34 56 78 00 9a bc 00"),
        (cdb.read(1, 2, width=12), "a8 00 00 00 00 01 00 00 00 02 00 00"),
        (cdb.write(1 << 40, 3, width=16), "8a 00 00 00 01 00 00 00 00 00 00 00 00 03 00 00"),
        (cdb.synchronize_cache_10(5, 6), "35 00 00 00 00 05 00 00 06 00"),
    ],
)
def test_golden(command, wanted):
    assert command.hex(" ") == wanted


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 32) - 1))
def test_the_widest_cdb_holds_any_address_and_length(lba, blocks):
    command = cdb.read(lba, blocks, width=16)

    assert len(command) == 16
    assert (int.from_bytes(command[2:10]), int.from_bytes(command[10:14])) == (lba, blocks)


@pytest.mark.parametrize(
    ("lba", "blocks", "width"), [(1 << 21, 1, 6), (0, 257, 6), (1 << 32, 1, 10), (0, 1 << 16, 10)]
)
def test_what_does_not_fit_is_refused(lba, blocks, width):
    with pytest.raises((ValueError, OverflowError)):
        cdb.read(lba, blocks, width=width)


def test_there_are_four_widths():
    with pytest.raises(ValueError, match="expected 6, 10, 12 or 16"):
        cdb.read(0, 1, width=32)
