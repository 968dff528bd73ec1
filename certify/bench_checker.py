"""Speed and memory of the judge of the data: `python -m certify.bench_checker`.

It makes a history as Parquet, of concurrent writers and readers on atomic registers, plants some
stale reads, and judges it in this process. The history is made in another one, so that the peak of
memory is the judge's.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from certify.integrity import check_tables
from certify.ledger import SECTORS_PER_BLOCK
from reports.record import IO_COLUMNS

BLOCKS = 4096
SLICE = 1_000_000
SPACING_NS = 10_000
"""One operation each 10 µs: 100,000 per second, so a hundred are under way at a time."""
LATENCY_NS = 500_000
LONG_NS = 100 * LATENCY_NS
FAILED_SHARE = 0.001
_PROBES = ("app-read", "host2-read", "app-write", "host2-write")

_Longs = NDArray[np.int64]


@dataclass(slots=True, kw_only=True)
class _Registers:
    """What each block holds and held before, and how far the history has come."""

    held: _Longs
    before: _Longs
    made: int = 0


def make_history(folder: Path, operations: int, seed: int, stale: int) -> list[Path]:
    """Write a history of *operations* in slices, *stale* reads of it wrong; return the files."""
    rng = np.random.default_rng(seed)
    registers = _Registers(held=np.zeros(BLOCKS, np.int64), before=np.zeros(BLOCKS, np.int64))
    paths: list[Path] = []
    while registers.made < operations:
        count = min(SLICE, operations - registers.made)
        path = folder / f"slice-{len(paths):03}.parquet"
        due = stale * (registers.made + count) // operations - stale * registers.made // operations
        _slice(registers, rng, count, due).write_parquet(path, compression="zstd")
        paths.append(path)
    return paths


def _slice(registers: _Registers, rng: np.random.Generator, count: int, stale: int) -> pl.DataFrame:
    """Make the next *count* operations; the first ones of all write every block once."""
    number = registers.made + np.arange(count)
    block = np.where(number < BLOCKS, number, rng.integers(0, BLOCKS, count))
    write = (number < BLOCKS) | (rng.random(count) < 0.5)
    failed = write & (number >= BLOCKS) & (rng.random(count) < FAILED_SHARE)
    effect = number * SPACING_NS + 10 * LATENCY_NS
    sent = effect - np.minimum(rng.exponential(LATENCY_NS, count), 9 * LATENCY_NS).astype(np.int64)
    done = effect + 1 + rng.exponential(LATENCY_NS, count).astype(np.int64)
    tag = np.where(write, number + 1, 0)
    truth, older = _values(registers, block, write & ~failed, number + 1)
    # A value is certainly too old when its successor was sent long after it, and acknowledged
    # long before the read.
    gap = LONG_NS // SPACING_NS
    certain = np.flatnonzero(
        ~write & (older > 0) & (truth - older > gap) & (number + 1 - truth > gap)
    )
    wrong = rng.choice(certain, min(stale, len(certain)), replace=False)
    tag = np.where(write, tag, truth)
    tag[wrong] = older[wrong]
    registers.made += count
    outcome = pl.Series(["good", "error"]).gather(failed.astype(np.int64))
    frame = pl.DataFrame(
        {
            "probe": pl.Series(_PROBES).gather(2 * write + rng.integers(0, 2, count)),
            "k": number,
            "op": pl.Series(["read", "write"]).gather(write.astype(np.int64)),
            "lba": block * SECTORS_PER_BLOCK,
            "blocks": np.full(count, SECTORS_PER_BLOCK),
            "due_ns": sent,
            "sent_ns": sent,
            "done_ns": done,
            "outcome": outcome,
            "errno": np.where(failed, 5, 0),
            "status": np.full(count, -1),
            "sense": pl.repeat("", count, eager=True),
            "tag": tag,
            "sectors": pl.repeat("", count, eager=True),
        }
    )
    return frame.select(IO_COLUMNS).sort("due_ns")


def _values(
    registers: _Registers, block: _Longs, written: NDArray[np.bool_], value: _Longs
) -> tuple[_Longs, _Longs]:
    """Return what each operation finds in its block, and what was there before that."""
    count = len(block)
    order = np.argsort(block, kind="stable")
    place = np.arange(count)
    begins = np.searchsorted(block[order], block[order])
    last = np.maximum.accumulate(np.where(written[order], place, -1))
    last = np.concatenate([[-1], last[:-1]])  # a read comes after the writes before it
    own = last >= begins
    found = np.where(own, value[order][last], registers.held[block[order]])
    earlier = np.where(own, found[last], registers.before[block[order]])
    truth, older = np.empty(count, np.int64), np.empty(count, np.int64)
    truth[order], older[order] = found, earlier
    # At each write of the order, `found` is what it overwrites: so the last write of a block
    # leaves its own value, and what it found as the one before.
    writes = np.flatnonzero(written)
    registers.held[block[writes]] = value[writes]
    registers.before[block[writes]] = truth[writes]
    return truth, older


def main() -> int:
    """Make a history, judge it, print the figures; 1 if not every planted read was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--operations", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stale", type=int, default=100, help="reads that are planted wrong")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = (folder, arguments.operations, arguments.seed, arguments.stale)
        maker = multiprocessing.get_context("spawn").Process(target=make_history, args=given)
        maker.start()
        maker.join()
        paths = sorted(folder.glob("*.parquet"))
        size_mib = sum(path.stat().st_size for path in paths) / 2**20
        begun = time.perf_counter()
        found = check_tables(paths)
        took_s = time.perf_counter() - begun
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wrong = found.sectors_wrong // SECTORS_PER_BLOCK
    sys.stdout.write(
        "judge of the data\n"
        f"  {arguments.operations:,} operations ({size_mib:.0f} MiB of Parquet) in {took_s:.1f} s: "
        f"{arguments.operations / took_s:,.0f} operations/s, peak {peak_mib:.0f} MiB\n"
        f"  planted {arguments.stale} stale reads, found {wrong} wrong of "
        f"{found.sectors_verified // SECTORS_PER_BLOCK:,} reads\n"
    )
    return 0 if wrong == arguments.stale else 1


if __name__ == "__main__":
    sys.exit(main())
