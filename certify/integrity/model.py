"""What the judge of the data says: kinds of violation, sectors that were wrong, and the sum."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from reports.record import Counterexample, IoRecord


class Violation(StrEnum):
    """What is wrong with a sector that was read."""

    LOST = "lost"  # an acknowledged write is not there, and was not seen later either
    STALE = "stale"  # an older version than one acknowledged or read before
    TORN = "torn"  # a write is there in some of its sectors, and not in others
    MISPLACED = "misplaced"
    CORRUPT = "corrupt"  # a wrong checksum, a version nobody had written, or data of another run


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What is not certain of the operations of a host that stamps with a clock of its own.

    Its operations may have begun `error_ns` before their stamps and ended so long after them. What
    of the versions `first` to `last` no record tells of it may have written all the same: it was
    lost before it could tell. Where it was not, `last` is below `first`.
    """

    probes: str  # how the names of its probes begin
    error_ns: int
    first: int = 0
    last: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One sector of one read that was not what it had to be."""

    violation: Violation
    lba: int
    seen: str
    expected: str
    io: IoRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """What became of the data."""

    sectors_written: int  # acknowledged
    sectors_verified: int
    mismatches: list[Mismatch]  # the first ones, in the order in which the reads ended
    wrong: Counter[Violation] = field(default_factory=Counter)  # all of them, in sectors
    violations: list[Counterexample] = field(default_factory=list)

    @property
    def sectors_wrong(self) -> int:
        """How many sectors were not what they had to be."""
        return self.wrong.total()

    def counts(self) -> dict[Violation, int]:
        """Return how many sectors show each violation."""
        return dict(self.wrong)
