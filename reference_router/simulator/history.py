"""Makes the history of one block, as `registers` judges it, from what hosts did and were told."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reference_router.commands import Op
from reference_router.simulator.host import Attempt, Fate, Operation
from reference_router.simulator.plan import LEGS
from reference_router.simulator.registers import NEVER, Access, Did

if TYPE_CHECKING:
    from reference_router.simulator.invariants import Judge


def history_of(
    judge: "Judge",
    operations: Iterable[Operation],
    block: int,
    final: Sequence[tuple[int, int]] = (),
) -> list[Access]:
    """Return all accesses to a block. `final` are (leg, value) that are read at the end."""
    history = []
    for operation in operations:
        if block in operation.span:
            index = block - operation.planned.lba
            for attempt in operation.attempts:
                access = _access(judge, attempt, index)
                if access is not None:
                    history.append(access)
    for order, (leg, value) in enumerate(final):
        if value not in judge.excused:
            start = judge.stamp + 2 * order + 1
            label = f"leg {LEGS[leg]} holds {value}"
            history.append(Access(start, start + 1, Did.READ, value, label=label))
    return history


def _access(judge: "Judge", attempt: Attempt, index: int) -> Access | None:
    if not attempt.executed and attempt.fate is not Fate.LATE:
        return None
    operation = attempt.operation
    label = f"{operation} through engine {attempt.engine.number}: {attempt.fate} {attempt.read}"
    if attempt.fate is Fate.GOOD:
        did = _did(judge, operation, attempt, index)
    elif attempt.fate is Fate.MISCOMPARE:
        did = _differed(judge, operation, attempt, index)
    elif operation.writes and attempt.landed:
        return _maybe(judge, attempt, index, label)
    else:
        did = None
    if did is None:
        return None
    return Access(attempt.start, attempt.end, *did, label=label)


def _did(
    judge: "Judge", operation: Operation, attempt: Attempt, index: int
) -> tuple[Did, int, int] | None:
    """Return what a command that ended GOOD did to the block."""
    number = operation.planned.number
    if operation.op is Op.READ:
        value = attempt.read[index]
        return None if value in judge.excused else (Did.READ, value, 0)
    if operation.op is Op.COMPARE:
        value = operation.wants[index]
        return None if value in judge.excused else (Did.READ, value, 0)
    if operation.op is Op.COMPARE_AND_WRITE and operation.wants[index] not in judge.excused:
        return Did.SWAP, number, operation.wants[index]
    return (Did.WRITE, number, 0) if operation.writes else None


def _differed(
    judge: "Judge", operation: Operation, attempt: Attempt, index: int
) -> tuple[Did, int, int] | None:
    """Return what a failed comparison says of the block: what is before the first was equal."""
    if operation.op is Op.WRITE_AND_COMPARE:
        return Did.WRITE, operation.planned.number, 0  # it was written, and then written over
    at = attempt.mismatch
    excused = judge.excused.intersection(judge.blocks[operation.planned.lba + index].writers)
    if at is None or index > at or excused:
        return None
    return (Did.DIFFERED if index == at else Did.READ, operation.wants[index], 0)


def _maybe(judge: "Judge", attempt: Attempt, index: int, label: str) -> Access:
    """Return the access of a write that may have had its effect.

    It has it before the application has its answer to a later attempt. If that never came, it has
    it before the end of the first write to the block that began when the attempt was over: that
    one goes to every leg, and leaves nothing of this one anywhere.
    """
    operation = attempt.operation
    block = operation.planned.lba + index
    end = operation.end
    if end >= NEVER:
        later = judge.blocks[block].acknowledged
        end = min((each.end for each in later if each.start > attempt.end), default=NEVER)
    number = operation.planned.number
    if operation.op is Op.COMPARE_AND_WRITE and operation.wants[index] not in judge.excused:
        return Access(attempt.start, end, Did.SWAP, number, operation.wants[index], False, label)
    return Access(attempt.start, end, Did.WRITE, number, 0, False, label)
