"""pgbench's log of single transactions, and what came of them. Pure.

One line per transaction that was answered (PostgreSQL 15, pgbench, "Per-Transaction Logging"):

    client_id transaction_no time script_no time_epoch time_us schedule_lag

`time` is in µs and, with --rate, counted from when the transaction was due. A transaction that the
server refused has a word instead.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

US_PER_MS = 1_000
NS_PER_US = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One transaction that was answered; `ms` from when it was due, None if it failed."""

    client: int
    number: int  # of the client, from 1
    ms: float | None
    end_ns: int  # UTC


class PgbenchLogError(ValueError):
    """A line is not what pgbench logs; the message shows it."""


def parse(lines: Iterable[str]) -> list[Transaction]:
    """Return the transactions of a log in its order; raise PgbenchLogError.

    A last line without its end, as a crash leaves it, is passed over.
    """
    return [_transaction(line) for line in lines if line.endswith("\n")]


def _transaction(line: str) -> Transaction:
    words = line.split()
    try:
        client, number, took, _script, seconds, micros = words[:6]
        return Transaction(
            client=int(client),
            number=int(number),
            ms=int(took) / US_PER_MS if took.isdecimal() else None,
            end_ns=int(seconds) * 1_000_000_000 + int(micros) * NS_PER_US,
        )
    except ValueError as error:
        raise PgbenchLogError(f"not a line of pgbench's log: {line.rstrip()!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All transactions of one repeat of one scenario."""

    count: int
    failed: int
    worst_ms: float | None
    worst_end_ns: int  # UTC; 0 if there is none
    per_second: list[int]  # good ones, from the first second to the last

    @property
    def longest_gap_s(self) -> int:
        """The longest run of whole seconds in which none ended."""
        longest = run = 0
        for count in self.per_second:
            run = 0 if count else run + 1
            longest = max(longest, run)
        return longest


def summarize(transactions: list[Transaction]) -> Summary:
    """Return the figures of a log."""
    good = [(one.ms, one.end_ns) for one in transactions if one.ms is not None]
    worst_ms, worst_end_ns = max(good, default=(None, 0))
    seconds = Counter(end_ns // 1_000_000_000 for _, end_ns in good)
    first, last = (min(seconds), max(seconds)) if seconds else (0, -1)
    return Summary(
        count=len(transactions),
        failed=len(transactions) - len(good),
        worst_ms=worst_ms,
        worst_end_ns=worst_end_ns,
        per_second=[seconds[second] for second in range(first, last + 1)],
    )


def acknowledged(transactions: list[Transaction]) -> set[tuple[int, int]]:
    """Return client and number of every transaction whose commit the server acknowledged."""
    return {(one.client, one.number) for one in transactions if one.ms is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """What of the acknowledged commits was there after a crash."""

    acknowledged: int
    present: int  # of those
    unasked: int  # rows that no client can have written
    imbalance: int  # sum of the balances less the sum of what the commits added

    @property
    def whole(self) -> bool:
        """Say whether nothing is lost, invented or half done."""
        return self.present == self.acknowledged and not self.unasked and not self.imbalance


def compare(told: set[tuple[int, int]], found: set[tuple[int, int]], *, imbalance: int) -> Commits:
    """Compare the commits that were *told* to clients with those *found* in the table.

    Each client may have one commit more than it was told of: the answer that a crash cut off.
    """
    last: dict[int, int] = {}
    for client, number in told:
        last[client] = max(number, last.get(client, 0))
    unasked = sum(number > last.get(client, 0) + 1 for client, number in found)
    return Commits(
        acknowledged=len(told),
        present=len(told & found),
        unasked=unasked,
        imbalance=imbalance,
    )


def show_ms(ms: float | None) -> str:
    """Write a latency for a reader."""
    return "–" if ms is None else f"{ms:,.1f} ms"
