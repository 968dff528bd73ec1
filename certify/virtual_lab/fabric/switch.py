"""A learning Ethernet switch with a cable per node; pure: frames and times in, frames out."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from certify.virtual_lab.fabric.cable import Condition, Counters, OneWay, Way

HEADER_OCTETS = 14  # IEEE 802.3: destination, source, type
_GROUP_BIT = 1  # of the first octet of an address: broadcast or multicast


class FabricError(Exception):
    """A request that a fabric cannot follow; the message names what, expected and seen."""


@dataclass(slots=True)
class Cable:
    """A node's cable: a one each way."""

    ways: dict[Way, OneWay]


@dataclass(slots=True)
class Switch:
    """Frames go to the cable behind which their destination was last seen, else to all others.

    What a cable loses by chance is drawn from *seed*: the same frames meet the same fate.
    """

    names: Sequence[str]
    seed: int = 1
    malformed: int = 0
    _cables: dict[str, Cable] = field(init=False)
    _learnt: dict[bytes, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the cables."""
        if len(set(self.names)) != len(self.names):
            raise FabricError(f"expected different names of nodes, seen {', '.join(self.names)}")
        self._cables = {
            name: Cable({way: OneWay(random.Random(f"{self.seed} {name} {way}")) for way in Way})  # noqa: S311
            for name in self.names
        }

    def receive(self, node: str, frame: bytes, now_ns: int) -> None:
        """Take a frame that *node* sent."""
        if len(frame) < HEADER_OCTETS:
            self.malformed += 1
            return
        self._way(node, Way.FROM_NODE).enter(frame, now_ns)

    def deliver(self, now_ns: int) -> list[tuple[str, bytes]]:
        """Return the frames that are at their nodes by now, and the node of each."""
        for name, cable in self._cables.items():
            for frame in cable.ways[Way.FROM_NODE].leave(now_ns):
                self._forward(name, frame, now_ns)
        return [
            (name, frame)
            for name, cable in self._cables.items()
            for frame in cable.ways[Way.TO_NODE].leave(now_ns)
        ]

    @property
    def next_due_ns(self) -> int | None:
        """When `deliver` has something to do again; None if no frame is under way."""
        dues = [one.next_due_ns for one in self._all_ways() if one.next_due_ns is not None]
        return min(dues, default=None)

    def set(self, node: str, way: Way, condition: Condition) -> None:
        """Let one way of a node's cable be as *condition* says, also for frames that are on it.

        Raises FabricError for an unknown node and for a condition that cannot be.
        """
        one = self._way(node, way)
        if problems := condition.problems():
            raise FabricError(f"{node}, {way}: {'; '.join(problems)}")
        one.become(condition)

    def refused(self, node: str, frame: bytes) -> None:
        """Count a frame of `deliver` that the node did not take, its buffer being full."""
        counters = self.counters(node, Way.TO_NODE)
        counters.passed -= 1
        counters.octets -= len(frame)
        counters.overflowed += 1

    def condition(self, node: str, way: Way) -> Condition:
        """Return how one way of a node's cable is."""
        return self._way(node, way).condition

    def struck(self, node: str, way: Way) -> int:
        """Return how many frames one way of a node's cable dropped or delayed as it is now."""
        return self._way(node, way).struck

    def under_way(self, node: str, way: Way) -> int:
        """Return how many frames are on one way of a node's cable."""
        return self._way(node, way).under_way

    def counters(self, node: str, way: Way) -> Counters:
        """Return what became of the frames on one way of a node's cable so far."""
        return self._way(node, way).counters

    def _forward(self, origin: str, frame: bytes, now_ns: int) -> None:
        destination, source = frame[:6], frame[6:12]
        if not source[0] & _GROUP_BIT:
            self._learnt[source] = origin
        known = None if destination[0] & _GROUP_BIT else self._learnt.get(destination)
        for name in self.names if known is None else [known]:
            if name != origin:
                self._way(name, Way.TO_NODE).enter(frame, now_ns)

    def _way(self, node: str, way: Way) -> OneWay:
        if node not in self._cables:
            raise FabricError(f"node: expected one of {', '.join(self.names)}, seen {node!r}")
        return self._cables[node].ways[way]

    def _all_ways(self) -> Iterator[OneWay]:
        for cable in self._cables.values():
            yield from cable.ways.values()
