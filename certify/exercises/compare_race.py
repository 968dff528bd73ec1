"""S2: two hosts race by COMPARE AND WRITE through both engines, while one of them is lost."""

import threading
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from certify import cdb
from certify.exercise import ExerciseKind, Stage
from certify.exercises.background import Background
from certify.exercises.nexus import Nexus, lacks_hosts, nexus
from certify.exercises.race import Outcome, Swap, contested, problems
from certify.lab import LabError
from certify.scsi import Completion, ScsiError, SenseKey, Status

NAME = "compare and write"
LBA = 64
PAUSE_S = 0.02
RACERS = 2
MISCOMPARE = "MISCOMPARE DURING VERIFY OPERATION, Eh/1Dh/00h"
MISCOMPARE_ASC = (0x1D, 0x00)


@dataclass(slots=True, kw_only=True)
class CompareRace:
    """Two racers read one block and replace what they read by a value of their own."""

    stage: Stage
    _background: Background = field(init=False, default_factory=lambda: Background(name=NAME))
    _gate: threading.Barrier = field(init=False)
    _swaps: list[Swap] = field(init=False, default_factory=list)
    _odd: list[str] = field(init=False, default_factory=list)

    def start(self) -> None:
        """See Exercise.start."""
        self._gate = threading.Barrier(RACERS)
        try:
            nexus(self.stage, 0, 1).write(LBA, self._block(0)).raise_for_status()
        except ScsiError as error:
            raise LabError(f"exercise {NAME}: {error}") from error
        for racer in range(RACERS):
            self._background.start(partial(self._race, racer))

    def stop(self) -> None:
        """See Exercise.stop."""
        try:
            self._background.stop()
        finally:
            self._gate.abort()
        if self._background.started:
            self._report()

    def _report(self) -> None:
        last = _value(nexus(self.stage, 0, 1).read(LBA))
        found = problems(self._swaps, first=0, last=last)
        raced = contested(self._swaps)
        told = {one: sum(swap.outcome is one for swap in self._swaps) for one in Outcome}
        observed = ", ".join(f"{number} {one.value}" for one, number in told.items())
        observed += f"; {raced} values contested"
        self.stage.report(
            NAME,
            expected="one winner per value, through both engines; some values contested",
            observed="; ".join([observed, *found[:3]]),
            good=not found if raced else None,
        )
        self.stage.report(
            f"{NAME}: sense data of who lost",
            expected=MISCOMPARE,
            observed=self._odd[0] if self._odd else f"{told[Outcome.LOST]} times as expected",
            good=not self._odd if told[Outcome.LOST] else None,
        )

    def _race(self, racer: int) -> None:
        """Race until the end; a racer whose engine does not serve goes on by the other one."""
        paths = [nexus(self.stage, racer, racer), nexus(self.stage, racer, 1 - racer)]
        for step in count(1):
            if self._background.ended.wait(PAUSE_S):
                return
            self._swap(racer, paths, step * RACERS + racer)

    def _swap(self, racer: int, paths: list[Nexus], new: int) -> None:
        """Read the value and replace it by *new*, through the first path that serves."""
        for path in paths:
            try:
                seen = path.read(LBA)
            except OSError:
                continue  # the device is offline or being recovered
            if not seen.is_good:
                continue
            self._meet()
            old = _value(seen)
            self._swaps.append(Swap(racer, old, new, self._replace(path, old, new)))
            return

    def _replace(self, path: Nexus, old: int, new: int) -> Outcome:
        data = self._block(old) + self._block(new)
        try:
            return self._outcome(path.once(cdb.compare_and_write(LBA, 1), data_out=data))
        except OSError:
            return Outcome.UNKNOWN

    def _meet(self) -> None:
        """Wait a moment for the other racer, so that both try the same value."""
        try:
            self._gate.wait(PAUSE_S)
        except threading.BrokenBarrierError:
            if not self._background.ended.is_set():
                self._gate.reset()

    def _outcome(self, ended: Completion) -> Outcome:
        if ended.is_good:
            return Outcome.WON
        sense = ended.sense
        if ended.status != Status.CHECK_CONDITION or sense is None:
            return Outcome.UNKNOWN
        if sense.key == SenseKey.MISCOMPARE:
            if (sense.asc, sense.ascq) != MISCOMPARE_ASC:
                self._odd.append(str(ended))
            return Outcome.LOST
        return Outcome.UNKNOWN

    def _block(self, value: int) -> bytes:
        size = nexus(self.stage, 0, 0).path.disk.block_bytes
        return value.to_bytes(8) * (size // 8)


def _value(read: Completion) -> int:
    return int.from_bytes(read.data[:8])


VALUES_RACED = ExerciseKind(
    name=NAME, make=lambda stage: CompareRace(stage=stage), lacks=lambda lab: lacks_hosts(lab, 2)
)
