"""PREEMPT, PREEMPT AND ABORT and REGISTER AND MOVE: who takes a reservation from whom."""

import pytest

from certify import reserve
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import CONFLICT, GOOD, INVALID_FIELD, INVALID_PARAMETER
from certify.conformance.nexus import NexusPair, out, register
from certify.conformance.offers import offers
from certify.conformance.reservation_steps import (
    CLAUSES,
    KEY_1,
    KEY_2,
    KEY_3,
    LU_SCOPE,
    WRONG,
    does,
    is_held,
    keys_are,
    report,
)
from certify.conformance.reservation_steps import FAMILY as FAMILY
from certify.lab import Lab
from certify.reserve import FullStatus, InAction, Kind, OutAction

CLAUSE = CLAUSES[OutAction.PREEMPT]
MOVING = CLAUSES[OutAction.REGISTER_AND_MOVE]
PREEMPT = "PERSISTENT RESERVE OUT PREEMPT"
OWN_SERVERS = ("", "reference-router", "unsupervised")
"""Targets of the virtual lab that keep reservations themselves, and any target of a real lab."""
HANGS = (
    "reservations of this target are kept by LIO behind tcm_loop, where PREEMPT AND ABORT never "
    "ends and takes the unit with it (docs/decisions/0007)"
)
MOVE = "PERSISTENT RESERVE OUT REGISTER AND MOVE"


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize("action", [OutAction.PREEMPT, OutAction.PREEMPT_AND_ABORT])
def test_a_holder_is_preempted(
    lab: Lab, nexus_pair: NexusPair, kind: Kind, action: OutAction
) -> None:
    """Who preempts the holder holds the reservation. Method: another type, then READ RESERVATION.

    Nothing of the holder is under way, so an abort has nothing to do.
    """
    one, other = nexus_pair.one, nexus_pair.other
    name = f"{kind.title}: {action.name.replace('_', ' ')}"
    if action is OutAction.PREEMPT_AND_ABORT and _aborts_in_tcm_loop(lab):
        one.not_run(name, clause=CLAUSE, expected=str(GOOD), reason=HANGS)
        return
    if not offers(one, f"PERSISTENT RESERVE OUT {action.name.replace('_', ' ')}", clause=CLAUSE):
        return
    _both_registered(nexus_pair)
    out(other, OutAction.RESERVE, kind, key=KEY_2).raise_for_status()
    does(one, f"{name} with a wrong key", action, CONFLICT, kind=kind, key=WRONG, action_key=KEY_2)
    does(
        one, f"{name} of a key nobody has", action, CONFLICT, kind=kind, key=KEY_1, action_key=KEY_3
    )
    new = Kind.EXCLUSIVE_ACCESS if kind is not Kind.EXCLUSIVE_ACCESS else Kind.WRITE_EXCLUSIVE
    victim = 0 if kind.all_hold else KEY_2
    does(one, f"{name} of the holder", action, GOOD, kind=new, key=KEY_1, action_key=victim)
    keys_are(nexus_pair, f"after {name}", [KEY_1])
    wanted = reserve.Reservation(key=KEY_1, scope=LU_SCOPE, kind=new)
    is_held(nexus_pair, f"{name}, as {new.title}", wanted)
    does(
        other,
        f"{name}: the preempted key is no more",
        OutAction.RELEASE,
        CONFLICT,
        kind=new,
        key=KEY_2,
    )


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_a_registrant_is_preempted(nexus_pair: NexusPair, kind: Kind) -> None:
    """PREEMPT of who does not hold removes its key only. Method: the holder preempts another."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, PREEMPT, clause=CLAUSE):
        return
    name = f"{kind.title}: PREEMPT of a registrant"
    _both_registered(nexus_pair)
    out(one, OutAction.RESERVE, kind, key=KEY_1).raise_for_status()
    does(one, name, OutAction.PREEMPT, GOOD, kind=kind, key=KEY_1, action_key=KEY_2)
    keys_are(nexus_pair, f"after {name}", [KEY_1])
    held = reserve.Reservation(key=0 if kind.all_hold else KEY_1, scope=LU_SCOPE, kind=kind)
    is_held(nexus_pair, name, held)
    does(other, f"{name}: it is out", OutAction.REGISTER, CONFLICT, key=KEY_2, action_key=KEY_3)


def test_preempting_needs_a_key(nexus_pair: NexusPair) -> None:
    """Key 0 names nobody, unless all hold. Method: PREEMPT of 0 with one holder and with none."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, PREEMPT, clause=CLAUSE):
        return
    kind = Kind.WRITE_EXCLUSIVE
    does(
        other,
        "PREEMPT, not registered",
        OutAction.PREEMPT,
        CONFLICT,
        kind=kind,
        key=KEY_2,
        action_key=KEY_1,
    )
    _both_registered(nexus_pair)
    does(
        one,
        "PREEMPT of key 0, nothing reserved",
        OutAction.PREEMPT,
        INVALID_PARAMETER,
        kind=kind,
        key=KEY_1,
    )
    out(one, OutAction.RESERVE, kind, key=KEY_1).raise_for_status()
    does(
        other,
        "PREEMPT of key 0, one holder",
        OutAction.PREEMPT,
        INVALID_PARAMETER,
        kind=kind,
        key=KEY_2,
    )
    keys_are(nexus_pair, "after refused PREEMPTs", [KEY_1, KEY_2])


def test_without_a_reservation_keys_are_removed(nexus_pair: NexusPair) -> None:
    """PREEMPT with nothing reserved removes registrations. Method: and reserves nothing."""
    one = nexus_pair.one
    if not offers(one, PREEMPT, clause=CLAUSE):
        return
    _both_registered(nexus_pair)
    kind = Kind.WRITE_EXCLUSIVE
    name = "PREEMPT, nothing reserved"
    does(one, name, OutAction.PREEMPT, GOOD, kind=kind, key=KEY_1, action_key=KEY_2)
    keys_are(nexus_pair, f"after {name}", [KEY_1])
    is_held(nexus_pair, name, None)


@pytest.mark.parametrize("unregister", [False, True], ids=["stays", "leaves"])
def test_a_reservation_is_moved(nexus_pair: NexusPair, unregister: bool) -> None:
    """REGISTER AND MOVE registers another nexus and makes it the holder. Method: full status."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, MOVE, clause=MOVING):
        return
    target = _status_of(other, KEY_2)
    register(one, KEY_1)
    kind = Kind.WRITE_EXCLUSIVE
    data = reserve.move_list(KEY_1, KEY_3, target.port, target.transport_id, unregister=unregister)
    command = reserve.reserve_out(OutAction.REGISTER_AND_MOVE, list_length=len(data))
    name = f"REGISTER AND MOVE, its sender {'leaves' if unregister else 'stays'}"
    one.expect(f"{name}: nothing reserved", command, INVALID_FIELD, clause=MOVING, data_out=data)
    out(one, OutAction.RESERVE, kind, key=KEY_1).raise_for_status()
    one.expect(name, command, GOOD, clause=MOVING, data_out=data)
    keys_are(nexus_pair, f"after {name}", [KEY_3] if unregister else [KEY_1, KEY_3])
    is_held(nexus_pair, name, reserve.Reservation(key=KEY_3, scope=LU_SCOPE, kind=kind))
    other.settle()
    does(other, f"{name}: the new holder releases", OutAction.RELEASE, GOOD, kind=kind, key=KEY_3)


def test_moving_to_nobody_is_refused(nexus_pair: NexusPair) -> None:
    """REGISTER AND MOVE needs a key and a nexus. Method: key 0; and the reservation stays."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, MOVE, clause=MOVING):
        return
    target = _status_of(other, KEY_2)
    register(one, KEY_1)
    out(one, OutAction.RESERVE, Kind.WRITE_EXCLUSIVE, key=KEY_1).raise_for_status()
    data = reserve.move_list(KEY_1, 0, target.port, target.transport_id)
    command = reserve.reserve_out(OutAction.REGISTER_AND_MOVE, list_length=len(data))
    what = "REGISTER AND MOVE to key 0"
    one.expect(what, command, INVALID_PARAMETER, clause=MOVING, data_out=data)
    held = reserve.Reservation(key=KEY_1, scope=LU_SCOPE, kind=Kind.WRITE_EXCLUSIVE)
    is_held(nexus_pair, "after a refused move", held)


def _aborts_in_tcm_loop(lab: Lab) -> bool:
    return lab.lab.kind == "virtual" and lab.lab.target not in OWN_SERVERS


def _both_registered(pair: NexusPair) -> None:
    register(pair.one, KEY_1)
    register(pair.other, KEY_2)


def _status_of(nexus: Examiner, key: int) -> FullStatus:
    """Return how the device names a nexus: register it, ask, unregister it; raise ScsiError."""
    register(nexus, key)
    found = reserve.decode_full_status(report(nexus, InAction.READ_FULL_STATUS))
    register(nexus, 0)
    return next(one for one in found if one.key == key)
