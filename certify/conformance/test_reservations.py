"""Persistent reservations: registering, reserving, releasing, and what is reported of it.

Two I_T nexuses, which differ in host and engine where the lab has a second host. Every answer of
PERSISTENT RESERVE IN is looked at through both.
"""

import pytest

from certify import reserve
from certify.conformance.expectation import CONFLICT, GOOD, INVALID_RELEASE
from certify.conformance.nexus import NexusPair, out, register
from certify.conformance.offers import offers
from certify.conformance.reservation_steps import (
    CLAUSE,
    KEY_1,
    KEY_2,
    KEY_3,
    LU_SCOPE,
    RESERVE,
    WRONG,
    does,
    is_held,
    keys_are,
)
from certify.conformance.reservation_steps import (
    FAMILY as FAMILY,
)
from certify.reserve import Kind, OutAction


def test_registering_follows_the_key(nexus_pair: NexusPair) -> None:
    """REGISTER needs the key that is there, and 0 removes it. Method: each step, keys after it."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, RESERVE, clause=CLAUSE):
        return
    does(
        one,
        "REGISTER with a key though not registered",
        OutAction.REGISTER,
        CONFLICT,
        key=WRONG,
        action_key=KEY_1,
    )
    does(one, "REGISTER", OutAction.REGISTER, GOOD, action_key=KEY_1)
    keys_are(nexus_pair, "after REGISTER", [KEY_1])
    does(
        one,
        "REGISTER without the key that is there",
        OutAction.REGISTER,
        CONFLICT,
        action_key=KEY_2,
    )
    does(one, "REGISTER of another key", OutAction.REGISTER, GOOD, key=KEY_1, action_key=KEY_2)
    does(
        other,
        "REGISTER of the same key by another nexus",
        OutAction.REGISTER,
        GOOD,
        action_key=KEY_2,
    )
    keys_are(nexus_pair, "of two nexuses with one key", [KEY_2, KEY_2])
    does(one, "REGISTER of key 0", OutAction.REGISTER, GOOD, key=KEY_2)
    keys_are(nexus_pair, "after one is unregistered", [KEY_2])
    does(
        one,
        "REGISTER AND IGNORE, not registered",
        OutAction.REGISTER_AND_IGNORE,
        GOOD,
        key=WRONG,
        action_key=KEY_1,
    )
    does(
        one,
        "REGISTER AND IGNORE, registered",
        OutAction.REGISTER_AND_IGNORE,
        GOOD,
        key=WRONG,
        action_key=KEY_3,
    )
    keys_are(nexus_pair, "after REGISTER AND IGNORE", [KEY_2, KEY_3])
    does(one, "REGISTER AND IGNORE of key 0", OutAction.REGISTER_AND_IGNORE, GOOD)
    keys_are(nexus_pair, "after REGISTER AND IGNORE of key 0", [KEY_2])


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_reserving_and_releasing(nexus_pair: NexusPair, kind: Kind) -> None:
    """One holder, or all; the same again is GOOD, another's is not. Method: each step."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, RESERVE, clause=CLAUSE):
        return
    name = kind.title
    does(one, f"{name}: RESERVE, not registered", OutAction.RESERVE, CONFLICT, kind=kind, key=KEY_1)
    register(one, KEY_1)
    register(other, KEY_2)
    does(
        one, f"{name}: RESERVE with a wrong key", OutAction.RESERVE, CONFLICT, kind=kind, key=WRONG
    )
    does(one, f"{name}: RESERVE", OutAction.RESERVE, GOOD, kind=kind, key=KEY_1)
    is_held(
        nexus_pair,
        name,
        reserve.Reservation(key=0 if kind.all_hold else KEY_1, scope=LU_SCOPE, kind=kind),
    )
    does(one, f"{name}: RESERVE again", OutAction.RESERVE, GOOD, kind=kind, key=KEY_1)
    same = GOOD if kind.all_hold else CONFLICT
    does(other, f"{name}: RESERVE by another", OutAction.RESERVE, same, kind=kind, key=KEY_2)
    wrong = _another(kind)
    does(
        one, f"{name}: RESERVE of another type", OutAction.RESERVE, CONFLICT, kind=wrong, key=KEY_1
    )
    does(
        one,
        f"{name}: RELEASE of another type",
        OutAction.RELEASE,
        INVALID_RELEASE,
        kind=wrong,
        key=KEY_1,
    )
    does(
        one, f"{name}: RELEASE with a wrong key", OutAction.RELEASE, CONFLICT, kind=kind, key=WRONG
    )
    if not kind.all_hold:
        does(
            other,
            f"{name}: RELEASE by who does not hold it",
            OutAction.RELEASE,
            GOOD,
            kind=kind,
            key=KEY_2,
        )
        is_held(
            nexus_pair,
            f"{name}, released by another",
            reserve.Reservation(key=KEY_1, scope=LU_SCOPE, kind=kind),
        )
    does(one, f"{name}: RELEASE", OutAction.RELEASE, GOOD, kind=kind, key=KEY_1)
    is_held(nexus_pair, f"{name}, released", None)
    does(one, f"{name}: RELEASE of nothing", OutAction.RELEASE, GOOD, kind=kind, key=KEY_1)


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_a_holder_that_leaves_releases(nexus_pair: NexusPair, kind: Kind) -> None:
    """The reservation goes with its holder; where all hold it, with the last. Method: key 0."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, RESERVE, clause=CLAUSE):
        return
    register(one, KEY_1)
    register(other, KEY_2)
    out(one, OutAction.RESERVE, kind, key=KEY_1).raise_for_status()
    does(one, f"{kind.title}: the holder unregisters", OutAction.REGISTER, GOOD, key=KEY_1)
    left = reserve.Reservation(key=0, scope=LU_SCOPE, kind=kind) if kind.all_hold else None
    is_held(nexus_pair, f"{kind.title}, after its holder unregistered", left)
    if kind.all_hold:
        other.settle()
        does(other, f"{kind.title}: the last unregisters", OutAction.REGISTER, GOOD, key=KEY_2)
        is_held(nexus_pair, f"{kind.title}, after the last unregistered", None)


def test_clearing_removes_everything(nexus_pair: NexusPair) -> None:
    """CLEAR by any registrant removes all keys and the reservation. Method: not by others."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, RESERVE, clause=CLAUSE):
        return
    register(one, KEY_1)
    out(one, OutAction.RESERVE, Kind.EXCLUSIVE_ACCESS, key=KEY_1).raise_for_status()
    does(other, "CLEAR by who is not registered", OutAction.CLEAR, CONFLICT, key=KEY_1)
    register(other, KEY_2)
    does(other, "CLEAR with a wrong key", OutAction.CLEAR, CONFLICT, key=WRONG)
    does(other, "CLEAR by a registrant", OutAction.CLEAR, GOOD, key=KEY_2)
    keys_are(nexus_pair, "after CLEAR", [])
    is_held(nexus_pair, "nothing, after CLEAR", None)


def _another(kind: Kind) -> Kind:
    return Kind.EXCLUSIVE_ACCESS if kind is Kind.WRITE_EXCLUSIVE else Kind.WRITE_EXCLUSIVE
