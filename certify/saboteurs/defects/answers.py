"""Defects in status and sense data."""

from dataclasses import dataclass, field

from certify.saboteurs.defect import Defect, Stage
from certify.saboteurs.values import (
    ILLEGAL_REQUEST,
    MEDIUM_ERROR,
    UNIT_ATTENTION,
    Command,
    Outcome,
    check_condition,
)

LBA_OUT_OF_RANGE, INVALID_OPCODE, INVALID_FIELD, UNRECOVERED_READ = 0x21, 0x20, 0x24, 0x11


class WrongSenseBeyondEnd(Defect):
    """A READ or WRITE beyond the last block is called an invalid field, not an LBA out of range."""

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Change the additional sense code."""
        if (outcome.sense_key, outcome.asc) == (ILLEGAL_REQUEST, LBA_OUT_OF_RANGE):
            return check_condition(ILLEGAL_REQUEST, INVALID_FIELD)
        return outcome


class AcceptsUnknown(Defect):
    """A command that does not exist ends GOOD."""

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Change the status."""
        if (outcome.sense_key, outcome.asc) == (ILLEGAL_REQUEST, INVALID_OPCODE):
            return Outcome()
        return outcome


class NoUnitAttention(Defect):
    """A host is never told of what happened: unit attentions are kept from it."""

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Send the command again."""
        return command if outcome.sense_key == UNIT_ATTENTION else outcome


@dataclass(slots=True)
class ErrorAtFailover(Defect):
    """What a lost engine held ends as MEDIUM ERROR, which no host tries elsewhere."""

    _lost: set[str] = field(default_factory=set)

    def on_loss(self, engine: str, stage: Stage) -> None:
        """Remember it."""
        self._lost.add(engine)

    def on_return(self, engine: str, stage: Stage) -> None:
        """Forget it."""
        self._lost.discard(engine)

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Change the sense data of reads and writes."""
        moves_data = command.reads or command.writes
        if moves_data and not outcome.good and command.front.engine in self._lost:
            return check_condition(MEDIUM_ERROR, UNRECOVERED_READ)
        return outcome
