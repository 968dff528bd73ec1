"""What the keys on the legs say to engine 1 that starts: it serves only what must be newest."""

import pytest
from core_bench import key

from reference_router.keys import Key
from reference_router.messages import LegState
from reference_router.startup import Assessment, assess

IN_SYNC, STALE = LegState.IN_SYNC, LegState.STALE
STRANGERS = 0xDEADBEEF
OTHER_UNITS = Key(engine=1, check=99, epoch=3).pack()
BOTH = (IN_SYNC, IN_SYNC)


def verdict(*surveys: tuple[int, ...] | None, **changes: object) -> Assessment:
    words = {"cold_start": False, "force": False, "persisted_epoch": -1}
    return assess(surveys, names="ABC", engine_id=1, check=5, **{**words, **changes})


@pytest.mark.parametrize(
    ("surveys", "epoch", "states", "unclean"),
    [
        pytest.param(
            [(key(1, 7, clean=True),), (key(1, 7, clean=True),)], 7, BOTH, False, id="clean end"
        ),
        pytest.param([(key(1, 7),), (key(1, 7),)], 7, BOTH, True, id="unclean end"),
        pytest.param(
            [(key(1, 7), key(2, 7)), (key(1, 7), key(2, 7))], 7, BOTH, True, id="both died"
        ),
        pytest.param(
            [(key(1, 6), key(2, 7)), (key(1, 7), key(2, 7))],
            7,
            BOTH,
            True,
            id="both died while they recorded an epoch",
        ),
        pytest.param([(key(1, 5),), (key(1, 7),)], 7, (STALE, IN_SYNC), True, id="array was away"),
        pytest.param(
            [(key(1, 7),), (key(1, 0),)], 7, (IN_SYNC, STALE), True, id="leg was being copied to"
        ),
        pytest.param(
            [(key(2, 7, clean=True),), (key(2, 7, clean=True),)],
            7,
            BOTH,
            False,
            id="the other engine was the last and left cleanly",
        ),
        pytest.param(
            [(key(1, 7, clean=True), key(2, 7)), (key(1, 7, clean=True), key(2, 7))],
            7,
            BOTH,
            True,
            id="one key is clean and the other is not",
        ),
        pytest.param([(key(1, 3),), (key(1, 3),), (key(1, 3),)], 3, (*BOTH, IN_SYNC), True, id="3"),
    ],
)
def test_engine_that_was_a_member_to_the_end_may_start(surveys, epoch, states, unclean):
    found = verdict(*surveys)

    assert (found.may_start, found.why) == (True, "")
    assert (found.epoch, found.states, found.unclean) == (epoch, states, unclean)


@pytest.mark.parametrize(
    ("surveys", "why"),
    [
        pytest.param([(), ()], "nobody has said that the legs are equal", id="virgin"),
        pytest.param(
            [(key(2, 8),), (key(1, 7), key(2, 7))],
            "engine 2 went on without this one",
            id="wrong order",
        ),
        pytest.param(
            [(key(2, 8),), (key(2, 8),)], "engine 2 went on without this one", id="key was removed"
        ),
        pytest.param(
            [(key(1, 7), STRANGERS), (key(1, 7),)], "A has a key that is not of", id="a stranger's"
        ),
        pytest.param(
            [(key(1, 7),), (OTHER_UNITS,)],
            "B has a key that is not of this unit",
            id="other unit's",
        ),
        pytest.param([(key(1, 0), key(2, 0)), ()], "nobody has said that", id="nobody ever served"),
        pytest.param(
            [(key(2, 7, clean=True, holds=True),), (key(2, 7, clean=True, holds=True),)],
            "persistent reservations are with the other engine",
            id="reservations",
        ),
    ],
)
def test_engine_that_may_not_be_the_newest_waits_for_an_operator(surveys, why):
    found = verdict(*surveys)

    assert (found.may_start, found.operator) == (False, True)
    assert why in found.why


@pytest.mark.parametrize("surveys", [[None, (key(1, 7),)], [None, None], [(), None]])
def test_engine_that_cannot_read_all_keys_waits_for_the_legs(surveys):
    """What is hidden may be newer; it comes back by itself, so no operator is called."""
    found = verdict(*surveys, cold_start=True)

    assert (found.may_start, found.operator) == (False, False)
    assert "cannot read the keys of" in found.why


@pytest.mark.parametrize("word", ["cold_start", "force"])
def test_operator_may_say_that_virgin_legs_are_equal(word):
    found = verdict((), (), **{word: True})

    assert (found.may_start, found.epoch, found.states) == (True, 0, BOTH)
    assert not found.unclean


def test_claims_that_came_to_nothing_leave_legs_virgin():
    """Two engines that start for the first time at once may both leave a key of epoch 0."""
    found = verdict((key(1, 0), key(2, 0)), (), cold_start=True)

    assert (found.may_start, found.states, found.blank) == (True, BOTH, ())


def test_cold_start_says_nothing_of_legs_that_have_keys():
    assert not verdict((key(2, 8),), (key(2, 8),), cold_start=True).may_start


@pytest.mark.parametrize(
    ("surveys", "states"),
    [
        pytest.param([None, (key(1, 7),)], (STALE, IN_SYNC), id="a leg is hidden"),
        pytest.param([(key(2, 8),), (key(1, 7),)], (IN_SYNC, STALE), id="another went on"),
        pytest.param([None, ()], (STALE, IN_SYNC), id="virgin and hidden"),
    ],
)
def test_operator_may_force_a_start_from_what_can_be_seen(surveys, states):
    found = verdict(*surveys, force=True)

    assert (found.may_start, found.states) == (True, states)


@pytest.mark.parametrize("surveys", [[None, None], [(key(1, 7), STRANGERS), (key(1, 7),)]])
def test_force_neither_reads_what_is_hidden_nor_takes_a_strangers_leg(surveys):
    assert not verdict(*surveys, force=True).may_start


def test_persisted_reservations_of_the_same_epoch_are_as_good_as_the_other_engines():
    keys = (key(2, 7, clean=True, holds=True),)

    assert verdict(keys, keys, persisted_epoch=7).may_start
    assert not verdict(keys, keys, persisted_epoch=6).may_start


def test_leg_without_a_key_is_blank_beside_one_that_has_some():
    """An array that was replaced: its data may not be overwritten without an operator's word."""
    found = verdict((key(1, 7),), ())

    assert (found.states, found.blank) == ((IN_SYNC, STALE), (1,))


def test_forced_start_from_a_virgin_leg_does_not_take_that_leg_for_blank():
    assert verdict(None, (), force=True).blank == ()


def test_hidden_leg_is_not_taken_for_blank():
    assert verdict((key(1, 7),), None, force=True).blank == ()
