"""A leg is slow if it answers much later than the others do, second after second."""

from reference_router.latency import WINDOW_NS, LatencyWatch

QUICK, SLOW = 100, 101


class Seen:
    """A watch over legs 0 and 1, and the second that it is in."""

    def __init__(self, *, slow_ns: int = 100, limit: int = 3) -> None:
        self.watch = LatencyWatch(2, slow_ns=slow_ns, limit=limit)
        self.now_ns = 0
        self.watch.look((0, 1), 0)

    def second(self, first: list[int], other: list[int], legs: tuple[int, ...] = (0, 1)):
        """Let a second pass with I/Os of both legs; return which leg is slow."""
        for leg, took in ((0, first), (1, other)):
            for each in took:
                self.watch.note(leg, each)
        self.now_ns += WINDOW_NS
        return self.watch.look(legs, self.now_ns)


def test_leg_is_slow_after_as_many_slow_seconds_as_the_limit_says():
    seen = Seen()

    assert [seen.second([QUICK], [SLOW]) for _ in range(3)] == [None, None, 1]


def test_deep_queue_that_meets_one_pause_is_not_slow():
    seen = Seen()

    assert seen.second([QUICK] * 200, [SLOW] * 200) is None


def test_quick_second_begins_the_count_anew():
    seen = Seen()
    seconds = [[SLOW], [SLOW], [QUICK], [SLOW], [SLOW]]

    assert [seen.second([QUICK], each) for each in seconds] == [None] * 5


def test_second_without_io_counts_neither_way():
    seen = Seen()
    seconds = [[SLOW], [SLOW], [], [SLOW]]

    assert [seen.second([QUICK], each) for each in seconds] == [None, None, None, 1]


def test_no_leg_is_slow_when_all_are():
    """What holds up all legs alike is the engine's own machine, or the load."""
    seen = Seen()

    assert [seen.second([SLOW], [SLOW]) for _ in range(6)] == [None] * 6


def test_other_leg_may_be_slow_now_and_then():
    seen = Seen()

    assert [seen.second([QUICK] * 9 + [SLOW], [SLOW]) for _ in range(3)] == [None, None, 1]


def test_half_of_the_ios_is_enough():
    seen = Seen()

    assert [seen.second([QUICK], [SLOW, QUICK]) for _ in range(3)] == [None, None, 1]


def test_last_leg_in_use_is_compared_with_nobody():
    seen = Seen()

    assert [seen.second([], [SLOW], legs=(1,)) for _ in range(6)] == [None] * 6


def test_leg_that_comes_back_begins_anew():
    seen = Seen()
    for _ in range(2):
        seen.second([QUICK], [SLOW])

    seen.watch.forget(1)

    assert seen.second([QUICK], [SLOW]) is None


def test_nothing_is_said_within_a_second():
    seen = Seen(limit=1)
    seen.watch.note(0, QUICK)
    seen.watch.note(1, SLOW)

    assert seen.watch.look((0, 1), seen.now_ns + WINDOW_NS // 2) is None


def test_watch_that_is_switched_off_finds_nobody_slow():
    seen = Seen(slow_ns=0)

    assert [seen.second([0], [1 << 40]) for _ in range(6)] == [None] * 6
