"""PERSISTENT RESERVE as SPC-4 5.13 has it, by CDBs through two engines that share one state."""

import pytest
from scsi_target import CONFLICT, ENGINES, HOSTS, Pair, execute, pointer_of, sense_of

from reference_router.reservation_data import transport_id
from reference_router.scsi import Op, Response
from reference_router.service_state import Nexus, ReservationType

GOOD = Response()
REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT, IGNORE, MOVE = range(8)
WE, EA, WE_RO, EA_RO, WE_AR, EA_AR = ReservationType
PREEMPTED, RELEASED, REMOVED = (0x2A, 3), (0x2A, 4), (0x2A, 5)


@pytest.fixture
def pair():
    """Three hosts are registered at engine 1: alpha with 0A, beta and gamma with 0B."""
    pair = Pair()
    pair.register("alpha", key=0xA)
    pair.register("beta", key=0xB)
    pair.register("gamma", key=0xB)
    return pair


def keys(pair):
    data = pair.look("5e 00 00 00 00 00 00 00 ff")
    assert int.from_bytes(data[4:8], "big") == len(data) - 8
    return [int.from_bytes(data[at : at + 8], "big") for at in range(8, len(data), 8)]


def generation(pair):
    return int.from_bytes(pair.look("5e 00 00 00 00 00 00 00 ff")[:4], "big")


def reservation(pair):
    """Return (key, type) as READ RESERVATION tells it, or None."""
    data = pair.look("5e 01 00 00 00 00 00 00 ff")
    if data[4:8] == bytes(4):
        return None
    assert len(data) == 24
    return int.from_bytes(data[8:16], "big"), data[21]


def told(pair):
    """Return the unit attentions of all nexuses."""
    nexuses = [(host, engine) for host in HOSTS for engine in ENGINES]
    found = {nexus: pair.attention_of(*nexus) for nexus in nexuses}
    return {nexus: code for nexus, code in found.items() if code}


def move(pair, *, key, new, host, port, unregister=False, length=None):
    """Send REGISTER AND MOVE from alpha at engine 1."""
    name = transport_id(host)
    data = key.to_bytes(8, "big") + new.to_bytes(8, "big") + bytes((0, 2 * unregister))
    data += port.to_bytes(2, "big") + (length or len(name)).to_bytes(4, "big") + name
    return pair.send(f"5f 07 00 00 00 {len(data):08x} 00", data=data)


def test_register_changes_and_removes_a_key(pair):
    assert pair.reserve_out(REGISTER, key=0xA, new=0xC) == GOOD
    assert sorted(keys(pair)) == [0xB, 0xB, 0xC]
    assert pair.reserve_out(REGISTER, key=0xC) == GOOD
    assert keys(pair) == [0xB, 0xB]


@pytest.mark.parametrize(("engine", "key"), [(1, 0), (1, 0xB), (2, 0xA)])
def test_register_with_a_key_that_is_not_the_own_is_a_conflict(pair, engine, key):
    before = pair.state

    assert pair.reserve_out(REGISTER, engine=engine, key=key, new=0xC) == CONFLICT
    assert pair.state == before


def test_registration_is_of_a_nexus_not_of_a_host(pair):
    assert pair.reserve_out(RESERVE, WE, engine=2, key=0xA) == CONFLICT


def test_register_of_nothing_is_good_and_not_counted():
    pair = Pair()

    assert pair.reserve_out(REGISTER) == pair.reserve_out(IGNORE) == GOOD
    assert generation(pair) == 0


def test_all_ports_register_at_both_engines():
    pair = Pair()

    assert pair.reserve_out(REGISTER, new=0xA, flags=0x04) == GOOD
    assert pair.state.key_of(Nexus("alpha", 2)) == 0xA
    assert pair.reserve_out(REGISTER, engine=2, key=0xA, flags=0x04) == GOOD
    assert keys(pair) == []


def test_all_ports_leave_a_port_with_another_key_alone():
    pair = Pair()
    pair.register("alpha", 2, key=0xD)

    assert pair.reserve_out(REGISTER, new=0xA, flags=0x04) == GOOD
    assert sorted(keys(pair)) == [0xA, 0xD]


def test_initiator_ports_cannot_be_named(pair):
    response = pair.reserve_out(REGISTER, key=0xA, new=0xC, flags=0x08)

    assert (sense_of(response), pointer_of(response)) == ((5, 0x26, 0), ("data", 20))


@pytest.mark.parametrize("kind", ReservationType)
def test_reserving_again_is_good_and_otherwise_a_conflict(pair, kind):
    other = EA if kind is WE else WE

    assert pair.reserve_out(RESERVE, kind, key=0xA) == GOOD
    assert pair.reserve_out(RESERVE, kind, key=0xA) == GOOD
    assert pair.reserve_out(RESERVE, other, key=0xA) == CONFLICT
    again = pair.reserve_out(RESERVE, kind, host="beta", key=0xB)
    assert again == (GOOD if kind in (WE_AR, EA_AR) else CONFLICT)
    assert reservation(pair) == (0 if kind in (WE_AR, EA_AR) else 0xA, kind)


# Who may read and write: the holder, another registered nexus, one that is not registered.
ACCESS = {
    WE: ("rw", "r", "r"),
    EA: ("rw", "", ""),
    WE_RO: ("rw", "rw", "r"),
    EA_RO: ("rw", "rw", ""),
    WE_AR: ("rw", "rw", "r"),
    EA_AR: ("rw", "rw", ""),
}
READS = ("28 00 00 00 00 00 00 00 01 00", "2f 00 00 00 00 00 00 00 01 00", "1a 00 3f 00 ff")
READS += ("a3 0c 00 00 00 00 00 00 00 ff", "08 00 00 00 01")
WRITES = ("2a 00 00 00 00 00 00 00 01 00", "35", "42", "a4 0a", "2e 00 00 00 00 00 00 00 01 00")
WRITES += ("41 00 00 00 00 00 00 00 01 00", "89 00 00 00 00 00 00 00 00 00 00 00 00 01")
ANYBODY = ("00", "12 00 00 00 24", "03 00 00 00 12", "25", "1b 00 00 00 01")
ANYBODY += ("9e 10 00 00 00 00 00 00 00 00 00 00 00 20", "a0 00 00 00 00 00 00 00 00 ff")
ANYBODY += ("a3 0a 00 00 00 00 00 00 00 ff", "5e 00 00 00 00 00 00 00 ff")


@pytest.mark.parametrize("kind", ReservationType)
def test_access_is_as_the_type_says(pair, kind):
    pair.reserve_out(RESERVE, kind, key=0xA)
    nexuses = (("alpha", 1), ("beta", 1), ("beta", 2))

    for nexus, may in zip(nexuses, ACCESS[kind], strict=True):
        for letter, commands in (("r", READS), ("w", WRITES)):
            for cdb in commands:
                assert (pair.send(cdb, *nexus) == CONFLICT) == (letter not in may), (nexus, cdb)
        for cdb in ANYBODY:
            assert pair.send(cdb, *nexus) != CONFLICT, (nexus, cdb)


def test_held_transfer_is_asked_again(pair):
    server = pair.servers[2]
    assert server.refusal(Op.WRITE, "beta") is None
    pair.reserve_out(RESERVE, WE, key=0xA)

    assert server.refusal(Op.WRITE, "beta") == CONFLICT
    assert server.refusal(Op.COMPARE_AND_WRITE, "beta") == CONFLICT
    assert server.refusal(Op.READ, "beta") is None
    assert pair.servers[1].refusal(Op.WRITE, "alpha") is None


@pytest.mark.parametrize("kind", ReservationType)
def test_release_tells_the_registered_unless_one_alone_had_access(pair, kind):
    pair.reserve_out(RESERVE, kind, key=0xA)

    assert pair.reserve_out(RELEASE, kind, key=0xA) == GOOD
    assert reservation(pair) is None
    everyone = {("beta", 1): RELEASED, ("gamma", 1): RELEASED}
    assert told(pair) == ({} if kind in (WE, EA) else everyone)


def test_release_of_another_type_is_an_invalid_release(pair):
    pair.reserve_out(RESERVE, WE, key=0xA)

    assert sense_of(pair.reserve_out(RELEASE, EA, key=0xA)) == (5, 0x26, 4)
    assert reservation(pair) == (0xA, WE)


def test_release_by_who_does_not_hold_is_good_and_does_nothing(pair):
    pair.reserve_out(RESERVE, WE, key=0xA)

    assert pair.reserve_out(RELEASE, WE, host="beta", key=0xB) == GOOD
    assert reservation(pair) == (0xA, WE)


@pytest.mark.parametrize("kind", [WE, EA, WE_RO, EA_RO])
def test_reservation_goes_with_its_holders_registration(pair, kind):
    pair.reserve_out(RESERVE, kind, key=0xA)
    pair.reserve_out(REGISTER, key=0xA)

    assert reservation(pair) is None
    everyone = {("beta", 1): RELEASED, ("gamma", 1): RELEASED}
    assert told(pair) == ({} if kind in (WE, EA) else everyone)


def test_reservation_of_all_goes_with_the_last_registration(pair):
    pair.reserve_out(RESERVE, WE_AR, key=0xA)
    for host, key in (("alpha", 0xA), ("beta", 0xB)):
        pair.reserve_out(REGISTER, host=host, key=key)
        assert reservation(pair) == (0, WE_AR)
    pair.reserve_out(REGISTER, host="gamma", key=0xB)

    assert reservation(pair) is None


def test_key_can_change_under_a_reservation(pair):
    pair.reserve_out(RESERVE, WE, key=0xA)
    pair.reserve_out(REGISTER, key=0xA, new=0xC)

    assert reservation(pair) == (0xC, WE)


def test_clear_removes_all_and_tells_the_others(pair):
    pair.reserve_out(RESERVE, WE, host="beta", key=0xB)

    assert pair.reserve_out(CLEAR, key=0xA) == GOOD
    assert (keys(pair), reservation(pair)) == ([], None)
    assert told(pair) == {("beta", 1): PREEMPTED, ("gamma", 1): PREEMPTED}


@pytest.mark.parametrize("action", [PREEMPT, PREEMPT_AND_ABORT])
def test_preempt_takes_the_reservation_of_the_named_key(pair, action):
    pair.reserve_out(RESERVE, WE, host="beta", key=0xB)

    assert pair.reserve_out(action, WE, key=0xA, new=0xB) == GOOD
    assert (keys(pair), reservation(pair)) == ([0xA], (0xA, WE))
    assert told(pair) == {("beta", 1): REMOVED, ("gamma", 1): REMOVED}


def test_preempt_of_another_key_than_the_holders_leaves_the_reservation(pair):
    pair.reserve_out(RESERVE, WE, key=0xA)

    assert pair.reserve_out(PREEMPT, EA, key=0xA, new=0xB) == GOOD
    assert (keys(pair), reservation(pair)) == ([0xA], (0xA, WE))


def test_preempt_without_a_reservation_only_removes(pair):
    assert pair.reserve_out(PREEMPT, WE, host="beta", key=0xB, new=0xA) == GOOD
    assert (keys(pair), reservation(pair)) == ([0xB, 0xB], None)
    assert told(pair) == {("alpha", 1): REMOVED}


def test_preempt_of_a_key_that_is_not_there_is_a_conflict(pair):
    assert pair.reserve_out(PREEMPT, WE, key=0xA, new=0xE) == CONFLICT


def test_preempt_of_key_zero_is_for_all_registrants_only(pair):
    response = pair.reserve_out(PREEMPT, WE, key=0xA)
    assert (sense_of(response), pointer_of(response)) == ((5, 0x26, 0), ("data", 8))

    pair.reserve_out(RESERVE, WE_AR, key=0xA)
    assert pair.reserve_out(PREEMPT, EA, key=0xA) == GOOD
    assert (keys(pair), reservation(pair)) == ([0xA], (0xA, EA))


def test_preempt_that_changes_the_type_tells_those_who_stay(pair):
    pair.register("beta", key=0xC)
    pair.reserve_out(RESERVE, WE_RO, host="gamma", key=0xB)

    assert pair.reserve_out(PREEMPT, WE, key=0xA, new=0xB) == GOOD
    assert told(pair) == {("beta", 1): RELEASED, ("gamma", 1): REMOVED}


def test_preempt_that_keeps_the_type_tells_only_who_lost(pair):
    pair.register("beta", key=0xC)
    pair.reserve_out(RESERVE, WE_RO, host="gamma", key=0xB)

    assert pair.reserve_out(PREEMPT, WE_RO, key=0xA, new=0xB) == GOOD
    assert told(pair) == {("gamma", 1): REMOVED}


def test_holder_may_preempt_itself_to_change_the_type(pair):
    pair.reserve_out(RESERVE, WE, host="beta", key=0xB)

    assert pair.reserve_out(PREEMPT, EA_RO, host="beta", key=0xB, new=0xB) == GOOD
    assert (keys(pair), reservation(pair)) == ([0xA, 0xB], (0xB, EA_RO))
    assert told(pair) == {("alpha", 1): RELEASED, ("gamma", 1): REMOVED}


def test_move_makes_another_nexus_the_holder(pair):
    pair.reserve_out(RESERVE, WE, key=0xA)

    assert move(pair, key=0xA, new=0xD, host="beta", port=2, unregister=True) == GOOD
    assert pair.state.key_of(Nexus("alpha", 1)) is None
    assert pair.state.holds(Nexus("beta", 2))
    assert reservation(pair) == (0xD, WE)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"new": 0}, ("data", 8)),
        ({"host": "nobody"}, ("data", 24)),
        ({"port": 3}, ("data", 18)),
        ({"host": "alpha", "port": 1}, ("data", 24)),
    ],
)
def test_move_to_what_is_not_there_is_pointed_at(pair, wrong, where):
    pair.reserve_out(RESERVE, WE, key=0xA)
    before = pair.state
    response = move(pair, **({"key": 0xA, "new": 0xD, "host": "beta", "port": 2} | wrong))

    assert pointer_of(response) == where
    assert pair.state == before


def test_move_is_the_holders_alone(pair):
    assert sense_of(move(pair, key=0xA, new=0xD, host="beta", port=2)) == (5, 0x24, 0)
    pair.reserve_out(RESERVE, WE, host="gamma", key=0xB)
    assert move(pair, key=0xA, new=0xD, host="beta", port=2) == CONFLICT


@pytest.mark.parametrize("action", [RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT])
def test_who_is_not_registered_gets_a_conflict(pair, action):
    assert pair.reserve_out(action, WE, engine=2, key=0xA, new=0xB) == CONFLICT
    assert pair.reserve_out(action, WE, key=0xB, new=0xB) == CONFLICT


@pytest.mark.parametrize(("kind", "field"), [(0x11, 2), (0, 2), (2, 2), (4, 2), (9, 2)])
def test_scope_or_type_that_is_not_there_is_pointed_at(kind, field):
    for action in (RESERVE, RELEASE, PREEMPT, PREEMPT_AND_ABORT):
        response = execute(f"5f {action:02x} {kind:02x} 00 00 00 00 00 18", data=bytes(24))
        assert pointer_of(response) == ("cdb", field)


def test_scope_and_type_are_ignored_where_they_have_no_meaning(pair):
    assert pair.reserve_out(REGISTER, 0xF3, key=0xA, new=0xC) == GOOD


@pytest.mark.parametrize(("length", "data"), [(0, 0), (23, 23), (25, 25), (24, 23), (1 << 24, 24)])
def test_list_of_another_length_is_a_length_error(length, data):
    response = execute(f"5f 00 00 00 00 {length:08x}", data=bytes(data))

    assert sense_of(response) == (5, 0x1A, 0)


def test_move_list_that_contradicts_itself_is_a_length_error(pair):
    response = move(pair, key=0xA, new=0xD, host="beta", port=2, length=200)

    assert sense_of(response) == (5, 0x1A, 0)


def test_move_list_shorter_than_the_cdb_says_is_a_length_error():
    data = bytes(20) + (24).to_bytes(4, "big") + bytes(24)
    response = execute(f"5f 07 00 00 00 {len(data) + 4:08x} 00", data=data)

    assert sense_of(response) == (5, 0x1A, 0)


def test_generation_counts_what_changes_registrations(pair):
    counts = [generation(pair)]
    for action, new in ((RESERVE, 0), (RELEASE, 0), (REGISTER, 0xA), (PREEMPT, 0xB), (CLEAR, 0)):
        pair.reserve_out(action, WE, key=0xA, new=new)
        counts.append(generation(pair))

    assert counts == [3, 3, 3, 4, 5, 6]


def test_capabilities_tell_all_types_and_whether_power_loss_is_outlived(pair):
    data = pair.look("5e 02 00 00 00 00 00 00 08")
    assert data == bytes((0, 8, 0x05, 0x90, 0xEA, 0x01, 0, 0))

    pair.reserve_out(REGISTER, key=0xA, new=0xA, flags=0x01)
    assert pair.look("5e 02 00 00 00 00 00 00 08")[3] == 0x91


def test_full_status_names_every_nexus(pair):
    pair.reserve_out(RESERVE, EA_RO, host="beta", key=0xB)
    data = pair.look("5e 03 00 00 00 00 00 04 00")
    name = transport_id("beta")
    size = 24 + len(name)
    second = data[8 + size :][:size]  # all three names are padded to the same length

    assert int.from_bytes(data[4:8], "big") == len(data) - 8 == 3 * size
    assert second[:8] == (0xB).to_bytes(8, "big")
    assert second[12:14] == bytes((1, EA_RO))
    assert second[18:20] == bytes((0, 1))
    assert second[20:] == len(name).to_bytes(4, "big") + name
    assert data[8 + 12 : 8 + 14] == bytes(2)


def test_transport_id_is_padded_to_whole_words():
    for host in ("a", "ab", "abc", "abcd", "x" * 40):
        name = transport_id(host)
        assert (len(name) % 4, name[0], name[-1]) == (0, 5, 0)
        assert int.from_bytes(name[2:4], "big") == len(name) - 4 >= 20
