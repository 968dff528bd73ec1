"""The device server answers CDBs as SPC-4 and SBC-3 say, and refuses the rest with right sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scsi_target import BLOCKS, NAA, execute, make_server, sense_of

from reference_router.scsi import BECOMING_READY, Ask, Fill, Op, Response, Status, Transfer
from reference_router.service_state import Access, AccessState, ServiceState


@pytest.mark.parametrize(
    ("cdb", "expected"),
    [
        ("08 01 02 03 05 00", Transfer(Op.READ, 0x10203, 5)),
        ("0a 00 00 10 00 00", Transfer(Op.WRITE, 16, 256, Fill.DATA, 256)),
        ("28 00 00 00 01 00 00 00 08 00", Transfer(Op.READ, 256, 8)),
        ("2a 08 00 01 ff ff 00 00 01 00", Transfer(Op.WRITE, 131071, 1, Fill.DATA, 1)),
        ("a8 00 00 00 00 07 00 00 00 02", Transfer(Op.READ, 7, 2)),
        ("aa 00 00 00 00 07 00 00 04 00", Transfer(Op.WRITE, 7, 1024, Fill.DATA, 1024)),
        ("88 00 00 00 00 00 00 00 00 09 00 00 00 03", Transfer(Op.READ, 9, 3)),
        ("8a 10 00 00 00 00 00 00 00 09 00 00 00 03", Transfer(Op.WRITE, 9, 3, Fill.DATA, 3)),
    ],
)
def test_transfer_is_decoded(cdb, expected):
    assert expected == execute(cdb)


@pytest.mark.parametrize(
    "cdb",
    [
        "28 00 00 00 00 00 00 00 00 00",
        "2a 00 00 00 00 00 00 00 00 00",
        "88 00",
        "00",
        "35",
        "91",
        "1b 00 00 00 01 00",
        "28 00 00 02 00 00 00 00 00 00",
    ],
)
def test_nothing_to_do_is_good(cdb):
    assert Response() == execute(cdb)


@pytest.mark.parametrize(
    "cdb",
    [
        "08 02 00 00 01 00",
        "28 00 00 01 ff ff 00 00 02 00",
        "2a 00 ff ff ff ff 00 00 01 00",
        "88 00 ff ff ff ff ff ff ff ff 00 00 00 01",
        "28 00 00 02 00 01 00 00 00 00",
        "35 00 00 02 00 00 00 00 01 00",
    ],
)
def test_beyond_the_last_block_is_lba_out_of_range(cdb):
    """SBC-3 4.5: LOGICAL BLOCK ADDRESS OUT OF RANGE, also for a transfer of no blocks."""
    assert sense_of(execute(cdb)) == (5, 0x21, 0)


@pytest.mark.parametrize(
    "cdb", ["ff", "02", "49", "97", "04", "34", "8c", "7f", "55", "15", "3b", "4c", "1d"]
)
def test_unknown_operation_code_is_refused(cdb):
    assert sense_of(execute(cdb)) == (5, 0x20, 0)


@pytest.mark.parametrize(
    ("cdb", "field"),
    [
        ("28 20 00 00 00 00 00 00 01 00", 1),
        ("2a 00 00 00 00 00 00 00 01 04", 9),
        ("a8 00 00 00 00 00 00 00 04 01", 6),
        ("12 02 00 00 ff 00", 1),
        ("12 00 80 00 ff 00", 2),
        ("12 01 c7 00 ff 00", 2),
        ("12 00 00 00 ff 04", 5),
        ("9e 12 00", 1),
        ("a3 1e 00 00 00 00 00 00 00 ff", 1),
        ("a4 0b 00 00 00 00 00 00 00 00", 1),
        ("5e 04 00 00 00 00 00 00 ff 00", 1),
        ("28 02 00 00 00 00 00 00 01 00", 1),
        ("28 00 00 00 00 00 01 00 01 00", 6),
        ("88 00 00 00 00 00 00 00 00 00 00 00 00 01 00 04", 15),
        ("a3 4a 00 00 00 00 00 00 00 ff", 1),
        ("1a 00 07 00 ff 00", 2),
        ("1a 00 08 01 ff 00", 2),
        ("25 00 00 00 00 01", 2),
        ("1b 00 00 00 00 00", 4),
        ("1b 00 00 00 11 00", 4),
        ("00 00 00 00 00 04", 5),
        ("08 00 00 00 01 04", 5),
    ],
)
def test_invalid_field_is_pointed_at(cdb, field):
    """SPC-4 4.5.2.4.2: the field pointer names the byte in error."""
    response = execute(cdb)

    assert sense_of(response) == (5, 0x24, 0)
    assert (response.sense[15], int.from_bytes(response.sense[16:18], "big")) == (0xC0, field)


def test_saved_mode_pages_are_refused():
    assert sense_of(execute("1a 00 c8 00 ff 00")) == (5, 0x39, 0)


@pytest.mark.parametrize("cdb", ["00", "28 00 00 00 00 00 00 00 01 00", "35", "1b 00 00 00 01"])
def test_medium_that_is_not_ready_says_so(cdb):
    server = make_server()
    server.not_ready = BECOMING_READY

    assert sense_of(execute(cdb, server)) == (2, 4, 1)


def test_request_sense_tells_why_it_is_not_ready():
    server = make_server()
    server.not_ready = BECOMING_READY

    assert execute("03 00 00 00 12 00", server).data[2:14:10] == bytes((2, 4))
    assert execute("03 01 00 00 12 00", server).data == bytes((0x72, 2, 4, 1, 0, 0, 0, 0))


def test_inquiry_is_answered_also_when_not_ready():
    server = make_server()
    server.not_ready = BECOMING_READY

    data = execute("12 00 00 00 ff 00", server).data

    assert (data[0], data[2], data[8:16], len(data)) == (0, 6, b"ZEROSTAL", data[4] + 5)


def test_allocation_length_cuts_the_data():
    assert len(execute("12 00 00 00 05 00").data) == 5
    assert execute("12 00 00 00 00 00").data == b""


def test_supported_pages_are_all_there():
    pages = execute("12 01 00 00 ff 00").data[4:]

    assert bytes((0x00, 0x80, 0x83, 0x86, 0xB0, 0xB1, 0xB2)) == pages
    for page in pages:
        data = execute(f"12 01 {page:02x} 00 ff 00").data
        assert (page, len(data)) == (data[1], 4 + int.from_bytes(data[2:4], "big"))


def test_both_engines_give_the_same_unit_designator_and_their_own_port():
    first, second = (execute("12 01 83 00 ff 00", make_server(each)).data for each in (1, 2))

    assert first[4:24] == second[4:24] == bytes((1, 3, 0, 16)) + NAA
    assert first != second


def test_capacity_agrees_in_both_forms():
    short, long = execute("25").data, execute("9e 10 00 00 00 00 00 00 00 00 00 00 00 20").data

    assert short[:4] == long[4:8] == (BLOCKS - 1).to_bytes(4, "big")
    assert short[4:8] == long[8:12] == (512).to_bytes(4, "big")


def test_capacity_beyond_32_bits_is_told_by_the_long_form():
    server = make_server(blocks=1 << 33)

    assert execute("25", server).data[:4] == b"\xff\xff\xff\xff"
    long = execute("9e 10 00 00 00 00 00 00 00 00 00 00 00 20", server).data
    assert int.from_bytes(long[:8], "big") == (1 << 33) - 1


def test_caching_page_says_that_there_is_no_write_cache():
    data = execute("1a 08 08 00 ff 00").data

    assert (data[0], data[2] & 0x10, data[3]) == (len(data) - 1, 0x10, 0)
    assert (data[4], data[6] & 0x04) == (8, 0)


def test_mode_sense_10_gives_all_pages_and_a_long_descriptor():
    data = execute("5a 10 3f 00 00 00 00 00 ff 00").data

    assert int.from_bytes(data[:2], "big") == len(data) - 2
    assert (data[4] & 1, int.from_bytes(data[6:8], "big")) == (1, 16)
    assert int.from_bytes(data[8:16], "big") == BLOCKS


def test_changeable_values_are_none():
    assert execute("1a 08 48 00 ff 00").data[6:] == bytes(18)


def test_report_luns_lists_this_unit():
    data = execute("a0 00 00 00 00 00 00 00 00 ff").data

    assert data == (8).to_bytes(4, "big") + bytes(12)


def test_lun_in_an_inquiry_of_scsi_2_is_no_harm():
    """Linux looks for a new disk with the LUN in byte 1 until it knows the disk's version."""
    assert execute("12 20 00 00 ff 00").data == execute("12 00 00 00 ff 00").data


def test_block_limits_tell_the_limits_that_are_kept():
    page = execute("12 01 b0 00 ff 00").data
    same = int.from_bytes(page[36:44], "big")

    assert (page[4] & 1, page[5]) == (1, 255)
    assert int.from_bytes(page[8:12], "big") == 1024
    assert int.from_bytes(page[20:24], "big") == same == 2048
    assert int.from_bytes(page[24:28], "big") == 1
    assert isinstance(execute("93 00" + "00" * 8 + same.to_bytes(4, "big").hex()), Transfer)


def test_provisioning_is_told_alike_in_both_places():
    page = execute("12 01 b2 00 ff 00").data
    capacity = execute("9e 10 00 00 00 00 00 00 00 00 00 00 00 20").data

    assert (page[5], page[6]) == (0xE4, 1)  # LBPU, LBPWS, LBPWS10, LBPRZ; resource provisioned
    assert capacity[14] == 0xC0  # LBPME, LBPRZ


def test_hosts_may_set_access_states():
    """TPGS 11b."""
    assert execute("12 00 00 00 ff 00").data[5] >> 4 & 3 == 3


CDBS = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.builds(
        lambda code, action, rest: bytes((code, action)) + rest,
        st.sampled_from(
            (0x03, 0x08, 0x12, 0x1A, 0x2E, 0x2F, 0x41, 0x42, 0x5E, 0x5F, 0x89, 0x93, 0xA3, 0xA4)
        ),
        st.integers(0, 31),
        st.lists(st.sampled_from((0, 0, 0, 1, 8, 24, 255)), min_size=14, max_size=14).map(bytes),
    ),
)


@given(
    cdb=CDBS,
    data=st.binary(max_size=64),
    access=st.sampled_from(AccessState),
    host=st.sampled_from(("alpha", "nobody")),
)
def test_any_command_is_answered(cdb, data, access, host):
    """No command raises, and no transfer leaves the medium or a limit, or is empty."""
    server = make_server()
    server.service = ServiceState(access=(Access(engine=1, state=access),))
    answer = server.execute(cdb, host, lambda size: data[:size])

    if isinstance(answer, Transfer):
        assert 0 < answer.blocks <= (1024 if answer.fill is Fill.DATA else 2048)
        assert answer.lba + answer.blocks <= BLOCKS
    elif isinstance(answer, Ask):
        assert (answer.request.host, answer.request.engine) == (host, 1)
    else:
        assert (answer.status == Status.CHECK_CONDITION) == (answer.sense != b"")
