"""What a read has seen of a write under way is told only once every leg has that write."""

from mirror_bench import IN_SYNC, NO_ANSWER, RESYNCING, STALE, Bench

from reference_router.commands import Op


def commands(bench):
    """Return the commands that were answered, in order."""
    return [command for command, _ in bench.ended()]


def seen_half_way():
    """Leg A has a write of blocks 2 to 5 and leg B has not; a read of block 3 has ended."""
    bench = Bench(IN_SYNC, IN_SYNC)
    write = bench.submit(Op.WRITE, 2, 4)
    read = bench.submit(Op.READ, 3, 1)
    bench.end(leg=0)
    return bench, write, read


def test_read_waits_for_a_write_that_one_leg_has():
    """If that leg were lost with this engine, nobody could tell what was read."""
    bench, write, read = seen_half_way()
    assert commands(bench) == []

    bench.end(leg=1)

    assert bench.ended() == [(write, None), (read, None)]


def test_read_of_other_blocks_of_the_region_does_not_wait():
    bench = Bench(IN_SYNC, IN_SYNC)
    bench.submit(Op.WRITE, 2, 4)
    before, behind = bench.submit(Op.READ, 1, 1), bench.submit(Op.READ, 6, 2)

    bench.end(leg=0)

    assert commands(bench) == [before, behind]


def test_read_does_not_wait_for_a_write_that_came_after_it_ended():
    bench, write, read = seen_half_way()
    later = bench.submit(Op.WRITE, 3, 1)  # behind the first one, which it overlaps
    bench.end(leg=1)

    assert commands(bench) == [write, read]
    bench.end()
    assert commands(bench) == [write, read, later]


def test_read_that_overlaps_two_writes_waits_for_both():
    bench = Bench(IN_SYNC, IN_SYNC)
    first, second = bench.submit(Op.WRITE, 0, 2), bench.submit(Op.WRITE, 4, 2)
    read = bench.submit(Op.READ, 0, 8)
    bench.end(leg=0)
    ios = bench.take()
    for io in [each for each in ios if each.owner is first]:
        bench.mirror.leg_done(io, 0, 0)
    assert commands(bench) == [first]

    for io in [each for each in ios if each.owner is second]:
        bench.mirror.leg_done(io, 0, 0)

    assert commands(bench) == [first, second, read]


def test_copy_to_another_leg_holds_up_no_read():
    """It changes no leg that is read, and takes long."""
    bench = Bench(IN_SYNC, RESYNCING)
    bench.copy(0, 0, 1)
    bench.end(leg=0)
    assert bench.issued() == [(1, True, 0, 8)]
    read = bench.submit(Op.READ, 3, 1)

    bench.end(leg=0)

    assert commands(bench) == [read]


def test_comparison_that_has_not_written_yet_holds_up_no_read():
    bench = Bench(IN_SYNC, STALE)
    compare = bench.submit(Op.COMPARE_AND_WRITE, 3, 1)
    read = bench.submit(Op.READ, 3, 1)

    bench.end()

    assert commands(bench) == [read]
    assert bench.outbox.compares == [compare]


def test_read_is_told_when_the_leg_that_lacks_the_write_is_dropped():
    bench, write, read = seen_half_way()

    bench.commit(IN_SYNC, STALE)

    assert bench.ended() == [(write, None), (read, None)]


def test_engine_that_is_lost_does_not_tell_what_was_read():
    bench, write, read = seen_half_way()

    bench.mirror.lose()

    assert dict(bench.ended()) == {write: NO_ANSWER, read: NO_ANSWER}


def test_read_behind_a_write_that_takes_too_long_is_answered_once():
    bench, write, read = seen_half_way()
    bench.tick(10_000, command_ns=5_000)
    assert dict(bench.ended()) == {write: NO_ANSWER, read: NO_ANSWER}

    bench.end(leg=1)

    assert len(bench.ended()) == 2
    assert bench.mirror.busy == 0
