"""Simulated hosts: operations of an application, sent over the engines' paths until answered.

An operation is what the application asked for. An attempt is one command for it through one
engine. An attempt on an engine that died, or one that failed, may have had its effect or not; the
host sends it again on the other path, as dm-multipath would, unless the plan says that it gives up.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

from reference_router.commands import Op
from reference_router.scsi import Response, SenseKey, Status
from reference_router.simulator.plan import Planned
from reference_router.simulator.registers import NEVER

if TYPE_CHECKING:
    from reference_router.simulator.shell import Engine

RESERVATION_CONFLICT = 0x18  # SAM-5 table 40
_MISCOMPARE = 0xE  # SPC-4 table 54
_HOPELESS = (SenseKey.MEDIUM_ERROR, SenseKey.HARDWARE_ERROR, SenseKey.ILLEGAL_REQUEST)
READS = frozenset((Op.READ, Op.VERIFY, Op.COMPARE))


class Fate(StrEnum):
    """What became of an attempt."""

    OPEN = "under way"
    GOOD = "good"
    MISCOMPARE = "miscompare"
    REFUSED = "refused"  # not ready and the like: another path may do
    FAILED = "failed"  # the medium or the hardware: another path will not do
    LOST = "lost"  # its engine died
    LATE = "late"  # the host's time is over


class Operation:
    """What an application asked for. `start` and `end` are the judge's count."""

    __slots__ = ("attempts", "end", "gave_up", "op", "planned", "refusals", "start", "wants")

    def __init__(self, planned: Planned, wants: list[int]) -> None:
        self.planned = planned
        self.op = Op[planned.op]
        self.attempts: list[Attempt] = []
        self.start = 0
        self.end = NEVER
        self.gave_up = False
        self.wants = wants
        """What a comparison is made with."""
        self.refusals = 0

    @property
    def over(self) -> bool:
        """Tell whether the application has its answer, or has given up."""
        return self.end < NEVER or self.gave_up

    @property
    def writes(self) -> bool:
        """Tell whether it may change the medium."""
        return self.op not in READS

    @property
    def span(self) -> range:
        """Return its blocks."""
        return range(self.planned.lba, self.planned.lba + self.planned.blocks)

    def __str__(self) -> str:
        planned = self.planned
        last = planned.lba + planned.blocks - 1
        blocks = f"block {planned.lba}" if planned.blocks == 1 else f"blocks {planned.lba}-{last}"
        text = f"#{planned.number} {planned.op} {blocks}"
        return f"{text} expecting {self.wants}" if self.wants else text


class Attempt:
    """One command for an operation. It is the `token` of the core's Command."""

    __slots__ = ("end", "engine", "executed", "fate", "landed", "mismatch", "operation", "read",
                 "start", "started_ns")  # fmt: skip

    def __init__(self, operation: Operation, engine: "Engine", start: int, now_ns: int) -> None:
        self.operation = operation
        self.engine = engine
        self.start = start
        self.end = NEVER
        self.started_ns = now_ns
        self.fate = Fate.OPEN
        self.executed = False
        """Whether the engine's core has it."""
        self.landed = False
        """Whether anything that it wrote reached a leg."""
        self.mismatch: int | None = None
        self.read = [-1] * operation.planned.blocks

    @property
    def compared_with(self) -> list[int]:
        """Return what its data is compared with."""
        operation = self.operation
        if operation.op is Op.WRITE_AND_COMPARE:
            return [operation.planned.number] * operation.planned.blocks
        return operation.wants


def fate_of(response: Response | None) -> Fate:
    """Tell what a response means to a host. Raises ValueError for one that nothing explains."""
    if response is None or response.status == Status.GOOD:
        return Fate.GOOD
    if response.status == RESERVATION_CONFLICT:
        raise ValueError("RESERVATION CONFLICT, though no host has reserved anything")
    if len(response.sense) < 14:
        raise ValueError(f"status {response.status:#x} with sense data {response.sense.hex()!r}")
    key = response.sense[2] & 0xF
    if key == _MISCOMPARE:
        return Fate.MISCOMPARE
    return Fate.FAILED if key in _HOPELESS else Fate.REFUSED
