"""When is a leg slow? One that answers, but much later than others, holds up every write. Pure."""

from collections.abc import Iterable

_OTHERS_SHARE = 4
"""A leg is only called slow while every other one has at most a quarter of its score: what holds up
all legs alike is the engine's own machine, or the load."""


class LatencyWatch:
    """A leaky score per leg: one up for a slow I/O, one down for a quick one.

    At `limit` the leg is slow. `slow_ns` says what a slow I/O is; 0 switches the watch off.
    """

    def __init__(self, legs: int, *, slow_ns: int, limit: int) -> None:
        self._scores = [0] * legs
        self._slow_ns = slow_ns
        self._limit = limit

    def note(self, leg: int, took_ns: int) -> None:
        """Note how long an I/O took."""
        if self._slow_ns and took_ns > self._slow_ns:
            self._scores[leg] = min(self._scores[leg] + 1, self._limit)
        elif self._scores[leg]:
            self._scores[leg] -= 1

    def slow(self, legs: Iterable[int]) -> int | None:
        """Return the leg of those in use that is slow while the others are not, or None."""
        scores = {leg: self._scores[leg] for leg in legs}
        for leg, score in scores.items():
            if score < self._limit:
                continue
            if all(other * _OTHERS_SHARE <= score for each, other in scores.items() if each != leg):
                return leg
        return None

    def forget(self, leg: int) -> None:
        """Begin anew with a leg that comes back."""
        self._scores[leg] = 0
