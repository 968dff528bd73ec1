"""Drives the hosts of a plan: sends operations, sends them again, and keeps what they were told."""

import random
from typing import TYPE_CHECKING

from reference_router.commands import Command, Op
from reference_router.simulator.host import Attempt, Fate, Operation, fate_of
from reference_router.simulator.plan import BLOCKS, Planned
from reference_router.simulator.shell import Engine
from reference_router.simulator.violation import Violation

if TYPE_CHECKING:
    from reference_router.simulator.world import World

_US = 1000
_AGAIN_NS = (300 * _US, 10_000 * _US)
_NOTICED_NS = (100 * _US, 30_000 * _US)
HOST_PATIENCE_NS = 8_000_000 * _US
"""When a host gives a command up and tries another path: later than any fence takes."""
_BACK_OFF_MAX = 4  # doublings
_UNKNOWN = -7  # what a comparison that should differ is made with


class Hosts:
    """All operations of a run."""

    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self.operations: list[Operation] = []
        self.open: dict[Operation, None] = {}
        self.done = 0
        self.believed = [0] * BLOCKS
        """The newest value of each block that a host was told of."""

    def begin(self, planned: Planned) -> None:
        """Begin an operation, as planned."""
        wants: list[int] = []
        span = range(planned.lba, planned.lba + planned.blocks)
        if planned.op in ("COMPARE", "COMPARE_AND_WRITE"):
            wants = [self.believed[block] if planned.fits else _UNKNOWN for block in span]
        operation = Operation(planned, wants)
        self.operations.append(operation)
        self.open[operation] = None
        self._world.judge.begins(operation)
        self._send(operation)

    def _send(self, operation: Operation) -> None:
        """Send an operation: the first time as planned, later on any path that seems to work."""
        if operation.over:
            return
        number = operation.planned.engine
        if operation.attempts or operation.refusals or self._chance.random() < 0.1:
            number = self._chance.choice((1, 2))
        engine = self._world.engines[number]
        if engine is None or (engine.stopping and self._chance.random() < 0.9):
            engine = self._world.engines[3 - number]
        if engine is None:
            self._again(operation, _AGAIN_NS)
            return
        attempt = Attempt(operation, engine, self._world.judge.tick(), self._world.now_ns)
        operation.attempts.append(attempt)
        engine.attempts[attempt] = None
        self._world.say("send command", engine.number, str(operation))
        self._world.tell(engine, "command", attempt)

    def _again(self, operation: Operation, wait_ns: tuple[int, int]) -> None:
        shift = min(operation.refusals, _BACK_OFF_MAX)
        at_ns = self._world.now_ns + (self._chance.randrange(*wait_ns) << shift)
        self._world.at(at_ns, self._send, operation)

    def refused(self, attempt: Attempt) -> None:
        """An engine that does not serve answers NOT READY."""
        if self._ends(attempt, Fate.REFUSED):
            attempt.operation.attempts.remove(attempt)  # nothing came of it
            self._retry(attempt)

    def complete(self, engine: Engine, command: Command) -> None:
        """Take the answer to a command."""
        attempt: Attempt = command.token
        if not isinstance(attempt, Attempt):
            raise Violation("bounded", f"engine {engine.number} answers what nobody asked")
        try:
            fate = fate_of(command.response)
        except ValueError as error:
            raise Violation("bounded", f"{attempt.operation}: {error}") from error
        if attempt.fate is not Fate.OPEN:
            if attempt.fate not in (Fate.LATE, Fate.LOST):
                raise Violation("bounded", f"{attempt.operation} is answered twice")
            return
        self._ends(attempt, fate)
        if fate is Fate.REFUSED:
            self._retry(attempt)
        elif fate is Fate.FAILED:
            self._fails(attempt)
        else:
            self._answered(attempt)

    def _ends(self, attempt: Attempt, fate: Fate) -> bool:
        if attempt.fate is not Fate.OPEN:
            return False
        attempt.fate = fate
        attempt.end = self._world.judge.tick()
        attempt.engine.attempts.pop(attempt, None)
        self._world.say("answer", attempt.engine.number, str(attempt.operation), str(fate),
                        tuple(attempt.read))  # fmt: skip
        return True

    def _answered(self, attempt: Attempt) -> None:
        operation = attempt.operation
        operation.end = attempt.end
        self.open.pop(operation, None)
        self.done += 1
        self._world.judge.answered(attempt)
        if attempt.fate is not Fate.GOOD:
            return
        for index, block in enumerate(operation.span):
            if operation.writes:
                self.believed[block] = operation.planned.number
            elif operation.op is not Op.VERIFY:
                self.believed[block] = attempt.read[index]

    def _fails(self, attempt: Attempt) -> None:
        """An application's read that fails is over; a write is made again until it holds."""
        operation = attempt.operation
        if operation.writes:
            self._again(operation, _NOTICED_NS)
        else:
            self._give_up(operation)
        self._world.judge.failed(attempt)

    def _retry(self, attempt: Attempt) -> None:
        operation = attempt.operation
        operation.refusals += 1
        if operation.planned.gives_up and attempt.executed:
            self._give_up(operation)
        else:
            self._again(operation, _AGAIN_NS)

    def _give_up(self, operation: Operation) -> None:
        operation.gave_up = True
        self.open.pop(operation, None)
        self.done += 1

    def engine_died(self, engine: Engine) -> None:
        """The tombstone answers for a dead engine: hosts try elsewhere."""
        for attempt in list(engine.attempts):
            if self._ends(attempt, Fate.LOST):
                self._lost(attempt)
        engine.attempts.clear()

    def _lost(self, attempt: Attempt) -> None:
        operation = attempt.operation
        if operation.over:
            return
        if operation.planned.gives_up:
            self._give_up(operation)
        else:
            self._again(operation, _NOTICED_NS)

    def watch(self) -> None:
        """Give up commands that the host has waited for too long, and try elsewhere."""
        for operation in list(self.open):
            attempt = operation.attempts[-1] if operation.attempts else None
            if attempt is None or attempt.fate is not Fate.OPEN:
                continue
            if self._world.now_ns - attempt.started_ns > HOST_PATIENCE_NS:
                self._ends(attempt, Fate.LATE)
                self._again(operation, _AGAIN_NS)
