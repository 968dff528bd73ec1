"""What shows that data was not what it had to be, as verdict.json holds it."""

from reports.record_base import Record


class CounterexampleOperation(Record, frozen=True, kw_only=True):
    """One operation of a counterexample, as it was on the sector in question."""

    probe: str
    k: int
    op: str  # "write" or "read"
    lba: int  # where the operation began, in 512-byte sectors
    blocks: int
    value: str  # what it wrote to the sector, or found there: "version 17", "zero"
    sent_ns: int
    done_ns: int  # -1: never acknowledged
    offending: bool  # the read that is wrong


class Counterexample(Record, frozen=True, kw_only=True):
    """The fewest operations that show that a sector was not what it had to be."""

    kind: str  # "lost", "stale", "torn", "misplaced" or "corrupt"
    lba: int  # the first sector, in 512-byte units
    blocks: int  # how many sectors beside it were wrong in the same way
    sentence: str
    operations: list[CounterexampleOperation]
