"""When is a leg slow? One that answers, but much later than others, holds up every write. Pure.

Seconds are looked at, not single I/Os: a deep queue that meets one pause has many slow I/Os at
once, and is no reason to give redundancy away.
"""

from collections.abc import Iterable

WINDOW_NS = 1_000_000_000
_OTHERS_SHARE = 8
"""A leg is only called slow while at most an eighth of every other one's I/Os are: what holds up
all legs alike is the engine's own machine, or the load."""


class LatencyWatch:
    """Counts slow I/Os of each leg, second by second.

    A second is slow for a leg if at least half of its I/Os took longer than `slow_ns`, and hardly
    any of the others' did. After `limit` such seconds in a row the leg is slow; one without I/O
    counts neither way. With `slow_ns` 0 the watch is off.
    """

    def __init__(self, legs: int, *, slow_ns: int, limit: int) -> None:
        self._total, self._slow = [0] * legs, [0] * legs
        self._streaks = [0] * legs
        self._slow_ns = slow_ns
        self._limit = limit
        self._window_end_ns = 0

    def note(self, leg: int, took_ns: int) -> None:
        """Note how long an I/O took."""
        self._total[leg] += 1
        if took_ns > self._slow_ns:
            self._slow[leg] += 1

    def look(self, legs: Iterable[int], now_ns: int) -> int | None:
        """Return the leg of those in use that is slow while the others are not, or None."""
        if now_ns < self._window_end_ns:
            return None
        self._window_end_ns = now_ns + WINDOW_NS
        used = tuple(legs)
        for leg in used:
            if self._total[leg]:
                others = [other for other in used if other != leg]
                slow = self._is_slow(leg) and all(self._is_quick(other) for other in others)
                self._streaks[leg] = self._streaks[leg] + 1 if slow and others else 0
        self._total, self._slow = [0] * len(self._total), [0] * len(self._slow)
        found = [leg for leg in used if self._streaks[leg] >= self._limit]
        return found[0] if found and self._slow_ns else None

    def forget(self, leg: int) -> None:
        """Begin anew with a leg that comes back."""
        self._total[leg] = self._slow[leg] = self._streaks[leg] = 0

    def _is_slow(self, leg: int) -> bool:
        return 2 * self._slow[leg] >= self._total[leg]

    def _is_quick(self, leg: int) -> bool:
        return self._total[leg] > 0 and self._slow[leg] * _OTHERS_SHARE <= self._total[leg]
