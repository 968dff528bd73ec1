"""The judge of a simulated run: the seven invariants, at every step that could break one.

- `durable`: an acknowledged write is on every leg in sync, then and at the end.
- `converged`: legs in sync are equal, but for blocks that a host has no answer for.
- `linearizable`: each block is one atomic register (`registers`), at the end of the run.
- `no-stale-read`: no read returns what an acknowledged write had replaced before it began; no leg
  comes in sync that lacks an acknowledged write.
- `one-side`: nothing lands on a leg in use from an engine that is no member any more; an epoch
  means the same to both engines; no two engines that know nothing of each other both serve.
- `native`: what lands on a block is what a host wrote to that block, or was there before.
- `bounded`: every command is answered in time; after the faults, everything becomes whole again.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference_router.commands import LegIo, Op
from reference_router.messages import LegState, UnitState
from reference_router.simulator.history import history_of
from reference_router.simulator.host import Attempt, Fate, Operation
from reference_router.simulator.plan import ARRAY_KINDS, BLOCKS, LEGS, REGION_BLOCKS
from reference_router.simulator.registers import judge
from reference_router.simulator.violation import Violation

if TYPE_CHECKING:
    from reference_router.simulator.shell import Engine
    from reference_router.simulator.world import World

_USED = (LegState.IN_SYNC, LegState.RESYNCING)


@dataclass(slots=True)
class _Block:
    """What the judge knows of a block."""

    open_writes: int = 0
    acknowledged: list[Operation] = field(default_factory=list)
    writers: dict[int, Operation] = field(default_factory=dict)


class Judge:
    """Sees everything, touches nothing."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.stamp = 0
        self.top: UnitState | None = None
        """The state of the highest epoch that an engine took."""
        self.blocks = [_Block() for _ in range(BLOCKS)]
        self.excused: set[int] = set()
        self.checks = 0

    def tick(self) -> int:
        """Count one more event; return its number. It orders what happens at the same time."""
        self.stamp += 1
        return self.stamp

    def in_sync(self) -> list[int]:
        """Return the legs in sync at the highest epoch."""
        states = self.top.states if self.top else ()
        return [leg for leg, state in enumerate(states) if state is LegState.IN_SYNC]

    # Hosts

    def begins(self, operation: Operation) -> None:
        """Note an operation."""
        operation.start = self.tick()
        if operation.writes:
            for block in operation.span:
                self.blocks[block].open_writes += 1
                self.blocks[block].writers[operation.planned.number] = operation

    def answered(self, attempt: Attempt) -> None:
        """Check the answer that an application got."""
        operation = attempt.operation
        if operation.op is Op.WRITE_AND_COMPARE and attempt.fate is Fate.MISCOMPARE:
            self._check_overwritten(attempt)
        if not operation.writes:
            if operation.op is Op.READ and attempt.fate is Fate.GOOD:
                self._check_fresh(attempt)
            return
        for block in operation.span:
            self.blocks[block].open_writes -= 1
            if attempt.fate is Fate.GOOD:
                self.blocks[block].acknowledged.append(operation)
        if attempt.fate is Fate.GOOD:
            self._check_acknowledged(attempt)

    def _check_overwritten(self, attempt: Attempt) -> None:
        """Check that what a write reads back differs only for another write at the same time.

        SBC-3 does not make WRITE AND VERIFY one atomic step.
        """
        operation = attempt.operation
        block = operation.planned.lba + (attempt.mismatch or 0)
        others = self.blocks[block].writers.values()
        if not any(each is not operation and each.end > attempt.start for each in others):
            raise Violation("linearizable", f"{operation}: reads back something else")

    def failed(self, attempt: Attempt) -> None:
        """Check an answer that tells of an error: only a fault of an array explains one."""
        if not any(fault.kind in ARRAY_KINDS for fault in self._world.plan.faults):
            raise Violation("bounded", f"{attempt.operation} failed, though no array had a fault")

    def _check_acknowledged(self, attempt: Attempt) -> None:
        operation, number = attempt.operation, attempt.operation.planned.number
        self.checks += 1
        for leg in self.in_sync():
            array = self._world.arrays[leg]
            for block in operation.span:
                landed = self._landed(number, block)
                if number not in array.first_landed[block] and array.last_landed[block] <= landed:
                    raise Violation(
                        "durable",
                        f"{operation} is acknowledged by engine {attempt.engine.number}, "
                        f"but leg {LEGS[leg]}, in sync, has {array.blocks[block]} in block {block}",
                    )
        self._check_equal(list(operation.span), "after an acknowledgement")

    def _landed(self, number: int, block: int) -> int:
        stamps = [array.first_landed[block].get(number) for array in self._world.arrays]
        return min((stamp for stamp in stamps if stamp is not None), default=1 << 62)

    def _check_fresh(self, attempt: Attempt) -> None:
        for index, block in enumerate(attempt.operation.span):
            value, known = attempt.read[index], self.blocks[block]
            writer = known.writers.get(value)
            if value and writer is None:
                raise Violation("native", f"{attempt.operation} returned {value} in block {block}")
            if value in self.excused:
                continue
            replaced = writer.end if writer else 0
            for other in known.acknowledged:
                if other.start > replaced and other.end < attempt.start:
                    raise Violation(
                        "no-stale-read",
                        f"{attempt.operation} returned {value} in block {block} through engine "
                        f"{attempt.engine.number}; #{other.planned.number} had replaced it",
                    )

    # Legs

    def landing(self, engine: "Engine", io: LegIo, values: list[int]) -> None:
        """Check a write just before it lands."""
        self.tick()
        for block, value in enumerate(values, io.lba):
            if value and value not in self.blocks[block].writers:
                raise Violation(
                    "native",
                    f"engine {engine.number} writes {value} to block {block} of leg "
                    f"{LEGS[io.leg]}, where no host wrote it",
                )
        top = self.top
        if top is None or engine.number in top.members or top.states[io.leg] not in _USED:
            return
        raise Violation(
            "one-side",
            f"a write of engine {engine.number} lands on leg {LEGS[io.leg]} in blocks {io.lba} to "
            f"{io.lba + len(values) - 1}, while at epoch {top.epoch} only {top.members} serve",
        )

    def sees(self, engine: "Engine", state: UnitState) -> None:
        """Check a state that an engine took."""
        if self.top is not None and state.epoch <= self.top.epoch:
            if state.epoch == self.top.epoch and state.states != self.top.states:
                raise Violation(
                    "one-side",
                    f"epoch {state.epoch} means {state.states} to engine {engine.number}, and "
                    f"{self.top.states} to another",
                )
            return
        before, self.top = self.top, state
        self.tick()
        legs = self.in_sync()
        if not legs and any(each in _USED for each in state.states):
            raise Violation("durable", f"epoch {state.epoch} has no leg in sync")
        self._excuse(before, state)
        was = before.states if before else ()
        new = [leg for leg in legs if leg >= len(was) or was[leg] is not LegState.IN_SYNC]
        if new and before is not None:
            self._check_promoted(state, legs)

    def _check_promoted(self, state: UnitState, legs: list[int]) -> None:
        for block, known in enumerate(self.blocks):
            if known.open_writes or not known.acknowledged:
                continue
            last = known.acknowledged[-1]
            for leg in legs:
                value = self._world.arrays[leg].blocks[block]
                writer = known.writers.get(value)
                if value in self.excused:
                    continue
                if (writer.end if writer else 0) < last.start:
                    raise Violation(
                        "no-stale-read",
                        f"epoch {state.epoch}: leg {LEGS[leg]} is in sync with {value} in block "
                        f"{block}, which #{last.planned.number} had replaced",
                    )

    def _check_equal(self, blocks: list[int], when: str) -> None:
        legs = self.in_sync()
        if len(legs) < len(LEGS):
            return
        one, other = (self._world.arrays[leg].blocks for leg in legs)
        for block in blocks:
            if one[block] != other[block] and not self.blocks[block].open_writes:
                raise Violation(
                    "converged",
                    f"{when} block {block} holds {one[block]} on leg A, {other[block]} on leg B",
                )

    def _check_converged(self) -> None:
        """Check that legs in sync differ only where an engine that lives is writing.

        That holds once nothing is left to repair after the death of an engine.
        """
        legs = self.in_sync()
        engines = [each for each in self._world.engines.values() if each is not None]
        arrays = self._world.arrays
        if self.top is None or len(legs) < len(LEGS) or arrays[0].blocks == arrays[1].blocks:
            return
        if {engine.number for engine in engines} != set(self.top.members):
            return
        for engine in engines:
            unit = engine.unit
            agrees = unit.state.epoch == self.top.epoch and unit.state.members == self.top.members
            changes = unit.barrier.proposal is not None or unit.fencing.under_way
            if not engine.running or not agrees or changes or unit.mirror.repairs:
                return
        writing = {block for engine in engines for each in engine.attempts
                   for block in each.operation.span}  # fmt: skip
        copied = {io.lba // REGION_BLOCKS for engine in engines for io in engine.flights}
        for block, (one, other) in enumerate(zip(arrays[0].blocks, arrays[1].blocks, strict=True)):
            if one != other and block not in writing and block // REGION_BLOCKS not in copied:
                raise Violation(
                    "converged",
                    f"nobody writes to block {block}, and it holds {one} on leg A, {other} on B",
                )

    def _excuse(self, before: UnitState | None, state: UnitState) -> None:
        """Excuse writes that nobody acknowledged, when the leg goes that may alone have them.

        That may be if their engine is lost too, or if the other leg has failed them. One that is
        excused may have been read, and be unread again.
        """
        if before is None:
            return
        pairs = zip(before.states, state.states, strict=True)
        if not any(was is LegState.IN_SYNC is not now for was, now in pairs):
            return
        for operation in self._world.hosts.operations:
            number = operation.planned.number
            alone = number in self._world.storage.failed_writes
            if self._is_open(operation) and (alone or self._lost_engine(operation, state)):
                self.excused.add(number)

    def _is_open(self, operation: Operation) -> bool:
        return operation.writes and operation.end > self.stamp

    def _lost_engine(self, operation: Operation, state: UnitState | None) -> bool:
        return any(
            not attempt.engine.alive
            or attempt.engine.hung_ns
            or (state is not None and attempt.engine.number not in state.members)
            for attempt in operation.attempts
        )

    # Time

    def watch(self, limit_ns: int) -> None:
        """Check what holds at any time; no command waits longer than `limit_ns` in an engine."""
        self._check_converged()
        now_ns = self._world.now_ns
        for engine in self._world.engines.values():
            if engine is None or not engine.running:
                continue
            for attempt in engine.attempts:
                waited_ns = now_ns - attempt.started_ns - engine.hung_ns
                if waited_ns > limit_ns:
                    raise Violation(
                        "bounded",
                        f"{attempt.operation} waits in engine {engine.number} for "
                        f"{waited_ns / 1e6:.0f} ms",
                    )

    def finish(self) -> None:
        """Check the whole run, once everything is quiet."""
        self.checks += 1
        for known in self.blocks:
            known.open_writes = 0
        self._check_equal(list(range(BLOCKS)), "at the end")
        for block in range(BLOCKS):
            wrong = judge(history_of(self, self._world.hosts.operations, block))
            if wrong is not None:
                raise Violation("linearizable", f"block {block}: {wrong.label}")
            final = [(leg, self._world.arrays[leg].blocks[block]) for leg in self.in_sync()]
            wrong = judge(history_of(self, self._world.hosts.operations, block, final))
            if wrong is not None:
                raise Violation("durable", f"block {block} at the end: {wrong.label}")
