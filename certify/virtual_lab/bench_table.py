"""What the benchmark measures and how it is printed: loads, medians, ratios. Pure.

Absolute figures say more about the machine than about the router, so ratios stand beside them.
They are ratios of medians of repeats that were interleaved: a machine that drifts slows all alike.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_MEGABYTE_KIB = 1e6 / 1024
_LARGE_KIB = 64
"""From this block size on, throughput says more than IOPS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One kind of load; `rw` is fio's word for it."""

    rw: str
    block_kib: int
    depth: int

    @property
    def title(self) -> str:
        """Return the load in words."""
        return f"{self.block_kib} KiB {self.rw.removeprefix('rand')} depth {self.depth}"

    def cell(self, iops: float) -> str:
        """Return a rate in the unit that suits the block size: IOPS, or megabytes per second."""
        if self.block_kib < _LARGE_KIB:
            return f"{iops:,.0f} /s"
        return f"{iops * self.block_kib / _MEGABYTE_KIB:,.0f} MB/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One repeat of one load on one subject."""

    iops: float
    cpu_us: float | None = None
    """CPU time of the subject's own processes per command, in microseconds; None: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of ratios: what is divided by what, by the names of subjects."""

    subject: str
    by: str

    @property
    def title(self) -> str:
        """Return the heading."""
        return f"{self.subject} : {self.by}"


Samples = Mapping[str, Sequence[Sample]]
"""The repeats of one load, by subject, in the order that the columns have."""


def order(subjects: Sequence[str], repeat: int) -> list[str]:
    """Return the order in which a repeat visits the subjects: each is first in its turn."""
    shift = repeat % len(subjects)
    return [*subjects[shift:], *subjects[:shift]]


def median_iops(samples: Sequence[Sample]) -> float:
    """Return the median rate of some repeats. Raises StatisticsError if there are none."""
    return statistics.median(sample.iops for sample in samples)


def median_cpu_us(samples: Sequence[Sample]) -> float | None:
    """Return the median CPU time per command of the repeats that know it; None if none does."""
    known = [sample.cpu_us for sample in samples if sample.cpu_us is not None]
    return statistics.median(known) if known else None


def ratio(samples: Samples, column: Column) -> float:
    """Return the ratio of two subjects' median rates. Raises ZeroDivisionError."""
    return median_iops(samples[column.subject]) / median_iops(samples[column.by])


def spread(samples: Sequence[Sample]) -> float:
    """Return how far repeats lie apart: (largest - smallest) / median rate."""
    rates = [sample.iops for sample in samples]
    return (max(rates) - min(rates)) / median_iops(samples)


def heading(subjects: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """Return the cells of the table's first line."""
    cpu = ["CPU/command", "spread"]
    return ["load", *subjects, *(column.title for column in columns), *cpu]


def line(load: Load, samples: Samples, columns: Sequence[Column]) -> list[str]:
    """Return the cells of one load: medians, ratios, the first subject's CPU, the worst spread."""
    first = next(iter(samples.values()))
    cpu_us = median_cpu_us(first)
    return [
        load.title,
        *(load.cell(median_iops(repeats)) for repeats in samples.values()),
        *(f"{ratio(samples, column):.2f}" for column in columns),
        "-" if cpu_us is None else f"{cpu_us:.0f} us",
        f"{max(spread(repeats) for repeats in samples.values()):.0%}",
    ]


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return cells as a line of text: the first to the left, the others to the right."""
    first, *rest = zip(cells, widths, strict=True)
    return first[0].ljust(first[1]) + "".join("  " + cell.rjust(width) for cell, width in rest)


def widths(titles: Sequence[str]) -> list[int]:
    """Return the width of each column, from its heading and the widest cell it can have."""
    widest_load, widest_cell = len("256 KiB write depth 64"), len("123,456 /s")
    return [max(widest_load, len(titles[0])), *(max(widest_cell, len(each)) for each in titles[1:])]
