"""What is written by one engine is read by the other, at once."""

from certify import cdb
from certify.conformance.examiner import Examiner, Pattern, Window

FAMILY = "Across paths"
CLAUSE = "SAM-6 4.6.4, SBC-5 4.1"
ROUNDS = 16


def test_a_write_is_read_by_the_other_engine(
    writer: Examiner, reader: Examiner, window: Window, pattern: Pattern
) -> None:
    """GOOD for a write means that every path reads it. Method: write by one, read by the other."""
    data = pattern(64, writer.path.block_bytes)
    writer.write(window.lba, data)
    got = reader.expect(
        f"READ(16) of what {writer.path.name} wrote",
        cdb.read(window.lba, 64, width=16),
        clause=CLAUSE,
        data_in_length=len(data),
    )
    reader.claim(
        f"data written by {writer.path.name}",
        got.data == data,
        clause=CLAUSE,
        expected=f"{len(data)} bytes, first {data[:8].hex(' ')}",
        observed=f"{len(got.data)} bytes, first {got.data[:8].hex(' ')}",
        after=got,
    )


def test_the_last_write_wins_on_both_paths(
    writer: Examiner, reader: Examiner, window: Window, pattern: Pattern
) -> None:
    """Overwrites by alternating engines are seen in order. Method: 16 rounds on one block."""
    size = writer.path.block_bytes
    blocks = pattern(ROUNDS, size)
    stale = 0
    for round_number in range(ROUNDS):
        data = blocks[round_number * size : (round_number + 1) * size]
        first, second = (writer, reader) if round_number % 2 == 0 else (reader, writer)
        first.write(window.lba, data)
        stale += second.read(window.lba, 1) != data
        stale += first.read(window.lba, 1) != data
    reader.claim(
        f"reads after alternating writes with {writer.path.name}",
        stale == 0,
        clause=CLAUSE,
        expected=f"{2 * ROUNDS} reads of the last write",
        observed=f"{stale} of them stale",
    )
