"""What a defect is: hooks into the passing of commands, none of which does anything by default."""

from collections.abc import Callable, Sequence
from typing import Protocol

from certify.saboteurs.values import Command, Front, Outcome


class Stage(Protocol):
    """What a defect may use beside the command at hand; certify.saboteurs.stage is one."""

    @property
    def fronts(self) -> Sequence[Front]:
        """Every device that hosts see."""
        ...

    def now_s(self) -> float:
        """Return the monotonic time in seconds."""
        ...

    def send(self, command: Command, then: Callable[[Outcome], None]) -> None:
        """Send a command of the saboteur's own to the router."""
        ...

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after *seconds*."""
        ...


class Defect:
    """A system without a defect: the control, and the base of all defects.

    For each command `on_command` is asked first, then, unless it answered itself, the router; what
    comes of it goes through `on_outcome`, is held for `hold_s` seconds and answered.
    """

    def begin(self, stage: Stage) -> None:
        """The saboteur begins to serve."""

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Return the command to pass on, or an outcome to answer it without the router."""
        return command

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Return what to answer, or a command to try instead; *command* is the host's own."""
        return outcome

    def hold_s(self, command: Command, outcome: Outcome, stage: Stage) -> float:
        """Return for how many seconds to hold the answer."""
        return 0.0

    def on_loss(self, engine: str, stage: Stage) -> None:
        """An engine of the router no longer serves."""

    def on_return(self, engine: str, stage: Stage) -> None:
        """An engine of the router serves again."""


def other_engine(front: Front, stage: Stage) -> Front | None:
    """Return the device of the same unit and host through another engine, None without one."""
    for other in stage.fronts:
        if other.engine != front.engine and (other.unit, other.host) == (front.unit, front.host):
            return other
    return None
