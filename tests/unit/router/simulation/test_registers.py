"""The judge of histories: right ones pass, wrong ones fail, and it agrees with a slow obvious one.

Method: hypothesis draws small histories of one block. The slow judge tries every order of every
choice of what may have happened.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_router.simulator.registers import NEVER, Access, Did, judge

READ, WRITE, SWAP, DIFFERED = Did


def slow_judge(history):
    """Tell whether some order of the accesses explains what was seen."""
    maybe = [access for access in history if not access.certain]
    sure = [access for access in history if access.certain]
    for size in range(len(maybe) + 1):
        for chosen in itertools.combinations(maybe, size):
            orders = itertools.permutations([*sure, *chosen])
            if any(keeps_time(order) and explains(order) for order in orders):
                return True
    return False


def keeps_time(order):
    """Tell whether nothing comes after what began when it was over."""
    return not any(later.end < earlier.start for earlier, later in itertools.combinations(order, 2))


def explains(order):
    """Tell whether a register that does this in order shows what was seen."""
    value = 0
    for access in order:
        if access.did is READ and access.value != value:
            return False
        if access.did is DIFFERED and access.value == value:
            return False
        if access.did is SWAP and access.expected != value:
            return False
        if access.did in (WRITE, SWAP):
            value = access.value
    return True


@st.composite
def histories(draw):
    """A history of at most six accesses, with few values, so that they meet."""
    history = []
    for number in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, 12))
        end = start + draw(st.integers(1, 8))
        did = draw(st.sampled_from(Did))
        certain = did in (READ, DIFFERED) or draw(st.booleans())
        if not certain and draw(st.booleans()):
            end = NEVER
        value = draw(st.integers(0, 3)) if did in (READ, DIFFERED) else number % 3 + 1
        history.append(Access(start, end, did, value, draw(st.integers(0, 3)), certain))
    return history


@settings(max_examples=600, deadline=None)
@given(histories())
def test_agrees_with_the_slow_judge(history):
    assert (judge(history) is None) == slow_judge(history)


RIGHT = {
    "nothing": [],
    "a read sees what was written before": [Access(1, 2, WRITE, 5), Access(3, 4, READ, 5)],
    "a read sees a write under way or not": [
        Access(1, 9, WRITE, 5),
        Access(2, 3, READ, 0),
        Access(4, 5, READ, 5),
    ],
    "what nobody answered may have happened late": [
        Access(1, NEVER, WRITE, 5, certain=False),
        Access(2, 3, READ, 0),
        Access(4, 5, READ, 5),
    ],
    "a swap sees what it expects": [
        Access(1, 2, WRITE, 5),
        Access(3, 4, SWAP, 6, 5),
        Access(5, 6, READ, 6),
    ],
    "a swap that was sent twice fails because of itself": [
        Access(1, 9, SWAP, 6, 0, certain=False),
        Access(5, 9, DIFFERED, 0),
    ],
    "a second copy of a write may undo another write": [
        Access(1, 9, WRITE, 5, certain=False),
        Access(2, 3, WRITE, 6),
        Access(4, 9, WRITE, 5),
        Access(10, 11, READ, 5),
    ],
}
WRONG = {
    "lost": [Access(1, 2, WRITE, 5), Access(3, 4, READ, 0)],
    "from nowhere": [Access(1, 2, READ, 7)],
    "unread": [Access(1, 9, WRITE, 5), Access(2, 3, READ, 5), Access(4, 5, READ, 0)],
    "ghost": [
        Access(1, 5, WRITE, 5, certain=False),
        Access(4, 5, WRITE, 5),
        Access(6, 7, WRITE, 6),
        Access(8, 9, READ, 5),
    ],
    "two swaps of the same": [Access(1, 5, SWAP, 6, 0), Access(2, 6, SWAP, 7, 0)],
    "did not differ": [Access(1, 2, WRITE, 5), Access(3, 4, DIFFERED, 5)],
}


@pytest.mark.parametrize("name", RIGHT)
def test_passes(name):
    assert judge(RIGHT[name]) is None


@pytest.mark.parametrize("name", WRONG)
def test_finds(name):
    assert judge(WRONG[name]) is not None


def test_names_the_access_that_nothing_explains():
    wrong = Access(3, 4, READ, 0, label="the read")

    assert judge([Access(1, 2, WRITE, 5), wrong]).label == "the read"


def test_many_writes_that_nobody_answered_take_no_time():
    """Each retry of one write is alike: their order is not tried."""
    retries = [Access(number, 1000, WRITE, 5, certain=False) for number in range(40)]
    reads = [Access(100 + 2 * number, 101 + 2 * number, READ, 5) for number in range(40)]

    assert judge([*retries, *reads]) is None
