"""An exercise that acts once, some seconds into the fault phase, in a thread of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field

from certify.exercise import Stage
from certify.exercises.background import Background

POLL_S = 0.02
FAULT = "fault"


@dataclass(slots=True, kw_only=True)
class InFault:
    """Calls *act* *after_s* seconds after the fault phase began; *act* reports by the stage."""

    name: str
    stage: Stage
    after_s: float
    act: Callable[[Stage], None]
    _acted: bool = field(init=False, default=False)
    _background: Background = field(init=False)

    def __post_init__(self) -> None:
        self._background = Background(name=self.name)

    @property
    def started(self) -> bool:
        """Tell whether `start` was called."""
        return self._background.started

    def start(self) -> None:
        """See Exercise.start."""
        self._background.start(self._run)

    def stop(self) -> None:
        """See Exercise.stop."""
        self._background.stop()
        if not self._acted:
            self.stage.report(
                self.name, expected="done during the fault", observed="not done", good=None
            )

    def _run(self) -> None:
        ended = self._background.ended
        while self.stage.phase() != FAULT:
            if ended.wait(POLL_S):
                return
        if not ended.wait(self.after_s):
            self.act(self.stage)
            self._acted = True
