"""An engine lets the host go on under a deep queue that lasts, and is eager otherwise."""

from reference_router.pace import Pace


def test_eager_with_single_commands():
    pace = Pace()

    assert [pace.look(count) for count in (0, 1, 3, 0)] == [False] * 4
    assert pace.eager


def test_a_deep_queue_that_lasts_ends_eagerness_once():
    pace = Pace()

    assert [pace.look(16) for _ in range(5)] == [False, False, True, False, False]
    assert not pace.eager


def test_a_burst_does_not_end_it():
    pace = Pace()

    assert not any(pace.look(count) for count in (64, 64, 0, 64, 64))
    assert pace.eager


def test_in_between_it_stays_as_it_is():
    pace = Pace()
    for _ in range(3):
        pace.look(16)

    assert not pace.look(5)
    assert not pace.eager


def test_one_shallow_queue_brings_it_back():
    pace = Pace()
    for _ in range(3):
        pace.look(16)

    assert pace.look(1)
    assert pace.eager
