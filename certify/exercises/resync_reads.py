"""R1: what a resynchronisation costs the host's reads, told as percentiles."""

import mmap
import os
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field

from certify.exercise import ExerciseKind, Stage
from certify.exercises.background import Background
from certify.lab import LabError
from certify.load import load_unit
from certify.stall import percentile

NAME = "reads during the copy"
BLOCK_BYTES = 4096
INTERVAL_S = 0.02
LEAST = 20
"""Reads in a phase below which a 99th percentile says nothing."""
BEFORE, AFTER = ("steady",), ("mend", "recover")


@dataclass(slots=True, kw_only=True)
class ResyncReads:
    """Reads of 4 KiB all over the unit, each after the other, with their latency by phase."""

    stage: Stage
    _background: Background = field(init=False, default_factory=lambda: Background(name=NAME))
    _ms: dict[str, list[float]] = field(init=False, default_factory=lambda: defaultdict(list))

    def start(self) -> None:
        """See Exercise.start."""
        self._background.start(self._run)

    def stop(self) -> None:
        """See Exercise.stop."""
        self._background.stop()
        before = [ms for phase in BEFORE for ms in self._ms[phase]]
        after = [ms for phase in AFTER for ms in self._ms[phase]]
        observed, good = judged(before, after)
        expected = "reads end before and during the copy; their 99th percentiles are told"
        self.stage.report(NAME, expected=expected, observed=observed, good=good)

    def _run(self) -> None:
        rng = random.Random(self.stage.seed)  # noqa: S311 - the same order for the same seed
        device = self.stage.devices.map_of(load_unit(self.stage.lab))
        blocks = device.size_bytes // BLOCK_BYTES
        try:
            descriptor = os.open(device.device, os.O_RDONLY | os.O_DIRECT)
            try:
                with mmap.mmap(-1, BLOCK_BYTES) as memory:
                    while not self._background.ended.wait(INTERVAL_S):
                        phase, began = self.stage.phase(), time.monotonic_ns()
                        os.preadv(descriptor, [memory], rng.randrange(blocks) * BLOCK_BYTES)
                        self._ms[phase].append((time.monotonic_ns() - began) / 1e6)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise LabError(f"{device.device}: {error.strerror}") from error


def judged(before_ms: list[float], after_ms: list[float]) -> tuple[str, bool | None]:
    """Return what was observed, and whether it is enough to say anything.

    The factor is told and not judged, for it depends on the machine; the stall is what is limited.
    """
    if min(len(before_ms), len(after_ms)) < LEAST:
        return f"{len(before_ms)} reads before, {len(after_ms)} during the copy: too few", None
    before, after = (percentile(sorted(ms), 0.99) or 0.0 for ms in (before_ms, after_ms))
    factor = f": {after / before:.1f} times" if before else ""
    return f"p99 {before:.1f} ms before, {after:.1f} ms during the copy{factor}", True


RESYNC_READS = ExerciseKind(name=NAME, make=lambda stage: ResyncReads(stage=stage))
