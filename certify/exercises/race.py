"""What came of a race of COMPARE AND WRITE: was each value replaced at most once? Pure.

Every swap writes a value of its own, so the values form a chain: the one that was there first, the
one that replaced it, and so on to the last. Two winners for one value would fork it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a swap ended. UNKNOWN may have been done or not, as one whose engine died."""

    WON = "won"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Swap:
    """One COMPARE AND WRITE: replace *old* by *new*."""

    racer: int
    old: int
    new: int
    outcome: Outcome


def problems(swaps: Iterable[Swap], *, first: int, last: int) -> list[str]:
    """Return a line per contradiction between what the racers were told and the values seen."""
    won: dict[int, list[Swap]] = defaultdict(list)
    unknown: dict[int, list[Swap]] = defaultdict(list)
    for swap in swaps:
        if swap.outcome is Outcome.WON:
            won[swap.old].append(swap)
        elif swap.outcome is Outcome.UNKNOWN:
            unknown[swap.old].append(swap)
    found = [
        f"value {old} was replaced {len(winners)} times, by {[swap.new for swap in winners]}"
        for old, winners in won.items()
        if len(winners) > 1
    ]
    return found or _unreached(won, unknown, first, last)


def _unreached(
    won: dict[int, list[Swap]], unknown: dict[int, list[Swap]], first: int, last: int
) -> list[str]:
    """Follow the chain from *first*: it must take every swap that won, and end at *last*.

    A swap with an unknown end is taken where it is needed: values are unique, so of several from
    the same value only the one that leads on was done.
    """
    wins = sum(len(winners) for winners in won.values())
    stack = [(first, 0)]
    while stack:
        value, taken = stack.pop()
        if value == last and taken == wins:
            return []
        winners = won.get(value, [])
        stack += [(swap.new, taken + 1) for swap in winners]
        stack += [(swap.new, taken) for swap in unknown.get(value, []) if not winners]
    return [f"no order of the {wins} swaps that won leads from value {first} to value {last}"]


def contested(swaps: Iterable[Swap]) -> int:
    """Return how many values two racers or more tried to replace, with a winner among them."""
    racers: dict[int, set[int]] = defaultdict(set)
    decided: set[int] = set()
    for swap in swaps:
        racers[swap.old].add(swap.racer)
        if swap.outcome is Outcome.WON:
            decided.add(swap.old)
    return sum(len(racers[old]) > 1 for old in decided)
