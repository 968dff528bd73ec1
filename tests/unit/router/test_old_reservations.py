"""RESERVE and RELEASE of SPC-2, which old clusters still use, beside PERSISTENT RESERVE."""

import pytest
from scsi_target import CONFLICT, Pair, execute, pointer_of

from reference_router.scsi import Ask, Op, Response
from reference_router.service_state import Nexus

GOOD = Response()
WRITE = "2a 00 00 00 00 00 00 00 01 00"


@pytest.mark.parametrize(("reserve", "release"), [("16", "17"), ("56", "57")])
def test_one_nexus_holds_until_it_releases(reserve, release):
    pair = Pair()

    assert pair.send(reserve, "alpha", 1) == pair.send(reserve, "alpha", 1) == GOOD
    assert pair.send(reserve, "beta", 1) == pair.send(reserve, "alpha", 2) == CONFLICT
    assert pair.send(release, "beta", 1) == GOOD
    assert pair.state.legacy == Nexus("alpha", 1)
    assert pair.send(release, "alpha", 1) == GOOD
    assert pair.send(reserve, "beta", 2) == GOOD


@pytest.mark.parametrize(
    "cdb", [WRITE, "28 00 00 00 00 00 00 00 01 00", "00", "25", "1a 00 3f 00 ff"]
)
def test_others_are_kept_out(cdb):
    pair = Pair()
    pair.send("16", "alpha", 1)

    assert pair.send(cdb, "beta", 2) == CONFLICT
    assert pair.send(cdb, "alpha", 1) != CONFLICT


@pytest.mark.parametrize(
    "cdb", ["12 00 00 00 24", "03 00 00 00 12", "a0 00 00 00 00 00 00 00 00 ff"]
)
def test_others_may_look(cdb):
    pair = Pair()
    pair.send("16", "alpha", 1)

    assert pair.send(cdb, "beta", 2) != CONFLICT


@pytest.mark.parametrize("host", ["alpha", "beta"])
def test_persistent_reserve_is_a_conflict_meanwhile_even_for_the_holder(host):
    pair = Pair()
    pair.send("16", "alpha", 1)

    assert pair.send("5e 00 00 00 00 00 00 00 ff", host) == CONFLICT
    assert pair.reserve_out(0, host=host, new=1) == CONFLICT


def test_there_is_none_beside_registrations():
    pair = Pair()
    pair.register("alpha", key=1)

    assert pair.send("16", "alpha") == pair.send("17", "alpha") == CONFLICT


def test_held_transfer_is_asked_again():
    pair = Pair()
    pair.send("16", "alpha", 1)

    assert pair.servers[2].refusal(Op.READ, "alpha") == CONFLICT
    assert pair.servers[1].refusal(Op.READ, "alpha") is None


def test_release_of_nothing_needs_no_agreement():
    assert execute("17") == GOOD
    assert isinstance(execute("16"), Ask)


@pytest.mark.parametrize(
    ("cdb", "field"), [("16 01", 1), ("16 10", 1), ("56 02", 1), ("57 00 00 00 00 00 00 00 08", 8)]
)
def test_third_parties_and_extents_are_refused(cdb, field):
    assert pointer_of(execute(cdb)) == ("cdb", field)
