"""Where commands pass: from a host's ring through the defect to the router, and back.

One thread, one epoll: a command that hangs holds nobody else. An engine of the router counts as
lost from the first command that it does not serve (a transport error, or NOT READY 04h) until each
of its devices that refused one lately has served one again: it takes up its units one by one.
"""

import heapq
import itertools
import os
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from mmap import MAP_SHARED, PROT_READ, PROT_WRITE, mmap
from pathlib import Path

from certify.saboteurs.defect import Defect
from certify.saboteurs.passage import Passage
from certify.saboteurs.ring import Ring, Slot
from certify.saboteurs.values import NOT_READY, Command, Front, Outcome, takes_data

_GONE = (0x04, 0x08)
"""ASC of an engine that is gone: 04h, becoming ready, unavailable, standby ...; 08h, communication
failure, which answers what it held when it went."""
FORGOTTEN_S = 1.5
"""A device that refused a command and was asked nothing since counts no more. multipath asks every
second."""
_KICK = b"\1\0\0\0"  # uio: any four bytes


@dataclass(slots=True)
class Port:
    """A front with the UIO device that its commands come from and the disk that they go to."""

    front: Front
    uio: int
    ring: Ring
    passage: Passage
    answered: bool = False  # since the kernel was last told

    @classmethod
    def open(cls, front: Front, *, uio_node: str, size_bytes: int, sg_node: str) -> "Port":
        """Open both ends. Raises OSError, RingError."""
        uio = os.open(uio_node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        memory = mmap(uio, size_bytes, MAP_SHARED, PROT_READ | PROT_WRITE)
        return cls(front, uio, Ring(memory), Passage.open(sg_node))


def map_bytes(uio_node: str) -> int:
    """Return how much memory a UIO device shares."""
    text = Path(f"/sys/class/uio/{Path(uio_node).name}/maps/map0/size").read_text(encoding="ascii")
    return int(text, 16)


@dataclass(slots=True)
class Stage:
    """All ports of a saboteur, and its defect."""

    defect: Defect
    ports: dict[Front, Port] = field(default_factory=dict)
    lost: dict[str, dict[Front, float]] = field(default_factory=dict)
    """By engine, what it does not serve, and when it last refused that."""
    _timers: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def fronts(self) -> Sequence[Front]:
        """See defect.Stage."""
        return tuple(self.ports)

    def now_s(self) -> float:
        """See defect.Stage."""
        return time.monotonic()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """See defect.Stage."""
        heapq.heappush(self._timers, (self.now_s() + seconds, next(self._order), act))

    def send(self, command: Command, then: Callable[[Outcome], None]) -> None:
        """See defect.Stage."""
        ended = partial(self._came_back, command.front, then)
        self.ports[command.front].passage.send(command, ended)

    def accept(self, port: Port) -> None:
        """Pass on every new command of a port, and before them a reset."""
        slots = list(port.ring.take())
        if port.ring.reset_asked:
            port.ring.reset_asked = False
            port.passage.reset()
        for slot in slots:
            data = port.ring.gather(slot) if takes_data(slot.cdb[0]) else b""
            command = Command(front=port.front, cdb=slot.cdb, data_out=data, room=slot.room)
            self._pass(port, slot, command)

    def run_due(self) -> float:
        """Do what is due; return the seconds until something else is, -1 if nothing is."""
        while self._timers:
            left = self._timers[0][0] - self.now_s()
            if left > 0:
                return left
            heapq.heappop(self._timers)[2]()
        return -1.0

    def kick(self) -> None:
        """Tell the kernel of answers, once per port."""
        for port in self.ports.values():
            if port.answered:
                port.answered = False
                os.write(port.uio, _KICK)

    def _pass(self, port: Port, slot: Slot, command: Command) -> None:
        chosen = self.defect.on_command(command, self)
        if isinstance(chosen, Outcome):
            self._end(port, slot, command, chosen)
        else:
            self.send(chosen, partial(self._end, port, slot, command))

    def _end(self, port: Port, slot: Slot, command: Command, outcome: Outcome) -> None:
        final = self.defect.on_outcome(command, outcome, self)
        if isinstance(final, Command):
            self.send(final, partial(self._end, port, slot, command))
            return
        hold_s = self.defect.hold_s(command, final, self)
        if hold_s > 0:
            self.later(hold_s, partial(self._answer, port, slot, final))
        else:
            self._answer(port, slot, final)

    def _came_back(self, front: Front, then: Callable[[Outcome], None], outcome: Outcome) -> None:
        self._notice(front, outcome)
        then(outcome)

    @staticmethod
    def _answer(port: Port, slot: Slot, outcome: Outcome) -> None:
        port.ring.answer(slot, outcome.status, outcome.sense, outcome.data)
        port.answered = True

    def _notice(self, front: Front, outcome: Outcome) -> None:
        gone = outcome.lost or (outcome.sense_key == NOT_READY and outcome.asc in _GONE)
        now_s, lost = self.now_s(), self.lost.setdefault(front.engine, {})
        was_lost = bool(lost)
        if gone:
            lost[front] = now_s
        elif outcome.good:
            lost.pop(front, None)
            for one in [one for one, at_s in lost.items() if now_s - at_s > FORGOTTEN_S]:
                del lost[one]
        if lost and not was_lost:
            self.defect.on_loss(front.engine, self)
        elif was_lost and not lost:
            self.defect.on_return(front.engine, self)


def serve(stage: Stage) -> None:
    """Serve all ports for ever.

    A ring's descriptor is watched by edges: then nobody has to read its count of events.
    """
    poll = select.epoll()
    rings: dict[int, Port] = {}
    passages: dict[int, Port] = {}
    for port in stage.ports.values():
        rings[port.uio] = passages[port.passage.descriptor] = port
        poll.register(port.uio, select.EPOLLIN | select.EPOLLET)
        poll.register(port.passage.descriptor, select.EPOLLIN)
    while True:
        due_s = stage.run_due()
        stage.kick()
        for descriptor, _ in poll.poll(due_s if due_s >= 0 else None):
            if descriptor in rings:
                stage.accept(rings[descriptor])
            else:
                passages[descriptor].passage.reap()
