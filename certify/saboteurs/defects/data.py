"""Defects that change data, now and then and without a word."""

from dataclasses import dataclass

from certify.saboteurs.defect import Defect, Stage
from certify.saboteurs.values import Command, Outcome

NEIGHBOUR = 32
"""Blocks of 512 bytes from one 16 KiB stretch to the next, in which other data lies."""


@dataclass(slots=True)
class Every(Defect):
    """Counts the commands that it is asked about; `turn` is true for each *nth*."""

    nth: int
    count: int = 0

    def turn(self) -> bool:
        """Count one more, and tell whether it is the one."""
        self.count += 1
        return self.count % self.nth == 0


class FlipsBitOnRead(Every):
    """Each nth READ comes with one bit changed."""

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Change the data."""
        if not (command.reads and outcome.data and self.turn()):
            return outcome
        return Outcome(data=_flipped(outcome.data))


class FlipsBitOnWrite(Every):
    """Each nth WRITE is carried out with one bit changed."""

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Change the data."""
        if not (command.writes and command.data_out and self.turn()):
            return command
        return command.carrying(_flipped(command.data_out))


class MisplacesWrite(Every):
    """Each nth WRITE goes to the neighbouring 16 KiB."""

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Change the address."""
        if not (command.writes and self.turn()):
            return command
        return command.at(command.lba ^ NEIGHBOUR)


class SwapsBlocks(Defect):
    """One engine takes two neighbouring stretches for each other, in one of sixteen places."""

    engine = "engine1"

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Change the address, in reads and writes alike."""
        if command.front.engine != self.engine or not (command.reads or command.writes):
            return command
        place = command.lba // (2 * NEIGHBOUR)
        return command.at(command.lba ^ NEIGHBOUR) if place % 16 == 3 else command


class ReadsZeroes(Defect):
    """READs of one stretch in sixty-four return zeroes, as if nothing had been written there."""

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Clear the data."""
        if not (command.reads and outcome.good) or command.lba // NEIGHBOUR % 64 != 5:
            return outcome
        return Outcome(data=bytes(len(outcome.data)))


class DropsWrite(Every):
    """Each nth WRITE is acknowledged and forgotten."""

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Answer at once."""
        return Outcome() if command.writes and self.turn() else command


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2 + 100
    changed = bytearray(data)
    changed[min(middle, len(data) - 1)] ^= 0x10
    return bytes(changed)
