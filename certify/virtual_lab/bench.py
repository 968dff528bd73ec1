"""IOPS of the router beside LIO alone, from one run in one guest: `certify bench`.

Absolute figures say more about the machine than about the router, so each line ends with a ratio.
Repeats are interleaved, so that a machine that drifts slows all of them, and medians are printed.
"""

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import arrays, lio

REPEATS = 3
RUNTIME_S = 2
SIZE_MIB = 48
ADAPTER = "naa.500140500000be00"


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of load."""

    rw: str
    block_kib: int
    depth: int

    @property
    def title(self) -> str:
        """Return the load in words."""
        return f"{self.block_kib:>3} KiB {self.rw:<9} depth {self.depth:>2}"


JOBS = tuple(Job(rw, 4, depth) for depth in (1, 16) for rw in ("randread", "randwrite"))


def main() -> int:
    """Run in the guest: print a table of medians and ratios; return 0."""
    subjects = {"router": _router_device(), "LIO alone": _lio_device()}
    sys.stdout.write(f"{'load':<28}" + "".join(f"{name:>14}" for name in subjects))
    sys.stdout.write(f"{'ratio':>9}\n")
    for job in JOBS:
        results: dict[str, list[float]] = {name: [] for name in subjects}
        for _ in range(REPEATS):
            for name, device in subjects.items():
                results[name].append(_iops(device, job))
        medians = [statistics.median(values) for values in results.values()]
        cells = "".join(f"{value:>9,.0f} IOPS" for value in medians)
        sys.stdout.write(f"{job.title:<28}{cells}{medians[0] / medians[1]:>9.2f}\n")
        sys.stdout.flush()
    return 0


def _router_device() -> Path:
    return Path("/dev/mapper") / ("3" + layout.LOGICAL_UNITS[0].naa)


def _lio_device() -> Path:
    """Export one more RAM disk of the arrays' kind by LIO through tcm_loop, without a router."""
    backstore = lio.create_backstore(
        "iblock_80",
        "bench",
        f"udev_path=/dev/ram{arrays.SPARE_RAM_DISK}",
        serial="be005a5a-0000-4000-8000-000000000000",
        product="BENCH",
    )
    return Path("/dev") / lio.wait_for_disk(lio.export(lio.create_adapter(ADAPTER), 0, backstore))


def _iops(device: Path, job: Job) -> float:
    argv = [
        *("fio", "--name=bench", f"--filename={device}", f"--rw={job.rw}", "--direct=1"),
        *(f"--bs={job.block_kib}k", f"--iodepth={job.depth}", "--ioengine=libaio"),
        *(f"--runtime={RUNTIME_S}", "--time_based", "--ramp_time=0.3", f"--size={SIZE_MIB}M"),
        *("--output-format=json", "--randseed=1"),
    ]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    result = json.loads(done.stdout)["jobs"][0]
    return float(result["read"]["iops"] + result["write"]["iops"])


if __name__ == "__main__":
    raise SystemExit(main())
