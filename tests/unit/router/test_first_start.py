"""Who starts when nobody serves: one of the two, whatever the order of events."""

from core_bench import TIMING, Bench


def serving(bench: Bench) -> list[int]:
    return [number for number in bench.nodes if bench.unit(number).serves]


def test_two_engines_that_start_at_once_come_to_serve():
    bench = Bench(1, 2, cold_start=True)
    bench.meet()

    bench.until(lambda: serving(bench) == [1, 2])

    assert bench.unit(1).leads


def test_two_engines_without_a_link_that_start_at_once_come_to_an_end():
    """Both find the other's new key, and take theirs back; then they do not go on in step."""
    bench = Bench(1, 2, cold_start=True)

    bench.until(lambda: len(serving(bench)) == 1)


def test_engine_of_higher_id_gives_the_other_time_to_read_the_keys():
    """The other says that it may not start: perhaps it just has not looked yet."""
    bench = Bench(1, 2, cold_start=True)
    for array in bench.arrays:
        array.cut_off = {1, 2}
    bench.meet()
    bench.run(2000)
    for array in bench.arrays:
        array.cut_off = {1}
    bench.until(lambda: bench.unit(2).starting.assessment.may_start)
    found_ns = bench.now_ns

    bench.until(lambda: serving(bench) == [2])

    tick_ns = 20_000_000  # as exactly as the bench looks
    assert bench.now_ns - found_ns >= TIMING.peer_wait_ns - tick_ns
