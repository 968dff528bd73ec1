"""A time-out that is a moment rather than a length: every wait is given one, none is endless."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], int]
"""Returns ns that only ever grow, as time.monotonic_ns does."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock."""

    at_ns: int
    clock: Clock = time.monotonic_ns

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic_ns) -> "Deadline":
        """Return the moment *seconds* from now."""
        return cls(clock() + int(seconds * 1e9), clock)

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline, 0 when it has passed."""
        return max(0.0, (self.at_ns - self.clock()) / 1e9)

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return self.clock() >= self.at_ns
