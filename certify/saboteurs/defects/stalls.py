"""Defects that cost time, and paths that never come back."""

from dataclasses import dataclass, field

from certify.saboteurs.defect import Defect, Stage
from certify.saboteurs.values import Command, Outcome, unavailable


@dataclass(slots=True)
class HoldsAtFailover(Defect):
    """From the loss of an engine on, all I/O is held until *seconds* have passed."""

    seconds: float
    _until_s: float = 0.0

    def on_loss(self, engine: str, stage: Stage) -> None:
        """Begin."""
        self._until_s = stage.now_s() + self.seconds

    def hold_s(self, command: Command, outcome: Outcome, stage: Stage) -> float:
        """Hold reads and writes, also those that the lost engine did not serve."""
        return _left(command, self._until_s, stage)


@dataclass(slots=True)
class HoldsAtFailback(Defect):
    """From the return of an engine on, all I/O is held until *seconds* have passed."""

    seconds: float
    _until_s: float = 0.0

    def on_return(self, engine: str, stage: Stage) -> None:
        """Begin."""
        self._until_s = stage.now_s() + self.seconds

    def hold_s(self, command: Command, outcome: Outcome, stage: Stage) -> float:
        """Hold reads and writes."""
        return _left(command, self._until_s, stage)


@dataclass(slots=True)
class Pauses(Defect):
    """Without any fault, all I/O is held for *seconds*, once in *period_s*."""

    seconds: float
    period_s: float
    _began_s: float = 0.0

    def begin(self, stage: Stage) -> None:
        """Count from now, so that the lab comes up undisturbed."""
        self._began_s = stage.now_s()

    def hold_s(self, command: Command, outcome: Outcome, stage: Stage) -> float:
        """Hold reads and writes at the end of each period."""
        if not (command.reads or command.writes):
            return 0.0
        into_s = (stage.now_s() - self._began_s) % self.period_s
        left_s = self.period_s - into_s
        return left_s if left_s <= self.seconds else 0.0


@dataclass(slots=True)
class StaysAway(Defect):
    """An engine that was lost once is never used again: its ports say unavailable for ever."""

    _lost: set[str] = field(default_factory=set)

    def on_loss(self, engine: str, stage: Stage) -> None:
        """Remember it."""
        self._lost.add(engine)

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Refuse everything but INQUIRY, as a port in that state does (SPC-4 5.11.2.4.5)."""
        if command.front.engine in self._lost and command.opcode != 0x12:
            return unavailable()
        return command


def _left(command: Command, until_s: float, stage: Stage) -> float:
    return max(until_s - stage.now_s(), 0.0) if command.reads or command.writes else 0.0
