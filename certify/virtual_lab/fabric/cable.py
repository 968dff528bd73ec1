"""What one way of a cable does to the frames on it: pass, lose, delay, cut; and what it counted."""

import random
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

DELAY_MS_MAX = 60_000.0
QUEUE_FRAMES_MAX = 4096
"""More frames under way than that are dropped, as a switch does whose buffer is full."""


class Way(StrEnum):
    """A direction, seen from the switch."""

    FROM_NODE = "from_node"
    TO_NODE = "to_node"


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one way of a cable is; a new cable is whole."""

    cut: bool = False
    loss: float = 0.0  # share of the frames that is lost, 0 to 1
    delay_ms: float = 0.0

    def problems(self) -> list[str]:
        """Return what is wrong with it, one line each."""
        found = []
        if not 0.0 <= self.loss <= 1.0:
            found.append(f"loss: expected a share from 0 to 1, seen {self.loss:g}")
        if not 0.0 <= self.delay_ms <= DELAY_MS_MAX:
            found.append(f"delay_ms: expected 0 to {DELAY_MS_MAX:g}, seen {self.delay_ms:g}")
        return found


class Counters(msgspec.Struct, kw_only=True):
    """What became of the frames of one way; they prove that a fault was in.

    entered = passed + cut + lost + overflowed + those still under way.
    """

    entered: int = 0
    passed: int = 0
    octets: int = 0  # of those that passed
    cut: int = 0
    lost: int = 0
    overflowed: int = 0


@dataclass(slots=True)
class Flight:
    """A frame that is on it."""

    due_ns: int
    frame: bytes


@dataclass(slots=True)
class OneWay:
    """One way of a cable. Frames leave in the order in which they entered, whatever the delay."""

    dice: random.Random
    condition: Condition = field(default_factory=Condition)
    counters: Counters = field(default_factory=Counters)
    struck: int = 0  # frames that the present condition dropped or delayed
    _under_way: deque[Flight] = field(default_factory=deque)

    def become(self, condition: Condition) -> None:
        """Be as *condition* says from now on, also for frames that are on it."""
        self.condition = condition
        self.struck = 0

    def enter(self, frame: bytes, now_ns: int) -> None:
        """Take a frame, or drop it and count why."""
        counters = self.counters
        counters.entered += 1
        if self.condition.cut:
            counters.cut += 1
            self.struck += 1
        elif self.condition.loss and self.dice.random() < self.condition.loss:
            counters.lost += 1
            self.struck += 1
        elif len(self._under_way) >= QUEUE_FRAMES_MAX:
            counters.overflowed += 1
        else:
            due_ns = now_ns + round(self.condition.delay_ms * 1e6)
            self.struck += due_ns > now_ns
            if self._under_way:
                due_ns = max(due_ns, self._under_way[-1].due_ns)
            self._under_way.append(Flight(due_ns, frame))

    def leave(self, now_ns: int) -> list[bytes]:
        """Return the frames that are at its end by now; what is on a cut cable never gets there."""
        arrived = []
        while self._under_way and self._under_way[0].due_ns <= now_ns:
            frame = self._under_way.popleft().frame
            if self.condition.cut:
                self.counters.cut += 1
                self.struck += 1
                continue
            self.counters.passed += 1
            self.counters.octets += len(frame)
            arrived.append(frame)
        return arrived

    @property
    def next_due_ns(self) -> int | None:
        """When the next frame is at its end; None if none is under way."""
        return self._under_way[0].due_ns if self._under_way else None

    @property
    def under_way(self) -> int:
        """How many frames are under way."""
        return len(self._under_way)
