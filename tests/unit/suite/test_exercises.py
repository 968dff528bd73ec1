"""Exercises beside the load: what they make of what they saw, without a device."""

import random
import threading

import pytest

from certify.exercise import Stage
from certify.exercises.in_fault import InFault
from certify.exercises.race import Outcome, Swap, contested, problems
from certify.exercises.resync_reads import judged
from certify.lab import LabError

WON, LOST, UNKNOWN = Outcome.WON, Outcome.LOST, Outcome.UNKNOWN


class Events:
    """Keeps what was reported."""

    def __init__(self):
        self.seen = []
        self.happened = threading.Event()

    def event(self, kind, subject, detail="", data=None, t_ns=None):
        self.seen.append((subject, data["good"]))
        self.happened.set()


@pytest.fixture
def events():
    return Events()


def stage(events, phase):
    return Stage(
        lab=None,
        devices=None,
        events=events,
        shells=None,
        run_id="r",
        seed=1,
        ordinal=1,
        phase=phase,
    )


def in_fault(events, act, *, phase="fault", after_s=0.0):
    made = stage(events, lambda: phase)
    return InFault(name="x", stage=made, after_s=after_s, act=act)


def test_what_is_to_be_done_in_the_fault_is_done_then(events):
    exercise = in_fault(events, lambda to: to.report("x", expected="e", observed="o", good=True))
    exercise.start()
    assert events.happened.wait(5.0)
    exercise.stop()

    assert events.seen == [("x", True)]


def test_what_was_never_due_is_told_and_not_counted_as_good(events):
    exercise = in_fault(events, lambda _: pytest.fail("too early"), phase="steady")
    exercise.start()
    exercise.stop()

    assert events.seen == [("x", None)]


def test_what_goes_wrong_in_the_fault_is_raised_at_the_end(events):
    def act(_stage):
        events.happened.set()
        raise OSError("no such device")

    exercise = in_fault(events, act)
    exercise.start()
    assert events.happened.wait(5.0)

    with pytest.raises(LabError, match="exercise x: no such device"):
        exercise.stop()


CHAIN = [Swap(0, 0, 2, WON), Swap(1, 0, 3, LOST), Swap(1, 2, 5, WON)]


def test_a_chain_of_winners_is_right():
    assert problems(CHAIN, first=0, last=5) == []


def test_two_winners_of_one_value_are_found():
    (text,) = problems([*CHAIN, Swap(0, 2, 4, WON)], first=0, last=5)

    assert text == "value 2 was replaced 2 times, by [5, 4]"


@pytest.mark.parametrize("last", [0, 2, 3, 9])
def test_a_winner_that_was_lost_is_found(last):
    (text,) = problems(CHAIN, first=0, last=last)

    assert "no order of the 2 swaps that won" in text


def test_a_winner_that_replaced_what_never_was_there_is_found():
    assert problems([Swap(0, 7, 8, WON)], first=0, last=8)


@pytest.mark.parametrize("last", [5, 9])
def test_a_swap_with_an_unknown_end_may_have_been_done(last):
    assert problems([*CHAIN, Swap(0, 5, 9, UNKNOWN)], first=0, last=last) == []


def test_an_unknown_swap_can_be_what_the_next_winner_replaced():
    swaps = [Swap(0, 0, 2, UNKNOWN), Swap(1, 0, 3, UNKNOWN), Swap(1, 3, 5, WON)]

    assert problems(swaps, first=0, last=5) == []
    assert problems(swaps, first=0, last=2)


def test_an_unknown_swap_cannot_have_been_done_beside_a_winner():
    assert problems([Swap(0, 0, 2, WON), Swap(1, 0, 3, UNKNOWN)], first=0, last=3)


def test_random_races_are_right_and_every_forgotten_winner_is_found():
    rng = random.Random(7)  # noqa: S311 - the same races every time
    for _ in range(100):
        value, swaps = 0, []
        for new in range(1, 20):
            winner = rng.randrange(2)
            swaps.append(Swap(winner, value, new * 2, rng.choice([WON, UNKNOWN])))
            swaps.append(Swap(1 - winner, value, new * 2 + 1, LOST))
            value = new * 2
        assert problems(swaps, first=0, last=value) == []
        forgotten = rng.choice([swap for swap in swaps if swap.outcome is not LOST])
        assert problems([one for one in swaps if one is not forgotten], first=0, last=value)


def test_values_are_contested_that_two_racers_tried_and_one_got():
    assert contested(CHAIN) == 1
    assert contested([Swap(0, 0, 2, LOST), Swap(1, 0, 3, LOST)]) == 0


def test_reads_during_a_copy_are_told_beside_those_before():
    observed, good = judged([1.0] * 99 + [2.0], [3.0] * 100)

    assert (observed, good) == ("p99 1.0 ms before, 3.0 ms during the copy: 3.0 times", True)


def test_a_handful_of_reads_says_nothing():
    observed, good = judged([1.0] * 100, [3.0] * 19)

    assert (observed, good) == ("100 reads before, 19 during the copy: too few", None)
