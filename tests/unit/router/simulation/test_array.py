"""The simulated array: reservations as SPC-4 5.13 has them."""

import pytest

from reference_router.keys import Control, ControlOp, Outcome
from reference_router.simulator.array import Array

REGISTER, RESERVE = ControlOp.REGISTER, ControlOp.RESERVE
PREEMPT = ControlOp.PREEMPT_AND_ABORT


def do(array, engine, op, key=0, other=0):
    """Do a control command; return how it ended."""
    return array.control(engine, Control("lu0", 0, op, key, other))[0].outcome


@pytest.fixture
def array():
    """An array that both engines are registered on, and that is reserved."""
    array = Array()
    do(array, 1, REGISTER, 0, 11)
    do(array, 2, REGISTER, 0, 22)
    do(array, 1, RESERVE, 11)
    return array


def test_without_a_reservation_everybody_writes():
    assert Array().may_write(1)


def test_registered_engines_write(array):
    assert array.may_write(1)
    assert array.may_write(2)


def test_a_preempted_engine_does_not_write(array):
    result, aborted = array.control(1, Control("lu0", 0, PREEMPT, 11, 22))

    assert (result.outcome, aborted) == (Outcome.GOOD, (2,))
    assert not array.may_write(2)
    assert array.reserved


def test_the_one_who_reserved_may_be_preempted_and_the_reservation_stays(array):
    assert do(array, 2, PREEMPT, 22, 11) is Outcome.GOOD
    assert array.reserved
    assert not array.may_write(1)


def test_preempting_a_key_that_is_gone_conflicts(array):
    do(array, 1, PREEMPT, 11, 22)

    assert do(array, 1, PREEMPT, 11, 22) is Outcome.CONFLICT


def test_an_engine_that_is_not_registered_preempts_nobody(array):
    do(array, 1, PREEMPT, 11, 22)

    assert do(array, 2, PREEMPT, 22, 11) is Outcome.CONFLICT


def test_registering_from_the_wrong_key_conflicts(array):
    assert do(array, 1, REGISTER, 12, 13) is Outcome.CONFLICT
    assert array.keys[1] == 11


def test_registering_changes_the_key_and_keeps_the_reservation(array):
    assert do(array, 1, REGISTER, 11, 13) is Outcome.GOOD
    assert array.keys == {1: 13, 2: 22}
    assert array.reserved


def test_register_and_ignore_needs_no_key(array):
    assert do(array, 1, ControlOp.REGISTER_AND_IGNORE, 0, 13) is Outcome.GOOD
    assert array.keys[1] == 13


def test_the_last_registrant_takes_the_reservation_along(array):
    do(array, 1, REGISTER, 11, 0)
    assert array.reserved

    do(array, 2, REGISTER, 22, 0)
    assert not array.reserved


def test_clear_needs_a_registration(array):
    assert do(array, 1, ControlOp.CLEAR, 12) is Outcome.CONFLICT
    assert do(array, 1, ControlOp.CLEAR, 11) is Outcome.GOOD
    assert (array.keys, array.reserved) == ({}, False)


def test_keys_can_be_read_by_anybody(array):
    result, _ = array.control(3, Control("lu0", 0, ControlOp.READ_KEYS))

    assert (result.keys, result.reservation_type) == ((11, 22), 7)


def test_a_bad_block_is_mended_by_a_write():
    array = Array()
    array.bad.add(3)
    assert not array.readable(2, 2)

    array.put(3, [9], stamp=1)

    assert array.readable(2, 2)
