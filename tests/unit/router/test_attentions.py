"""Unit attentions are reported once per nexus, in order, and before what they may explain."""

import pytest
from scsi_target import CONFLICT, HOSTS, Pair, execute, make_server, sense_of

from reference_router.scsi import Response, Transfer
from reference_router.service_state import Attention

READ = "28 00 00 00 00 00 00 00 01 00"


def attend(server, host, ascq, *, asc=0x2A, engine=1):
    server.attention(host, Attention(host=host, engine=engine, asc=asc, ascq=ascq))


def test_attention_is_reported_once_to_its_host_alone():
    server = make_server()
    attend(server, "alpha", 6)

    assert isinstance(execute(READ, server, host="beta"), Transfer)
    assert sense_of(execute(READ, server)) == (6, 0x2A, 6)
    assert isinstance(execute(READ, server), Transfer)


def test_attentions_come_in_order_and_each_once():
    server = make_server()
    for ascq in (5, 4, 5):
        attend(server, "alpha", ascq)

    assert [sense_of(execute("00", server))[2] for _ in range(2)] == [5, 4]
    assert execute("00", server) == Response()


def test_attention_of_another_engines_nexus_is_not_ours():
    server = make_server(1)
    attend(server, "alpha", 6, engine=2)

    assert execute("00", server) == Response()


@pytest.mark.parametrize("cdb", ["12 00 00 00 24 00", "a0 00 00 00 00 00 00 00 00 ff"])
def test_inquiry_and_report_luns_neither_report_nor_clear(cdb):
    server = make_server()
    attend(server, "alpha", 6)

    assert isinstance(execute(cdb, server), Response)
    assert execute(cdb, server).sense == b""
    assert sense_of(execute("00", server)) == (6, 0x2A, 6)


def test_request_sense_returns_and_clears():
    server = make_server()
    attend(server, "alpha", 6)

    first, second = (execute("03 00 00 00 12", server) for _ in range(2))
    assert (first.sense, first.data[2], first.data[12], first.data[13]) == (b"", 6, 0x2A, 6)
    assert second.data[2] == 0


def test_unknown_command_reports_an_attention_too():
    server = make_server()
    attend(server, "alpha", 6)

    assert [sense_of(execute("ff", server))[0] for _ in range(2)] == [6, 5]


def test_reset_is_told_to_the_other_hosts():
    """SAM-5 6.3.3: to every nexus but the one that it came through, once."""
    pair = Pair()
    assert pair.agree(pair.servers[1].reset("alpha")) == Response()

    told = {(host, engine): pair.attention_of(host, engine) for host in HOSTS for engine in (1, 2)}
    assert told.pop(("alpha", 1)) is None
    assert set(told.values()) == {(0x29, 3)}
    assert {pair.attention_of(host, 2) for host in HOSTS} == {None}


def test_reset_ends_an_old_reservation():
    pair = Pair()
    pair.send("16", "alpha", 1)

    assert pair.agree(pair.servers[2].reset("beta")) == Response()
    assert pair.state.legacy is None


def test_only_resets_are_told_before_a_reservation_conflict():
    """SAM-5 5.3.3: RESERVATION CONFLICT goes before other unit attentions, which then stay."""
    pair = Pair()
    pair.register("alpha", key=1)
    pair.reserve_out(1, 3, key=1)
    server = pair.servers[1]
    attend(server, "beta", 6)
    attend(server, "beta", 3, asc=0x29)

    assert sense_of(pair.send(READ, "beta")) == (6, 0x29, 3)
    assert pair.send(READ, "beta") == CONFLICT
    assert sense_of(pair.send("00", "beta")) == (6, 0x2A, 6)
    assert pair.send("00", "beta") == Response()
