"""The benchmark's arithmetic and its table."""

import pytest

from certify.virtual_lab import bench_table
from certify.virtual_lab.bench_table import Column, Load, Sample

SMALL = Load(rw="randread", block_kib=4, depth=16)
LARGE = Load(rw="randwrite", block_kib=256, depth=1)
RATIO = Column(subject="router", by="LIO")


def samples(*rates: float, cpu_us: float | None = None) -> list[Sample]:
    return [Sample(iops=rate, cpu_us=cpu_us) for rate in rates]


def test_a_ratio_is_one_of_medians_so_that_one_bad_repeat_does_not_count() -> None:
    repeats = {"router": samples(50, 60, 1), "LIO": samples(100, 90, 9000)}

    assert bench_table.ratio(repeats, RATIO) == pytest.approx(0.5)


def test_cpu_time_is_the_median_of_the_repeats_that_know_it() -> None:
    repeats = [*samples(1, cpu_us=30), *samples(1), *samples(1, 1, cpu_us=10)]

    assert bench_table.median_cpu_us(repeats) == 10


def test_a_subject_in_the_kernel_has_no_cpu_time_of_its_own() -> None:
    assert bench_table.median_cpu_us(samples(1, 2)) is None


def test_spread_tells_how_far_repeats_lie_apart() -> None:
    assert bench_table.spread(samples(90, 100, 130)) == pytest.approx(0.4)


def test_every_subject_goes_first_in_its_turn() -> None:
    names = ["a", "b", "c"]

    assert [bench_table.order(names, repeat)[0] for repeat in range(4)] == ["a", "b", "c", "a"]
    assert all(sorted(bench_table.order(names, repeat)) == names for repeat in range(4))


def test_small_blocks_are_counted_and_large_ones_weighed() -> None:
    assert SMALL.cell(12345.6) == "12,346 /s"
    assert LARGE.cell(4000) == "1,049 MB/s"


def test_a_line_holds_load_medians_ratios_cpu_time_and_the_worst_spread() -> None:
    repeats = {"router": samples(500, 500, cpu_us=87.4), "LIO": samples(900, 1100)}

    line = bench_table.line(SMALL, repeats, [RATIO])

    assert line == ["4 KiB read depth 16", "500 /s", "1,000 /s", "0.50", "87 us", "20%"]


def test_lines_are_as_wide_as_the_heading_whatever_they_hold() -> None:
    titles = bench_table.heading(["router", "LIO"], [RATIO])
    widths = bench_table.widths(titles)
    repeats = {"router": samples(12345), "LIO": samples(700)}
    line = bench_table.line(LARGE, repeats, [RATIO])

    assert len(bench_table.aligned(titles, widths)) == len(bench_table.aligned(line, widths))
