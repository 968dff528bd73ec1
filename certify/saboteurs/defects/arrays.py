"""Defects in what happens when an array goes and comes back."""

import mmap
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from certify.saboteurs.defect import Defect, Stage
from certify.saboteurs.values import BLOCK_BYTES, Command, Outcome

LOOK_S = 0.02
STALE_S = 5.0
"""How long a leg that came back is read whatever it holds."""


def nothing() -> None:
    """Do nothing."""


@dataclass(slots=True)
class ArrayWatch:
    """Looks at an engine's own path to an array: lost when it is not running, or back."""

    state: Path  # "state" of its SCSI device in sysfs
    up: bool = True

    def start(
        self,
        stage: Stage,
        *,
        on_loss: Callable[[], None] = nothing,
        on_return: Callable[[], None] = nothing,
    ) -> None:
        """Look from now on, every 20 ms."""

        def look() -> None:
            up = self._running()
            if up != self.up:
                self.up = up
                (on_return if up else on_loss)()
            stage.later(LOOK_S, look)

        look()

    def _running(self) -> bool:
        try:
            return self.state.read_text(encoding="ascii").strip() == "running"
        except OSError:
            return False


@dataclass(slots=True)
class ReadsReturnedLeg(Defect):
    """Reads an array again as soon as it is back, before it has what it missed."""

    watch: ArrayWatch
    leg: str  # a device to read it by
    unit: str
    _until_s: float = 0.0
    _descriptor: int = -1
    _buffer: mmap.mmap | None = field(default=None)

    def begin(self, stage: Stage) -> None:
        """See Defect."""

        def returned() -> None:
            self._until_s = stage.now_s() + STALE_S

        self._descriptor = os.open(self.leg, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
        self._buffer = mmap.mmap(-1, 1 << 20)
        self.watch.start(stage, on_return=returned)

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Answer from the leg."""
        if not command.reads or command.front.unit != self.unit or stage.now_s() >= self._until_s:
            return command
        size = command.blocks * BLOCK_BYTES
        if self._buffer is None or not 0 < size <= len(self._buffer):
            return command
        with suppress(OSError), memoryview(self._buffer)[:size] as view:
            if os.preadv(self._descriptor, [view], command.lba * BLOCK_BYTES) == size:
                return Outcome(data=bytes(view))
        return command


@dataclass(slots=True)
class LeavesArrayOut(Defect):
    """An array that comes back is taken out at once, as an operator would do it."""

    watch: ArrayWatch
    argv: list[str]

    def begin(self, stage: Stage) -> None:
        """See Defect."""
        self.watch.start(stage, on_return=self._take_out)

    def _take_out(self) -> None:
        """Start the command and leave it alone; what it says goes where the saboteur's words go."""
        subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, cwd="/")
