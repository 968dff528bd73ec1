"""Load that knows at every moment what each of its blocks must hold.

A worker has one block of its own and does one command at a time, so what it wrote last and was told
GOOD for is what every later read must give, through any path. A write that failed may or may not
have taken effect, until the next one that is acknowledged: then never again.
"""

import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.lab.in_guest import storage
from tests.lab.in_guest.storage import PAGE_BYTES, CommandError, Direct, Scsi, Way

_HEAD = struct.Struct("<8sQQ")
_MAGIC = b"REGISTER"
_PAUSE_S = 0.002
_FAILED_PAUSE_S = 0.05
_NOTES_MAX = 20


def page_of(lba: int, number: int) -> bytes:
    """Return the page that write `number` puts at `lba`."""
    return _HEAD.pack(_MAGIC, lba, number) * (PAGE_BYTES // _HEAD.size) + bytes(
        PAGE_BYTES % _HEAD.size
    )


def number_of(page: bytes, lba: int) -> int:
    """Return the number of the write that a page is of, -1 if it is none whole one."""
    _, _, number = _HEAD.unpack_from(page)
    return number if page == page_of(lba, number) else -1


@dataclass
class Worker:
    """One block. `number` is of the last write, `acknowledged` of the last one told GOOD."""

    lba: int
    ways: Sequence[Way]
    number: int
    acknowledged: int
    writes: int = 0
    failed: int = 0
    slowest_s: float = 0.0
    way: int = 0
    """Which way is taken now: the next one after a failure."""
    violations: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def step(self, *, shy: bool) -> None:
        """Write, and read it through every way, or if `shy` by the one that was written by."""
        self.write()
        if self.acknowledged == self.number:
            for way in self.ways if not shy else (self.ways[self.way],):
                self.check(way)

    def write(self) -> None:
        """Write once, with the next number."""
        self.number += 1
        began_s = time.monotonic()
        try:
            self.ways[self.way].write(self.lba, page_of(self.lba, self.number))
        except (CommandError, OSError) as error:
            self._failed(error)
            self.way = (self.way + 1) % len(self.ways)
            time.sleep(_FAILED_PAUSE_S)
        else:
            self.acknowledged = self.number
            self.writes += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)

    def check(self, way: Way) -> None:
        """Read once; what comes must be the last write that was acknowledged, or a later one."""
        began_s = time.monotonic()
        try:
            seen = number_of(way.read(self.lba), self.lba)
        except (CommandError, OSError) as error:
            self._failed(error)
        else:
            if not self.acknowledged <= seen <= self.number and len(self.violations) < _NOTES_MAX:
                words = f"LBA {self.lba} by {way.device}: write {seen}"
                self.violations.append(f"{words}, expected {self.acknowledged} or later")
            # What has been read must stay, acknowledged or not.
            self.acknowledged = max(self.acknowledged, seen)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)

    def _failed(self, error: Exception) -> None:
        self.failed += 1
        if len(self.errors) < _NOTES_MAX:
            self.errors.append(str(error))


class Load:
    """Workers, each a thread. Use as a context: they stop and have ended at its end."""

    def __init__(self, count: int, *, by_map: bool = False, first_way: int = 0) -> None:
        devices = [storage.map_node()] if by_map else [storage.path_node(1), storage.path_node(2)]
        kind = Direct if by_map else Scsi
        first = time.monotonic_ns()  # so that no number is of an earlier load
        self.workers = [
            Worker(
                lba,
                [kind(device) for device in devices],
                number=first,
                acknowledged=first,
                way=first_way,
            )
            for lba in _lbas(count)
        ]
        self.shy = False
        """Whether to keep away from paths that are not in use: one may hang for long."""
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(worker,), daemon=True)
            for worker in self.workers
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop, and wait for what is under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def progress(self, writes: int, timeout_s: float = 30.0) -> None:
        """Wait until every worker has had so many more writes acknowledged."""
        before = [worker.writes for worker in self.workers]
        deadline = time.monotonic() + timeout_s
        while any(
            worker.writes < old + writes for worker, old in zip(self.workers, before, strict=True)
        ):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {writes} more writes of each worker: {self.result()}")
            time.sleep(0.01)

    def take_slowest_s(self) -> float:
        """Return how long the slowest I/O took since this was last asked."""
        slowest_s = max(worker.slowest_s for worker in self.workers)
        for worker in self.workers:
            worker.slowest_s = 0.0
        return round(slowest_s, 3)

    def finish(self) -> None:
        """When stopped: look at every block once more through all ways, and on both arrays."""
        for worker in self.workers:
            for way in worker.ways:
                worker.check(way)
        for array in ("A", "B"):
            leg = Direct(storage.inspection_node(array))
            for worker in self.workers:
                worker.check(leg)
            leg.close()
        for worker in self.workers:
            storage.close_all(*worker.ways)

    def result(self) -> dict[str, object]:
        """Return what came of it."""
        return {
            "violations": [each for worker in self.workers for each in worker.violations],
            "errors": sorted({each for worker in self.workers for each in worker.errors}),
            "failed": sum(worker.failed for worker in self.workers),
            "writes": sum(worker.writes for worker in self.workers),
            "slowest_s": self.take_slowest_s(),
        }

    def _run(self, worker: Worker) -> None:
        while not self._stop.is_set():
            worker.step(shy=self.shy)
            time.sleep(_PAUSE_S)


def _lbas(count: int) -> list[int]:
    """Return pages of several regions, two in each, so that leases are contended for."""
    regions = max(count // 2, 1)
    spread = storage.REGIONS // regions
    return [
        (index % regions) * spread * storage.REGION_BLOCKS + (index // regions) * 64
        for index in range(count)
    ]
