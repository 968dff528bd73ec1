"""What a run will take of time, disk and memory, and whether there is as much.

The estimate is rough and upward: it is made to refuse what cannot end well, not to plan a day.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from certify.lab import Lab
from certify.load import rates_of
from certify.runner import seconds_left
from reports.record import PlanRecord, ScenarioPlan

MIB = 1 << 20
CONFORMANCE_S = 90.0
BETWEEN_S = 5.0
"""Judging a repeat and getting ready for the next."""
RESYNC_S = 8.0
"""Waiting until redundancy is shown, beyond what the phases of a plan say."""
IO_BYTES = 110
"""Of one I/O in a spool file, measured."""
TABLE_SHARE = 0.15
"""Of a spool, what the table that it becomes takes."""
ROTATE_BYTES = 8 * MIB
"""A spool above this is made a table as soon as its repeat was judged."""
JUDGED_BYTES = 1200
"""Of one I/O in memory while its repeat is judged, measured."""
KEPT_MIB = 256
"""Beside the I/Os: the suite itself, logs, events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run takes, at most for all that can be known before."""

    seconds: float
    disk_bytes: int
    memory_bytes: int


def estimate(lab: Lab, plan: PlanRecord, *, conformance: bool) -> Estimate:
    """Return what the run of *plan* on *lab* takes."""
    per_second = _ios_per_second(lab)
    longest = disk = 0.0
    total = CONFORMANCE_S if conformance else 0.0
    for one in plan.scenarios:
        if one.not_run:
            continue
        seconds = repeat_s(one)
        longest = max(longest, seconds)
        total += (seconds + BETWEEN_S) * one.repeats
        spool = seconds * per_second * IO_BYTES
        disk += spool * one.repeats * (TABLE_SHARE if spool > ROTATE_BYTES else 1.0)
    ios = longest * per_second
    return Estimate(
        seconds=total,
        disk_bytes=int(disk + ios * IO_BYTES) + KEPT_MIB * MIB,
        memory_bytes=int(ios * JUDGED_BYTES) + KEPT_MIB * MIB,
    )


def repeat_s(plan: ScenarioPlan) -> float:
    """Return about how long one repeat of a scenario takes, in seconds."""
    resync_s = RESYNC_S if plan.fault else 0.0
    return seconds_left(plan) + resync_s


def _ios_per_second(lab: Lab) -> float:
    rates = rates_of(lab)
    each = (rates.write_ms, rates.read_ms, rates.control_ms, *[rates.path_ms] * len(lab.path))
    return sum(1000.0 / ms for ms in each)


def shortages(
    need: Estimate, *, disk_bytes: int, memory_bytes: int, max_minutes: float | None
) -> list[str]:
    """Return a line per thing of which there is not enough: what, wanted and seen. Pure."""
    found = []
    if max_minutes is not None and need.seconds > max_minutes * 60:
        found.append(
            f"time: the run takes about {need.seconds / 60:.0f} min; "
            f"expected at most {max_minutes:g} min (--max-minutes)"
        )
    for what, wanted, seen in (
        ("disk", need.disk_bytes, disk_bytes),
        ("memory", need.memory_bytes, memory_bytes),
    ):
        if wanted > seen:
            found.append(f"{what}: the run takes {wanted // MIB} MiB; {seen // MIB} MiB are free")
    return found


def free_disk(folder: Path) -> int:
    """Return how many bytes may still be written to the file system of *folder*."""
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def free_memory() -> int:
    """Return how many bytes of memory programs may still take, as /proc/meminfo says."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return 0
