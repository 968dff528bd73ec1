"""Did every read return what it had to? Pure.

One operation is one application write or read with all the retries beneath it. Each 512-byte
sector is one register, and a history is right when for each sector there is an order of its
operations, one at a time, that explains every read and keeps every operation before those that
were sent after it had ended (linearizability). Any number of probes, hosts, paths and engines may
take part. Every write has a value of its own, so the test takes O(n log n); docs/integrity.md has
the argument.

A write that failed or never ended may take effect at any time after it was sent, or never. A read
that failed says nothing. What a sector held before the history is an initial value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from certify.integrity.model import Doubt, Integrity, Mismatch, Violation
from reports.record import IoRecord

if TYPE_CHECKING:
    from certify.integrity.judge import Outcome

__all__ = ["Doubt", "Integrity", "Mismatch", "Violation", "check", "check_tables"]

PART_ROWS = 500_000


def check(ios: Iterable[IoRecord], doubts: Sequence[Doubt] = ()) -> Integrity:
    """Judge every read of the application and of the read-back against the writes.

    *doubts* say of which hosts the clock or the end is not certain. Raises ValueError when two
    writes gave one sector the same value.
    """
    from certify.integrity.judge import judge  # numpy is slow to load in a guest
    from certify.integrity.operations import from_records

    rows: Sequence[IoRecord] = ios if isinstance(ios, Sequence) else list(ios)
    outcome = judge(from_records(rows, doubts), doubts)
    return _integrity(outcome, lambda wanted: {row: rows[row] for row in wanted})


def check_tables(
    paths: Sequence[Path], doubts: Sequence[Doubt] = (), *, part_rows: int = PART_ROWS
) -> Integrity:
    """Judge one history that is in Parquet, as `check` does, in bounded memory.

    At most about *part_rows* operations are in memory at a time, or as many as there are on sectors
    that overlap. Raises RecordError for a file with other columns, else as `check`.
    """
    from certify.integrity.judge import Outcome, judge
    from certify.integrity.tables import Tables  # polars is slow to load too

    tables = Tables(paths, doubts)
    outcome = Outcome()
    for part in tables.parts(part_rows):
        outcome.add(judge(part, doubts))
    return _integrity(outcome, tables.records)


def _integrity(
    outcome: "Outcome", records_of: Callable[[set[int]], Mapping[int, IoRecord]]
) -> Integrity:
    from certify.integrity.counterexample import counterexample_of
    from certify.integrity.judge import FINDINGS_MAX, shown

    examples = shown(outcome)
    wanted = {one.row for one in outcome.findings}
    wanted |= {witness.row for one in examples for witness in one.evidence}
    records = records_of(wanted) if wanted else {}
    mismatches = [
        Mismatch(
            violation=one.violation,
            lba=lba,
            seen=one.seen,
            expected=one.expected,
            io=records[one.row],
        )
        for one in outcome.findings[:FINDINGS_MAX]
        for lba in range(one.lba, one.lba + one.blocks)
    ]
    return Integrity(
        sectors_written=outcome.sectors_written,
        sectors_verified=outcome.sectors_verified,
        mismatches=mismatches[:FINDINGS_MAX],
        wrong=outcome.wrong,
        violations=[counterexample_of(one, records) for one in examples],
    )
