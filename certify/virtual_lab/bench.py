"""Speed of the router beside LIO, from one run in one guest: `make bench`.

Compared are one path of the router (two legs, written both), its multipath map over both engines,
LIO alone on a file, and LIO over an MD RAID-1 of two disks like the router's legs. The load comes
from fio through the same fabric, tcm_loop; the guest has one processor for all of it. With
`--tcmu-runner`, in a guest of its own, another target in user space is compared, one that does not
mirror.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from certify.virtual_lab import bench_table, layout
from certify.virtual_lab.bench_table import Column, Load, Sample
from certify.virtual_lab.guest import bench_subjects, lio, tcmu_runner

SPAN_MIB = 48
WARM_STEP = 8
FIO_TIMEOUT_S = 60.0
LOADS = tuple(
    Load(rw=rw, block_kib=block_kib, depth=depth)
    for block_kib in (4, 256)
    for depth in (1, 16, 64)
    for rw in ("randread", "randwrite")
)
RATIOS = (
    Column(subject="router", by="LIO file"),
    Column(subject="router", by="LIO MD RAID-1"),
    Column(subject="multipath", by="router"),
)
RUNNER_RATIOS = (
    Column(subject="router", by="tcmu-runner"),
    Column(subject="tcmu-runner", by="LIO file"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something that is measured: its disk, and the processes whose CPU time is its own."""

    disk: Path
    pids: tuple[int, ...] = ()


def main() -> int:
    """Run in the guest: print medians and ratios; return 0, or 4 if the lab is broken."""
    arguments = _parser().parse_args()
    try:
        subjects = _runner_subjects() if arguments.tcmu_runner else _subjects()
    except lio.LioError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 4
    ratios = RUNNER_RATIOS if arguments.tcmu_runner else RATIOS
    titles = bench_table.heading(list(subjects), ratios)
    widths = bench_table.widths(titles)
    _say(bench_table.aligned(titles, widths))
    started = time.monotonic()
    for subject in subjects.values():
        _warm(subject.disk)
    for load in LOADS:
        samples: dict[str, list[Sample]] = {name: [] for name in subjects}
        for repeat in range(arguments.repeats):
            for name in bench_table.order(list(subjects), repeat):
                samples[name].append(_measure(subjects[name], load, arguments.seconds))
        _say(bench_table.aligned(bench_table.line(load, samples, ratios), widths))
    _say(
        f"medians of {arguments.repeats} interleaved repeats of {arguments.seconds:g} s; CPU is "
        f"that of the router's engines, {_build()}; {time.monotonic() - started:.0f} s in all"
    )
    return 0


def _build() -> str:
    """Say how the router was built, without importing what is measured."""
    found = importlib.util.find_spec("reference_router.mirror")
    compiled = found is not None and str(found.origin).endswith(".so")
    return "compiled by mypyc" if compiled else "pure Python"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each repeat")
    parser.add_argument("--tcmu-runner", action="store_true", help="compare with tcmu-runner")
    return parser


def _subjects() -> dict[str, Subject]:
    engines = tuple(_pid(engine) for engine in layout.ENGINES)
    path = bench_subjects.router_path(layout.ENGINES[0])
    return {
        "router": Subject(disk=path, pids=engines),
        "multipath": Subject(disk=bench_subjects.router_map(), pids=engines),
        "LIO file": Subject(disk=bench_subjects.lio_file()),
        "LIO MD RAID-1": Subject(disk=bench_subjects.lio_raid()),
    }


def _runner_subjects() -> dict[str, Subject]:
    """Return what a guest with tcmu-runner has; that is last, for it changes the kernel module."""
    engines = tuple(_pid(engine) for engine in layout.ENGINES)
    path = bench_subjects.router_path(layout.ENGINES[0])
    return {
        "router": Subject(disk=path, pids=engines),
        "LIO file": Subject(disk=bench_subjects.lio_file()),
        "tcmu-runner": Subject(disk=tcmu_runner.disk()),
    }


def _pid(engine: str) -> int:
    for text in (layout.RUN / f"{engine}.state").read_text(encoding="ascii").split():
        if text.startswith("pid="):
            return int(text.removeprefix("pid="))
    raise lio.LioError(f"{engine}: its state file names no process")


def _measure(subject: Subject, load: Load, seconds: float) -> Sample:
    cpu_ns = _delta(lambda: sum(_cpu_ns(pid) for pid in subject.pids))
    commands = _delta(lambda: _commands(subject.disk))
    iops = _fio(subject.disk, load, seconds)
    done = commands()
    cpu_us = cpu_ns() / done / 1000 if subject.pids and done else None
    return Sample(iops=iops, cpu_us=cpu_us)


def _warm(disk: Path) -> None:
    """Write a whole disk at each depth up to the deepest once.

    A RAM disk has no pages before it is written, and the pages of a ring are mapped when they are
    first used: neither belongs to a steady state. A page fault costs a third of a millisecond in
    User Mode Linux, and 64 commands of 256 KiB have 4096 pages: so the depth grows in steps.
    """
    for depth in range(WARM_STEP, max(load.depth for load in LOADS) + 1, WARM_STEP):
        _run_fio(disk, Load(rw="write", block_kib=256, depth=depth))


def _delta(read: Callable[[], int]) -> Callable[[], int]:
    """Return a function that tells by how much a counter grew since now."""
    before = read()
    return lambda: read() - before


def _cpu_ns(pid: int) -> int:
    """Return the time on a processor of a process's first thread (proc(5), schedstat), in ns."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])


def _commands(disk: Path) -> int:
    """Return how many reads and writes a disk has ended (Documentation/block/stat.rst)."""
    name = disk.resolve().name
    fields = (Path("/sys/class/block") / name / "stat").read_text(encoding="ascii").split()
    return int(fields[0]) + int(fields[4])


def _fio(disk: Path, load: Load, seconds: float) -> float:
    runtime = f"--runtime={seconds * 1000:.0f}ms"  # fio takes a bare 0.5 for 0
    return _run_fio(disk, load, runtime, "--time_based", "--ramp_time=150ms")


def _run_fio(disk: Path, load: Load, *options: str) -> float:
    """Run fio; return its IOPS, reads and writes together."""
    argv = [
        *("fio", "--name=bench", f"--filename={disk}", f"--rw={load.rw}", "--direct=1"),
        *(f"--bs={load.block_kib}k", f"--iodepth={load.depth}", "--ioengine=libaio"),
        *(f"--size={SPAN_MIB}M", "--output-format=json", "--randseed=1", "--thread", *options),
    ]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=FIO_TIMEOUT_S)
    result = json.loads(done.stdout)["jobs"][0]
    return float(result["read"]["iops"] + result["write"]["iops"])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
