"""The router lets go of its legs only if nothing is under way, and says what each is worth."""

import pytest

from reference_router.keys import ControlResult, Key, Outcome
from reference_router.leg_keys import Place
from reference_router.releasing import judge

CHECK = 0x5A
PLACES = [
    Place(unit="lu0", check=CHECK, array=array, leg=leg, path=f"/dev/{array}")
    for leg, array in enumerate("AB")
]


def keys(*found):
    """Return a survey that found (engine, epoch, clean) keys."""
    packed = tuple(
        Key(engine=engine, check=CHECK, epoch=epoch, clean=clean).pack()
        for engine, epoch, clean in found
    )
    return ControlResult(outcome=Outcome.GOOD, keys=packed)


def test_after_a_clean_stop_nothing_stands_against_it():
    verdict = judge(PLACES, [keys((1, 7, True)), keys((1, 7, True))])

    assert verdict.objections == ()
    assert verdict.worth == ("whole (epoch 7)", "whole (epoch 7)")


def test_legs_without_a_key_are_free_already():
    verdict = judge(PLACES, [keys(), keys()])

    assert verdict.objections == ()
    assert verdict.worth == ("had no key: nothing is known of its data",) * 2


def test_a_stale_leg_is_named():
    verdict = judge(PLACES, [keys((1, 7, True)), keys((1, 3, False), (2, 3, False))])

    assert verdict.objections == ()
    assert verdict.worth[1] == "STALE (epoch 3 of 7): its data is old"


def test_a_leg_that_was_being_copied_to_is_not_whole():
    verdict = judge(PLACES, [keys((1, 7, True)), keys((1, 0, False))])

    assert verdict.worth[1] == "being copied to: its data is NOT WHOLE"


@pytest.mark.parametrize(
    ("surveys", "objection"),
    [
        (
            [keys((1, 7, True)), keys((1, 7, True), (2, 7, False))],
            "lu0 on B (/dev/B): expected the key of a clean stop, seen engine 2's of epoch 7",
        ),
        ([keys((1, 0, False)), keys()], "lu0: expected a leg that is whole, seen copies"),
        (
            [keys((1, 7, True)), ControlResult(outcome=Outcome.ERROR, why="no device")],
            "lu0 on B (/dev/B): expected its reservation keys, seen: no device",
        ),
        (
            [keys((1, 7, True)), ControlResult(outcome=Outcome.GOOD, keys=(0xABC,))],
            "lu0 on B (/dev/B): expected keys of this unit's engines only, seen 0x0000000000000abc",
        ),
    ],
)
def test_what_stands_against_it_is_said(surveys, objection):
    (seen,) = judge(PLACES, surveys).objections

    assert seen.startswith(objection)
