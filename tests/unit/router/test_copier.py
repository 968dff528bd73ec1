"""Copies from leg to leg: what is waited for first, what is counted, and what cannot be read."""

import errno

import pytest
from core_bench import BLOCKS, IN_SYNC, REGION_BLOCKS, RESYNCING, STALE, Bench, alone, pair

from reference_router.commands import Op
from reference_router.messages import Copied, Refresh
from reference_router.scsi import UNRECOVERED_READ_ERROR, check_condition

SLOW = REGION_BLOCKS * 512 * 10  # bytes per second: a region in 100 ms


def unclean(**changes: object) -> Bench:
    """Return a bench where engine 1 serves after an unclean end: all regions may differ.

    Their first pass has not begun yet.
    """
    bench = alone(**changes)
    del bench.nodes[1]
    for lba in range(BLOCKS):
        bench.arrays[lba // REGION_BLOCKS % 2].blocks[lba] = f"read leg's {lba}"
    bench.start(1, **changes)
    bench.until(lambda: bool(bench.unit(1).mirror.repairs))
    return bench


# Repair


def test_repair_makes_the_legs_equal_to_what_reads_have_given():
    bench = unclean()

    bench.until(lambda: not bench.unit(1).mirror.repairs)

    assert bench.arrays[0].blocks == bench.arrays[1].blocks
    assert bench.arrays[0].blocks == [f"read leg's {lba}" for lba in range(BLOCKS)]


def blocks_of(region):
    return range(region * REGION_BLOCKS, (region + 1) * REGION_BLOCKS)


def differing(bench):
    """Return the blocks that are not the same on both arrays."""
    pairs = zip(bench.arrays[0].blocks, bench.arrays[1].blocks, strict=True)
    return [lba for lba, (one, other) in enumerate(pairs) if one != other]


def test_blocks_that_a_command_reads_are_made_equal_first_and_alone():
    bench = unclean(rate_bytes_per_s=SLOW)
    left = list(bench.unit(1).mirror.repairs)
    assert {5, 7} < set(left)
    before = differing(bench)

    verify = bench.submit(1, Op.VERIFY, 7 * REGION_BLOCKS)
    read = bench.submit(1, Op.READ, 5 * REGION_BLOCKS + 1)
    bench.run()

    assert bench.is_done(verify)
    assert bench.is_done(read)
    assert list(bench.unit(1).mirror.repairs) == left
    made = set(before) - set(differing(bench))
    assert made == {7 * REGION_BLOCKS, 5 * REGION_BLOCKS + 1}


def test_what_is_read_in_two_regions_has_both_repaired_first():
    bench = unclean(rate_bytes_per_s=SLOW)
    left = set(bench.unit(1).mirror.repairs)
    assert {5, 6} < left

    read = bench.submit(1, Op.READ, 6 * REGION_BLOCKS - 1, 2)
    bench.run()

    assert bench.is_done(read)
    assert left - set(bench.unit(1).mirror.repairs) == {5, 6}


def test_regions_get_a_turn_however_many_reads_there_are(monkeypatch):
    bench = unclean()
    mirror = bench.unit(1).mirror
    lbas = [lba for region in mirror.repairs for lba in blocks_of(region)]
    copied = []

    def submit(command, now_ns, submit=mirror.submit):
        if command.op is Op.COPY:
            copied.append(command.blocks)
        submit(command, now_ns)

    monkeypatch.setattr(mirror, "submit", submit)
    bench.now_ns += 1_000_000_000  # a region is due

    reads = [bench.submit(1, Op.READ, lba) for lba in lbas]
    bench.run()

    assert all(bench.is_done(read) for read in reads)
    assert copied.index(REGION_BLOCKS) == 16 < copied.count(1)


def test_write_does_not_wait_for_the_repair_and_outlives_it():
    bench = unclean(rate_bytes_per_s=SLOW)
    left = list(bench.unit(1).mirror.repairs)
    lba = 7 * REGION_BLOCKS

    write = bench.write(1, lba, "x")
    bench.run()
    assert bench.is_done(write)
    assert list(bench.unit(1).mirror.repairs) == left
    assert bench.arrays[0].blocks[lba + 1] != bench.arrays[1].blocks[lba + 1]

    bench.until(lambda: not bench.unit(1).mirror.repairs)
    assert bench.arrays[0].blocks == bench.arrays[1].blocks
    assert bench.arrays[0].blocks[lba : lba + 2] == ["x", f"read leg's {lba + 1}"]


def test_region_that_the_follower_waits_for_is_repaired_first_too():
    bench = pair(rate_bytes_per_s=SLOW)
    for unit in (bench.unit(1), bench.unit(2)):
        unit.mirror.repairs.fill()

    read = bench.submit(2, Op.READ, 5 * REGION_BLOCKS)
    bench.run(20)

    assert bench.is_done(read)
    assert 5 not in bench.unit(2).mirror.repairs
    assert len(bench.unit(2).mirror.repairs) > 4


def test_repair_goes_on_at_its_rate():
    bench = unclean(rate_bytes_per_s=SLOW)
    before = len(bench.unit(1).mirror.repairs)

    bench.run(400)

    assert 3 <= before - len(bench.unit(1).mirror.repairs) <= 5


def test_repair_takes_only_the_bad_block_from_the_other_leg():
    """The rest a host may have read from the leg that is always asked: it must stay as it is."""
    bench = unclean()
    first = 7 * REGION_BLOCKS
    bench.arrays[1].bad.add(first + 1)  # the read leg of region 7
    kept = bench.arrays[1].blocks[first + 2]
    bench.arrays[0].blocks[first] = bench.arrays[0].blocks[first + 1] = "other"
    bench.arrays[0].blocks[first + 2] = "other"

    bench.until(lambda: not bench.unit(1).mirror.repairs)

    for array in bench.arrays:
        assert array.blocks[first] != "other"
        assert array.blocks[first + 1] == "other"
        assert array.blocks[first + 2] == kept
    assert bench.arrays[1].bad == set()


def test_region_that_no_leg_can_read_as_a_whole_is_given_up():
    """Its bad blocks are for the host to be told of; nothing waits for it any more."""
    bench = unclean()
    bench.arrays[0].bad.add(7 * REGION_BLOCKS + 1)
    bench.arrays[1].bad.add(7 * REGION_BLOCKS + 2)
    read = bench.submit(1, Op.READ, 7 * REGION_BLOCKS + 1, 2)

    for _ in range(200):
        bench.step(1)

    assert 7 not in bench.unit(1).mirror.repairs
    assert bench.is_done(read)


def test_leg_that_a_repair_cannot_be_written_to_is_dropped():
    bench = unclean()
    write_only_fails(bench, 0)

    bench.until(lambda: bench.unit(1).state.states == (STALE, IN_SYNC))

    assert not bench.unit(1).mirror.repairs


def write_only_fails(bench: Bench, leg: int) -> None:
    """Let writes to an array fail, and reads not."""
    array = bench.arrays[leg]
    io = array.io
    array.io = lambda engine, one: errno.EIO if one.write else io(engine, one)


# Read-repair


def test_block_that_one_leg_cannot_read_is_written_anew_and_counted():
    bench = alone()
    bench.write(1, 3, "x")
    bench.run()
    bench.arrays[0].bad.add(3)

    read = bench.submit(1, Op.READ, 3)
    bench.run(20)

    assert bench.is_done(read)
    assert (bench.arrays[0].bad, bench.unit(1).copier.read_repairs) == (set(), 1)
    assert bench.arrays[0].blocks == bench.arrays[1].blocks


def test_follower_has_the_leader_write_it_anew():
    bench = pair()
    bench.arrays[0].bad.add(3)

    read = bench.submit(2, Op.READ, 3)
    bench.run(40)

    assert bench.is_done(read)
    assert [each for sender, each in bench.sent if sender == 2 and isinstance(each, Refresh)] == [
        Refresh("lu0", 0, 0)
    ]
    assert (bench.arrays[0].bad, bench.unit(1).copier.read_repairs) == (set(), 1)


def test_read_repair_keeps_what_is_written_meanwhile():
    bench = alone()
    bench.arrays[0].bad.add(3)
    bench.submit(1, Op.READ, 3)
    write = bench.write(1, 3, "new")

    bench.run(20)

    assert bench.is_done(write)
    assert [array.blocks[3] for array in bench.arrays] == ["new", "new"]


def test_block_that_no_leg_can_read_is_told_and_nothing_is_written():
    bench = alone()
    for array in bench.arrays:
        array.bad.add(3)

    read = bench.submit(1, Op.READ, 3)
    bench.run(200)

    assert read.response == check_condition(UNRECOVERED_READ_ERROR)
    assert [array.bad for array in bench.arrays] == [{3}, {3}]
    assert bench.unit(1).copier.read_repairs == 0
    assert bench.unit(1).state.states == (IN_SYNC, IN_SYNC)


# Resync


def resyncing(bench: Bench, *regions: int) -> Bench:
    """Let leg B be away while those regions are written, and come back."""
    bench.arrays[1].error = errno.EIO
    for region in regions:
        bench.write(1, region * REGION_BLOCKS, "meanwhile")
    bench.until(lambda: bench.unit(1).state.states[1] is STALE)
    bench.arrays[1].error = 0
    bench.until(lambda: bench.unit(1).state.states[1] is RESYNCING)
    return bench


def test_only_regions_that_a_leg_lacks_are_copied():
    bench = resyncing(alone(rate_bytes_per_s=SLOW), 2, 5, 6)
    assert set(bench.unit(1).mirror.dirty[1]) <= {2, 5, 6}

    bench.until(lambda: bench.unit(1).state.states == (IN_SYNC, IN_SYNC))

    assert bench.unit(1).copier.copied_regions == 3
    assert bench.arrays[0].blocks == bench.arrays[1].blocks


def test_resync_goes_at_its_rate_and_writes_of_hosts_do_not_wait_for_it():
    bench = resyncing(alone(rate_bytes_per_s=SLOW), 0, 1, 2, 3, 4, 5)
    before = len(bench.unit(1).mirror.dirty[1])

    write = bench.write(1, 5 * REGION_BLOCKS, "x")
    bench.run()
    assert bench.is_done(write)
    bench.run(200)

    assert 1 <= before - len(bench.unit(1).mirror.dirty[1]) <= 3


def test_follower_knows_what_has_been_copied():
    bench = resyncing(pair(rate_bytes_per_s=SLOW), 1, 2, 3)

    bench.until(lambda: len(bench.unit(1).mirror.dirty[1]) == 1)

    assert list(bench.unit(2).mirror.dirty[1]) == list(bench.unit(1).mirror.dirty[1])
    copied = [each for _, each in bench.sent if isinstance(each, Copied)]
    assert {each.leg for each in copied} == {1}


def test_leg_becomes_in_sync_only_when_it_lacks_nothing():
    bench = resyncing(alone(rate_bytes_per_s=SLOW), 1, 2, 3)
    while bench.unit(1).state.states[1] is RESYNCING:
        assert bench.arrays[0].blocks != bench.arrays[1].blocks or not bench.unit(1).mirror.dirty[1]
        bench.run(5)

    assert bench.arrays[0].blocks == bench.arrays[1].blocks


def test_resync_from_a_bad_block_gives_up_and_tells_why():
    """There is no other source; the target would have to make data up."""
    bench = resyncing(alone(rate_bytes_per_s=SLOW), 1, 2, 3)
    bench.arrays[0].bad.add(3 * REGION_BLOCKS)

    bench.until(lambda: bench.unit(1).state.states == (IN_SYNC, STALE))

    assert any("a medium error on the leg it is copied from" in x for x in bench.nodes[1].notes)


def test_resync_with_a_bad_block_on_its_source_goes_on_from_a_third_leg():
    bench = Bench()
    bench.arrays.append(type(bench.arrays[0])())
    bench.start(1, legs=("A", "B", "C"), cold_start=True, rate_bytes_per_s=SLOW)
    bench.until(lambda: bench.unit(1).serves and bench.unit(1).idle)
    resyncing(bench, 1, 2, 3)
    source = bench.unit(1).mirror.read_leg(3 * REGION_BLOCKS)
    bench.arrays[source].bad.add(3 * REGION_BLOCKS)

    bench.until(lambda: bench.unit(1).state.states == (IN_SYNC,) * 3)

    assert bench.arrays[0].blocks[3 * REGION_BLOCKS] == "meanwhile"
    assert bench.arrays[1].blocks == bench.arrays[2].blocks


@pytest.mark.parametrize("dies", [1, 2])
def test_resync_survives_the_death_of_an_engine(dies):
    bench = resyncing(pair(rate_bytes_per_s=SLOW), 1, 2, 3, 4)
    bench.run(100)

    bench.kill(dies)
    survivor = bench.unit(3 - dies)
    bench.until(lambda: survivor.state.states == (IN_SYNC, IN_SYNC), limit_ms=20_000)
    bench.until(lambda: not survivor.mirror.repairs)

    assert bench.arrays[0].blocks == bench.arrays[1].blocks


def test_source_that_dies_in_a_resync_is_kept_and_the_target_given_up():
    """What the source has and the target lacks is nowhere else."""
    bench = resyncing(alone(rate_bytes_per_s=SLOW), 1, 2, 3)
    bench.arrays[0].error = errno.EIO

    bench.run(1000)

    assert bench.unit(1).state.states == (IN_SYNC, STALE)


def test_resync_gives_up_when_no_source_has_the_block():
    bench = Bench()
    bench.arrays.append(type(bench.arrays[0])())
    bench.start(1, legs=("A", "B", "C"), cold_start=True, rate_bytes_per_s=SLOW)
    bench.until(lambda: bench.unit(1).serves and bench.unit(1).idle)
    resyncing(bench, 1, 2, 3)
    for source in (0, 2):
        bench.arrays[source].bad.add(3 * REGION_BLOCKS)

    for _ in range(200):
        bench.step(1)
    bench.until(lambda: bench.unit(1).state.states == (IN_SYNC, STALE, IN_SYNC))
