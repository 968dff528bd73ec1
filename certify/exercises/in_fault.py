"""An exercise that acts once, some seconds into the fault phase, in a thread of its own."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from certify.exercise import Stage
from certify.lab import LabError
from fault_injectors import FaultError

POLL_S = 0.02
END_S = 60.0
FAULT = "fault"


@dataclass(slots=True, kw_only=True)
class InFault:
    """Calls *act* *after_s* seconds after the fault phase began; *act* reports by the stage."""

    name: str
    stage: Stage
    after_s: float
    act: Callable[[Stage], None]
    _ended: threading.Event = field(init=False, default_factory=threading.Event)
    _acted: bool = field(init=False, default=False)
    _failure: str = field(init=False, default="")
    _thread: threading.Thread = field(init=False)
    started: bool = field(init=False, default=False)

    def start(self) -> None:
        """See Exercise.start."""
        self.started = True
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """See Exercise.stop."""
        self._ended.set()
        self._thread.join(END_S)
        if self._thread.is_alive():
            raise LabError(f"exercise {self.name}: no end within {END_S:g} s")
        if self._failure:
            raise LabError(f"exercise {self.name}: {self._failure}")
        if not self._acted:
            self.stage.report(
                self.name, expected="done during the fault", observed="not done", good=None
            )

    def _run(self) -> None:
        try:
            while self.stage.phase() != FAULT:
                if self._ended.wait(POLL_S):
                    return
            if not self._ended.wait(self.after_s):
                self.act(self.stage)
                self._acted = True
        except (LabError, FaultError, OSError) as error:
            self._failure = str(error)
