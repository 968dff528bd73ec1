"""Guests spread over the processors they may keep to."""

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from certify.virtual_lab.processor import kept_for_a_guest

# Numbers that no host has: real guests that keep to a processor meanwhile are not counted here.
FIRST = 100_000 + os.getpid() * 10


@pytest.fixture
def guests():
    with ExitStack() as stack:
        yield stack


def take(guests, *processors):
    return guests.enter_context(kept_for_a_guest(FIRST + one for one in processors)) - FIRST


def test_the_last_one_first(guests):
    assert take(guests, 0, 1, 2) == 2


def test_the_one_with_the_fewest_guests(guests):
    assert [take(guests, 0, 1) for _ in range(5)] == [1, 0, 1, 0, 1]


def test_only_one_of_those_that_are_allowed(guests):
    assert [take(guests, 1) for _ in range(3)] == [1, 1, 1]
    assert take(guests, 0, 1) == 0


def test_a_guest_that_is_gone_does_not_count(guests):
    with kept_for_a_guest([FIRST, FIRST + 1]) as processor:
        assert processor == FIRST + 1
    assert take(guests, 0, 1) == 1


def test_guests_of_another_process_count_until_it_ends(guests):
    program = (
        "import sys; from certify.virtual_lab.processor import kept_for_a_guest\n"
        f"with kept_for_a_guest([{FIRST + 1}]): print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        assert take(guests, 0, 1) == 0
        other.kill()
    assert take(guests, 1) == 1
