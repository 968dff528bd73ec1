"""Target port groups: reported, set by hosts, and heeded."""

import pytest
from scsi_target import CONFLICT, HOSTS, Pair, execute, make_server, pointer_of, sense_of

from reference_router.scsi import Ask, Response, Transfer
from reference_router.service_state import Access, AccessState, ServiceState

READ = "28 00 00 00 00 00 00 00 01 00"
REPORT = "a3 0a 00 00 00 00 00 00 00 ff"


def groups_list(*groups):
    body = b"".join(bytes((state, 0)) + group.to_bytes(2, "big") for group, state in groups)
    return bytes(4) + body


def set_groups(pair, *groups, host="alpha", engine=1):
    data = groups_list(*groups)
    return pair.send(f"a4 0a 00 00 00 00 {len(data):08x} 00 00", host, engine, data=data)


def in_state(state, engine=1):
    server = make_server(engine)
    server.service = ServiceState(access=(Access(engine=engine, state=state),))
    return server


def test_groups_tell_both_engines():
    server = make_server()
    server.members = (1,)
    data = execute(REPORT, server).data

    assert int.from_bytes(data[:4], "big") == len(data) - 4 == 24
    assert (data[4], data[5], data[7], data[11], data[15]) == (0, 0x0F, 1, 1, 1)
    assert (data[16], data[19], data[21], data[23], data[27]) == (3, 2, 2, 1, 2)


def test_extended_header_comes_if_asked_for():
    data = execute("a3 2a 00 00 00 00 00 00 00 ff").data

    assert (data[4], data[8] & 15, data[11]) == (0x10, 0, 1)


def test_preferred_group_has_its_bit():
    server = make_server()
    server.service = ServiceState(preferred=2)
    data = execute(REPORT, server).data

    assert (data[4], data[16]) == (0x00, 0x80)


def test_host_sets_states_which_both_engines_tell():
    pair = Pair()

    assert set_groups(pair, (1, 1), (2, 2)) == Response()
    for engine in (1, 2):
        data = pair.look(REPORT, engine)
        assert (data[4], data[9], data[16], data[21]) == (1, 1, 2, 1)


def test_others_learn_of_a_change_and_its_author_does_not():
    pair = Pair()
    set_groups(pair, (2, 2))

    told = {(host, engine): pair.attention_of(host, engine) for host in HOSTS for engine in (1, 2)}
    assert told.pop(("alpha", 1)) is None
    assert set(told.values()) == {(0x2A, 6)}


def test_no_change_needs_no_attention():
    pair = Pair()

    assert set_groups(pair, (1, 0)) == Response()
    assert pair.attention_of("beta") is None


@pytest.mark.parametrize(
    ("groups", "field"), [([(1, 3)], 4), ([(1, 14)], 4), ([(1, 0), (7, 0)], 10)]
)
def test_state_or_group_that_is_not_there_is_pointed_at(groups, field):
    pair = Pair()
    response = set_groups(pair, *groups)

    assert (sense_of(response), pointer_of(response)) == ((5, 0x26, 0), ("data", field))
    assert pair.state == ServiceState()


@pytest.mark.parametrize(("size", "given"), [(3, 3), (6, 6), (8, 7)])
def test_list_that_is_cut_is_a_length_error(size, given):
    answer = execute(f"a4 0a 00 00 00 00 {size:08x}", data=bytes(given))

    assert sense_of(answer) == (5, 0x1A, 0)


def test_empty_list_is_good():
    assert execute("a4 0a") == Response()


@pytest.mark.parametrize(
    ("state", "ascq"), [(AccessState.STANDBY, 0x0B), (AccessState.UNAVAILABLE, 0x0C)]
)
def test_medium_is_not_ready_in_standby_and_unavailable(state, ascq):
    server = in_state(state)

    for cdb in (READ, "00", "2a 00 00 00 00 00 00 00 01 00", "16"):
        assert sense_of(execute(cdb, server)) == (2, 4, ascq)
    assert execute("03 00 00 00 12", server).data[2:14:11] == bytes((2, ascq))


def test_non_optimized_serves():
    assert isinstance(execute(READ, in_state(AccessState.ACTIVE_NON_OPTIMIZED)), Transfer)


@pytest.mark.parametrize("cdb", ["12 00 00 00 24", REPORT, "03 00 00 00 12", "a4 0a"])
def test_what_a_host_needs_to_change_it_works_when_unavailable(cdb):
    answer = execute(cdb, in_state(AccessState.UNAVAILABLE))

    assert isinstance(answer, Ask | Response)
    assert answer.sense == b""


@pytest.mark.parametrize("cdb", ["5e 00 00 00 00 00 00 00 ff", "1a 00 3f 00 ff", "25"])
def test_standby_answers_more_than_unavailable(cdb):
    assert execute(cdb, in_state(AccessState.STANDBY)).sense == b""
    assert sense_of(execute(cdb, in_state(AccessState.UNAVAILABLE))) == (2, 4, 0x0C)


def test_state_of_the_other_group_is_no_matter_here():
    server = make_server(1)
    server.service = ServiceState(access=(Access(engine=2, state=AccessState.STANDBY),))

    assert isinstance(execute(READ, server), Transfer)


def test_setting_is_refused_to_who_has_no_access():
    pair = Pair()
    pair.register("beta", key=1)
    pair.reserve_out(1, 1, host="beta", key=1)

    assert set_groups(pair, (1, 1)) == CONFLICT
