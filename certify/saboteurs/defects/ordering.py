"""Defects of a system that acknowledges before it has done, or does again what is long done."""

from collections import deque
from dataclasses import dataclass, field

from certify.saboteurs.defect import Defect, Stage, other_engine
from certify.saboteurs.defects.arrays import ArrayWatch
from certify.saboteurs.defects.data import Every
from certify.saboteurs.values import BLOCK_BYTES, Command, Front, Outcome

LAG_S = 0.25
REPLAYED = 64
TAKEOVER_S = 0.5
LATE_S = 3.0
"""The suite rewrites a busy block every 2.6 s at its usual rate."""
REMEMBERED_S = 2.0


@dataclass(slots=True)
class WriteBehind(Defect):
    """Acknowledges WRITEs at once and carries them out later; reads see them meanwhile.

    What is not carried out yet is gone when the engine that took it is lost, or an array: a write
    cache without a battery, a mirror that does not wait for its second leg.
    """

    lost_with_engine: bool = False
    watch: ArrayWatch | None = None
    _behind: dict[tuple[str, int], list[Command]] = field(default_factory=dict)

    def begin(self, stage: Stage) -> None:
        """See Defect."""
        if self.watch is not None:
            self.watch.start(stage, on_loss=self._behind.clear)

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Acknowledge a WRITE; keep it by its unit and first block."""
        if not command.writes:
            return command
        key = (command.front.unit, command.lba)
        self._behind.setdefault(key, []).append(command)
        stage.later(LAG_S, lambda: self._carry_out(command, stage))
        return Outcome()

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Let a READ see what is not carried out yet."""
        if not (command.reads and outcome.good):
            return outcome
        data = bytearray(outcome.data)
        for (unit, _), pending in self._behind.items():
            if unit == command.front.unit:
                for write in pending:
                    overlay(data, command.lba, write)
        return Outcome(data=bytes(data))

    def on_loss(self, engine: str, stage: Stage) -> None:
        """Forget what the engine had."""
        if not self.lost_with_engine:
            return
        for key, pending in list(self._behind.items()):
            self._behind[key] = [one for one in pending if one.front.engine != engine]

    def _carry_out(self, command: Command, stage: Stage) -> None:
        key = (command.front.unit, command.lba)
        if command not in self._behind.get(key, ()):
            return

        def ended(outcome: Outcome) -> None:
            pending = self._behind.get(key, [])
            if command in pending and not outcome.good and not self.lost_with_engine:
                other = other_engine(command.front, stage)
                if other is not None:
                    stage.send(_through(command, other), lambda _: self._forget(key, command))
                    return
            self._forget(key, command)

        stage.send(command, ended)

    def _forget(self, key: tuple[str, int], command: Command) -> None:
        pending = self._behind.get(key, [])
        if command in pending:
            pending.remove(command)
        if not pending:
            self._behind.pop(key, None)


@dataclass(slots=True)
class TearsAtFailover(Defect):
    """For half a second the other engine carries out what the lost one was sent, but half of it."""

    _until_s: dict[str, float] = field(default_factory=dict)

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Pass on through the other engine while the lost one is taken over."""
        return self._taken_over(command, stage) or command

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Try what the lost engine did not serve through the other one."""
        if outcome.good:
            return outcome
        return self._taken_over(command, stage) or outcome

    def on_loss(self, engine: str, stage: Stage) -> None:
        """Begin to take over."""
        self._until_s[engine] = stage.now_s() + TAKEOVER_S

    def _lost(self, engine: str, stage: Stage) -> bool:
        return engine in self._until_s and stage.now_s() <= self._until_s[engine]

    def _taken_over(self, command: Command, stage: Stage) -> Command | None:
        other = other_engine(command.front, stage)
        if other is None or self._lost(other.engine, stage):  # else it would go to and fro for ever
            return None
        if not self._lost(command.front.engine, stage):
            return None
        through = _through(command, other)
        if not command.writes or command.blocks < 2:
            return through
        return _first_half(through)


@dataclass(slots=True)
class ReplaysOldWrites(Defect):
    """An engine that returns carries out again the last writes that it was sent before its loss."""

    _sent: dict[str, deque[Command]] = field(default_factory=dict)
    _kept: dict[str, list[Command]] = field(default_factory=dict)

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Remember it."""
        if command.writes:
            engine = command.front.engine
            self._sent.setdefault(engine, deque(maxlen=REPLAYED)).append(command)
        return command

    def on_loss(self, engine: str, stage: Stage) -> None:
        """Keep what is remembered."""
        self._kept[engine] = list(self._sent.get(engine, ()))

    def on_return(self, engine: str, stage: Stage) -> None:
        """Carry it out."""
        for command in self._kept.pop(engine, []):
            stage.send(command, lambda _: None)


@dataclass(slots=True)
class ReordersWrites(Every):
    """Each nth WRITE is acknowledged at once and carried out 3 s later, over what is newer."""

    _late: dict[tuple[str, int], Command] = field(default_factory=dict)

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Keep a WRITE back; one to the same place ends that reads see it."""
        if not command.writes:
            return command
        key = (command.front.unit, command.lba)
        self._late.pop(key, None)
        if not self.turn():
            return command
        self._late[key] = command
        stage.later(LATE_S, lambda: self._carry_out(key, command, stage))
        return Outcome()

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Let a READ see what is kept back, as long as nothing newer is there."""
        if not (command.reads and outcome.good):
            return outcome
        data = bytearray(outcome.data)
        for (unit, _), late in self._late.items():
            if unit == command.front.unit:
                overlay(data, command.lba, late)
        return Outcome(data=bytes(data))

    def _carry_out(self, key: tuple[str, int], command: Command, stage: Stage) -> None:
        def ended(_: Outcome) -> None:
            if self._late.get(key) is command:
                del self._late[key]

        stage.send(command, ended)


@dataclass(slots=True)
class ReadsOwnCache(Defect):
    """Each engine answers READs from what it last wrote itself, for up to 2 s."""

    _cache: dict[tuple[Front, int], tuple[float, bytes]] = field(default_factory=dict)

    def on_command(self, command: Command, stage: Stage) -> Command | Outcome:
        """Answer from the cache, or fill it."""
        key = (command.front, command.lba if command.reads or command.writes else -1)
        if command.writes:
            self._cache[key] = (stage.now_s(), command.data_out)
        if not command.reads or key not in self._cache:
            return command
        at_s, data = self._cache[key]
        if stage.now_s() - at_s > REMEMBERED_S or len(data) != command.blocks * BLOCK_BYTES:
            return command
        return Outcome(data=data)


def overlay(data: bytearray, lba: int, write: Command) -> None:
    """Copy into *data*, read at *lba*, what of *write* overlaps it."""
    start = (write.lba - lba) * BLOCK_BYTES
    first, last = max(start, 0), min(start + len(write.data_out), len(data))
    if first < last:
        data[first:last] = write.data_out[first - start : last - start]


def _through(command: Command, front: Front) -> Command:
    return Command(front=front, cdb=command.cdb, data_out=command.data_out, room=command.room)


def _first_half(command: Command) -> Command:
    """Return a WRITE (16) of the first half of a write's blocks."""
    blocks = command.blocks // 2
    cdb = b"\x8a\0" + command.lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + b"\0\0"
    data = command.data_out[: blocks * BLOCK_BYTES]
    return Command(front=command.front, cdb=cdb, data_out=data, room=len(data))
