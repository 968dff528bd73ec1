"""Commands that touch the medium become transfers within the limits that VPD page B0h tells."""

import pytest
from scsi_target import BLOCKS, execute, make_server, pointer_of, sense_of

from reference_router.scsi import BECOMING_READY, Fill, Op, Response, Transfer

LBA_16 = "00 00 00 00 00 00 00 09"


def unmap_list(*ranges, said=None, descriptors=None):
    """Return an UNMAP parameter list; lengths may be said otherwise than they are."""
    body = b"".join(lba.to_bytes(8, "big") + n.to_bytes(4, "big") + bytes(4) for lba, n in ranges)
    size = len(body) if descriptors is None else descriptors
    return (said or 6 + len(body)).to_bytes(2, "big") + size.to_bytes(2, "big") + bytes(4) + body


def unmap(data, *, length=None):
    size = len(data) if length is None else length
    return execute(f"42 00 00 00 00 00 00 {size:04x} 00", data=data)


@pytest.mark.parametrize(
    ("cdb", "expected"),
    [
        ("2f 00 00 00 00 07 00 00 05 00", Transfer(Op.VERIFY, 7, 5)),
        ("2f 12 00 00 00 07 00 00 05 00", Transfer(Op.COMPARE, 7, 5, Fill.DATA, 5)),
        ("af 00 00 00 00 07 00 00 00 05 00 00", Transfer(Op.VERIFY, 7, 5)),
        ("af 02 00 00 00 07 00 00 00 05 00 00", Transfer(Op.COMPARE, 7, 5, Fill.DATA, 5)),
        (f"8f 00 {LBA_16} 00 00 00 05 00 00", Transfer(Op.VERIFY, 9, 5)),
        (f"8f 02 {LBA_16} 00 00 00 05 00 00", Transfer(Op.COMPARE, 9, 5, Fill.DATA, 5)),
        ("2e 10 00 00 00 07 00 00 05 00", Transfer(Op.WRITE_AND_VERIFY, 7, 5, Fill.DATA, 5)),
        ("2e 02 00 00 00 07 00 00 05 00", Transfer(Op.WRITE_AND_COMPARE, 7, 5, Fill.DATA, 5)),
        ("ae 02 00 00 00 07 00 00 00 05", Transfer(Op.WRITE_AND_COMPARE, 7, 5, Fill.DATA, 5)),
        (f"8e 00 {LBA_16} 00 00 00 05", Transfer(Op.WRITE_AND_VERIFY, 9, 5, Fill.DATA, 5)),
        (f"89 18 {LBA_16} 00 00 00 ff", Transfer(Op.COMPARE_AND_WRITE, 9, 255, Fill.DATA, 510)),
        ("41 08 00 00 00 07 00 08 00 00", Transfer(Op.WRITE, 7, 2048, Fill.REPEAT, 1)),
        (f"93 08 {LBA_16} 00 00 08 00 00 00", Transfer(Op.WRITE, 9, 2048, Fill.REPEAT, 1)),
        (f"93 01 {LBA_16} 00 00 08 00 00 00", Transfer(Op.WRITE, 9, 2048, Fill.ZERO, 0)),
    ],
)
def test_transfer_says_what_to_do_with_how_much_data(cdb, expected):
    assert execute(cdb) == expected


@pytest.mark.parametrize(
    ("cdb", "field"),
    [
        ("2f 06 00 00 00 00 00 00 01 00", 1),  # BYTCHK 11b
        ("2f 04 00 00 00 00 00 00 01 00", 1),  # BYTCHK 10b
        ("2f 00 00 00 00 00 00 04 01 00", 7),
        ("41 10 00 00 00 00 00 00 01 00", 1),  # ANCHOR
        ("41 01 00 00 00 00 00 00 01 00", 1),  # NDOB is of WRITE SAME(16) only
        ("41 00 00 00 00 00 00 00 00 00", 7),  # WSNZ
        ("41 00 00 00 00 00 00 08 01 00", 7),
        (f"93 10 {LBA_16} 00 00 00 01 00 00", 1),
        (f"93 00 {LBA_16} 00 00 00 00 00 00", 10),
        (f"93 00 {LBA_16} 00 00 08 01 00 00", 10),
        (f"89 20 {LBA_16} 00 00 00 01 00 00", 1),
        (f"89 00 {LBA_16} 00 00 01 01 00 00", 12),
        ("42 01 00 00 00 00 00 00 00 00", 1),
    ],
)
def test_what_is_not_offered_is_pointed_at(cdb, field):
    response = execute(cdb)

    assert sense_of(response) == (5, 0x24, 0)
    assert pointer_of(response) == ("cdb", field)


@pytest.mark.parametrize(
    "cdb",
    [
        "2f 00 00 01 ff ff 00 00 02 00",
        "2e 00 00 01 ff ff 00 00 02 00",
        "41 00 00 01 ff ff 00 00 02 00",
        "89 00 00 00 00 00 00 01 ff ff 00 00 00 02 00 00",
        "93 00 ff ff ff ff ff ff ff ff 00 00 00 02 00 00",
    ],
)
def test_beyond_the_last_block_is_lba_out_of_range(cdb):
    assert sense_of(execute(cdb)) == (5, 0x21, 0)


@pytest.mark.parametrize("cdb", ["2f", "2e", "af", "ae", "8f", "8e", "89", "42"])
def test_no_blocks_are_good(cdb):
    assert execute(cdb) == Response()


@pytest.mark.parametrize("cdb", ["2f", "2e", "41", "42", "89", "93", "35", "16", "5e", "5f"])
def test_a_unit_that_does_not_serve_says_so(cdb):
    server = make_server()
    server.not_ready = BECOMING_READY

    assert sense_of(execute(cdb, server)) == (2, 4, 1)


def test_small_transfer_limit_is_that_of_compare_and_write_too():
    server = make_server()
    object.__setattr__(server.identity, "max_transfer_blocks", 8)

    assert isinstance(execute(f"89 00 {LBA_16} 00 00 00 08", server), Transfer)
    assert pointer_of(execute(f"89 00 {LBA_16} 00 00 00 09", server)) == ("cdb", 13)


def test_unmap_writes_zeros():
    assert unmap(unmap_list((5, 2048))) == Transfer(Op.WRITE, 5, 2048, Fill.ZERO, 0)


@pytest.mark.parametrize(
    "data", [unmap_list(), unmap_list((5, 0)), unmap_list((5, 1), descriptors=15)]
)
def test_unmap_of_nothing_is_good(data):
    """SBC-3 5.28.2: no descriptors and an incomplete one are no errors."""
    assert unmap(data) == Response()


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (bytes(7), 7),
        (unmap_list((5, 1))[:20], 24),
        (unmap_list((5, 1)), 16),
        (unmap_list((5, 1), descriptors=20), 24),
        (b"", 24),
    ],
)
def test_unmap_list_that_is_cut_is_a_length_error(data, length):
    assert sense_of(unmap(data, length=length)) == (5, 0x1A, 0)


@pytest.mark.parametrize(
    ("data", "field"), [(unmap_list((0, 1), (8, 1)), 2), (unmap_list((0, 2049)), 16)]
)
def test_unmap_beyond_its_limits_is_pointed_at_in_the_list(data, field):
    response = unmap(data)

    assert sense_of(response) == (5, 0x26, 0)
    assert pointer_of(response) == ("data", field)


def test_unmap_beyond_the_last_block_is_lba_out_of_range():
    assert sense_of(unmap(unmap_list((BLOCKS - 1, 2)))) == (5, 0x21, 0)
