"""How far another host's clock is from this one's: round trips, as NTP takes them. Pure.

Each host stamps with its own CLOCK_MONOTONIC. A question leaves here at t0, arrives there at t1,
the answer leaves there at t2 and is here at t3. What must be added to that host's clock then lies
between t0 - t1 and t3 - t2, whatever the ways there and back took: half way between the two, and
wrong by half the round trip at most.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """One question and its answer: t0 and t3 by this clock, t1 and t2 by the other, in ns."""

    asked_ns: int
    heard_ns: int
    told_ns: int
    answered_ns: int

    @property
    def shift_ns(self) -> int:
        """What to add to the other clock: ((t0 - t1) + (t3 - t2)) / 2."""
        return (self.asked_ns - self.heard_ns + self.answered_ns - self.told_ns) // 2

    @property
    def error_ns(self) -> int:
        """By how much that can be wrong: half the round trip without the time there."""
        trip_ns = self.answered_ns - self.asked_ns - (self.told_ns - self.heard_ns)
        return -(-trip_ns // 2)


def best(trips: Iterable[RoundTrip]) -> RoundTrip:
    """Return the round trip that says most; raise ValueError if there is none."""
    return min(trips, key=lambda trip: trip.error_ns)


def evidence_of(trips: list[RoundTrip], *, when: str, used_ns: int) -> tuple[str, dict[str, Any]]:
    """Return what is kept of a comparison: a line for people, and all that it was made of.

    *used_ns* is what the suite adds to the times of that host, from the first comparison on.
    """
    chosen = best(trips)
    apart_ms = (chosen.shift_ns - used_ns) / 1e6
    detail = f"{when}: known within ±{chosen.error_ns / 1e6:.3f} ms, {apart_ms:+.3f} ms from before"
    data = {
        "when": when,
        "used_ns": used_ns,
        "shift_ns": chosen.shift_ns,
        "error_ns": chosen.error_ns,
        "round_trips_ns": [
            [trip.asked_ns, trip.heard_ns, trip.told_ns, trip.answered_ns] for trip in trips
        ],
    }
    return detail, data
