"""S4: WRITE SAME and UNMAP under way when their engine is lost; none is half done in the end.

A command that failed may have been done in part (SBC-4 leaves it open), so each that failed is
sent again through the other engine, as a host does. Then the whole range must be as the last
command that was sent made it, through both engines, and must stay so when the engine returns.
"""

from dataclasses import dataclass, field

from certify import cdb
from certify.exercise import ExerciseKind, Stage
from certify.exercises.background import Background
from certify.exercises.nexus import Nexus, lacks_hosts, nexus
from certify.lab import LabError

NAME = "long writes"
BLOCKS = 1024
RANGES = 4
FIRST_LBA = 4096
STEP_BLOCKS = 128
"""Blocks per READ: 64 KiB, below any limit on transfers."""
TRIES = 20
PAUSE_S = 0.25
IDLE_S = 0.02


@dataclass(slots=True, kw_only=True)
class LongWrites:
    """Commands over 1,024 blocks each, by engine 1 as long as it serves, then by engine 2."""

    stage: Stage
    _background: Background = field(init=False, default_factory=lambda: Background(name=NAME))
    _holds: list[int | None] = field(init=False, default_factory=lambda: [None] * RANGES)
    _sent: int = field(init=False, default=0)
    _again: int = field(init=False, default=0)

    def start(self) -> None:
        """See Exercise.start."""
        self._background.start(self._run)

    def stop(self) -> None:
        """See Exercise.stop: read every range through both engines."""
        self._background.stop()
        wrong = [
            text
            for engine in (0, 1)
            for number, value in enumerate(self._holds)
            if value is not None
            for text in self._wrong(self._by(engine), number, value)
        ]
        observed = f"{self._sent} commands, {self._again} of them sent again by the other engine"
        if wrong:
            observed += f"; {wrong[0]}"
        self.stage.report(
            NAME,
            expected=f"each range of {BLOCKS} blocks is all as the last command made it",
            observed=observed,
            good=not wrong if self._again else None if not wrong else False,
        )

    def _run(self) -> None:
        number = 0
        while not self._background.ended.wait(IDLE_S):
            number += 1
            self._command(number % RANGES, number)

    def _command(self, where: int, value: int) -> None:
        """Send one command, again until it is GOOD; every fifth one is UNMAP."""
        lba = FIRST_LBA + where * BLOCKS
        unmap = value % 5 == 0
        for attempt in range(TRIES):
            by = self._by(attempt % 2)
            if self._send(by, lba, value, unmap=unmap):
                self._sent += 1
                self._again += attempt > 0
                self._holds[where] = None if unmap else value
                return
            if self._background.ended.wait(PAUSE_S if attempt % 2 else 0.0):
                break
        raise LabError(f"a command over {BLOCKS} blocks failed {TRIES} times by either engine")

    def _send(self, by: Nexus, lba: int, value: int, *, unmap: bool) -> bool:
        try:
            if unmap:
                descriptor = lba.to_bytes(8) + BLOCKS.to_bytes(4) + bytes(4)
                head = (len(descriptor) + 6).to_bytes(2) + len(descriptor).to_bytes(2) + bytes(4)
                data = head + descriptor
                return by.send(cdb.unmap(len(data)), data_out=data).is_good
            command = cdb.write_same(lba, BLOCKS, width=16)
            return by.send(command, data_out=_block(by, value)).is_good
        except OSError:
            return False  # the device is offline or being recovered

    def _wrong(self, by: Nexus, where: int, value: int) -> list[str]:
        """Return what of a range is not as it should be, at most a line."""
        expected = _block(by, value) * STEP_BLOCKS
        first = FIRST_LBA + where * BLOCKS
        for lba in range(first, first + BLOCKS, STEP_BLOCKS):
            got = by.read(lba, STEP_BLOCKS)
            if got.data != expected:
                what = "other data" if got.is_good else str(got)
                return [f"{by.name}, LBA {lba} to {lba + STEP_BLOCKS - 1}: {what}"]
        return []

    def _by(self, engine: int) -> Nexus:
        return nexus(self.stage, 0, engine)


def _block(by: Nexus, value: int) -> bytes:
    return value.to_bytes(8) * (by.path.disk.block_bytes // 8)


LONG_WRITES = ExerciseKind(
    name=NAME, make=lambda stage: LongWrites(stage=stage), lacks=lambda lab: lacks_hosts(lab, 1)
)
