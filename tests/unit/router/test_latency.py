"""A leg is slow if it answers much later than the others do, again and again."""

from reference_router.latency import LatencyWatch

QUICK, SLOW = 100, 101


def watch(*, slow_ns: int = 100, limit: int = 8) -> LatencyWatch:
    return LatencyWatch(2, slow_ns=slow_ns, limit=limit)


def note(seen: LatencyWatch, leg: int, took_ns: int, times: int) -> LatencyWatch:
    for _ in range(times):
        seen.note(leg, took_ns)
    return seen


def test_leg_is_slow_after_as_many_slow_answers_as_the_limit_says():
    seen = note(watch(), 1, SLOW, 7)
    assert seen.slow((0, 1)) is None

    assert note(seen, 1, SLOW, 1).slow((0, 1)) == 1


def test_quick_answers_make_up_for_slow_ones():
    """A leg that is slow now and then is not dropped."""
    seen = watch()
    for _ in range(100):
        note(note(seen, 1, SLOW, 1), 1, QUICK, 1)

    assert seen.slow((0, 1)) is None


def test_no_leg_is_slow_when_all_are():
    """What holds up all legs alike is the engine's own machine, or the load."""
    seen = note(note(watch(), 0, SLOW, 8), 1, SLOW, 8)

    assert seen.slow((0, 1)) is None


def test_other_leg_may_be_slow_now_and_then():
    seen = note(note(watch(), 0, SLOW, 2), 1, SLOW, 8)

    assert seen.slow((0, 1)) == 1


def test_last_leg_in_use_alone_is_compared_with_nobody():
    """The mirror never drops it, whatever is said."""
    assert note(watch(), 1, SLOW, 8).slow((0,)) is None


def test_slowness_does_not_pile_up():
    """A leg that was slow for an hour is quick again after as many quick answers as the limit."""
    seen = note(note(watch(), 1, SLOW, 10_000), 1, QUICK, 1)

    assert seen.slow((0, 1)) is None


def test_leg_that_comes_back_begins_anew():
    seen = note(watch(), 1, SLOW, 8)

    seen.forget(1)

    assert seen.slow((0, 1)) is None


def test_watch_that_is_switched_off_finds_nobody_slow():
    assert note(watch(slow_ns=0), 1, 1 << 40, 100).slow((0, 1)) is None
