"""What the tests of the saboteurs share: a stage of values, and a ring in plain memory."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from certify.saboteurs.defect import Defect
from certify.saboteurs.values import BLOCK_BYTES, Command, Front, Outcome, read_16, unavailable

FRONTS = tuple(
    Front(engine=engine, unit="lu0", host=host)
    for engine in ("engine1", "engine2")
    for host in ("host1", "host2")
)
BLOCKS = 256


@dataclass
class FakeStage:
    """A router of one unit in memory, both engines at once, with a clock that tests set.

    `ask` lets a command pass as the real stage does; `held_s` is how long the answer was held.
    """

    defect: Defect
    disk: bytearray = field(default_factory=lambda: bytearray(BLOCKS * BLOCK_BYTES))
    dead: set[str] = field(default_factory=set)
    time_s: float = 0.0
    held_s: float = 0.0
    timers: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    sent: list[Command] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)
    fronts: tuple[Front, ...] = FRONTS

    def now_s(self) -> float:
        return self.time_s

    def later(self, seconds, act):
        self.timers.append((self.time_s + seconds, act))

    def pass_time(self, seconds):
        """Let time pass, and do what comes due."""
        until = self.time_s + seconds
        while due := sorted(one for one in self.timers if one[0] <= until):
            self.timers.remove(due[0])
            self.time_s = due[0][0]
            due[0][1]()
        self.time_s = until

    def send(self, command, then):
        self.sent.append(command)
        then(self._carried_out(command))

    def lose(self, engine):
        self.dead.add(engine)
        self.defect.on_loss(engine, self)

    def give_back(self, engine):
        self.dead.discard(engine)
        self.defect.on_return(engine, self)

    def ask(self, command) -> Outcome:
        """Pass one command on and return its answer."""
        chosen = self.defect.on_command(command, self)
        while not isinstance(chosen, Outcome):
            self.sent.append(chosen)
            chosen = self.defect.on_outcome(command, self._carried_out(chosen), self)
        self.held_s = self.defect.hold_s(command, chosen, self)
        return chosen

    def read(self, lba, blocks=8, *, engine="engine1") -> bytes:
        return self.ask(read_16(front(engine), lba, blocks)).data

    def _carried_out(self, command):
        if command.front.engine in self.dead:
            return unavailable()
        if self.answers:
            return self.answers.pop(0)
        if command.reads or command.writes:
            where = slice(command.lba * BLOCK_BYTES, (command.lba + command.blocks) * BLOCK_BYTES)
            if command.reads:
                return Outcome(data=bytes(self.disk[where]))
            self.disk[where] = command.data_out
        return Outcome()


def front(engine="engine1", host="host1") -> Front:
    """Return one of the fronts."""
    return Front(engine=engine, unit="lu0", host=host)


def pattern(byte: int, blocks: int = 8) -> bytes:
    """Return so many blocks of one byte."""
    return bytes((byte,)) * blocks * BLOCK_BYTES


RING_AT, RING_BYTES, DATA_AT = 128, 1024, 2048


class FakeKernel:
    """The kernel's side of a ring: a mailbox, a command ring, and room for data behind it."""

    def __init__(self):
        self.memory = bytearray(DATA_AT + 65536)
        struct.pack_into("<HHII", self.memory, 0, 2, 0x3, RING_AT, RING_BYTES)
        self.head = 0

    def put(self, number, cdb, pieces=()):
        """Put a command into the ring; *pieces* are offsets and lengths of its data."""
        size = 160
        at = RING_AT + self.head
        struct.pack_into("<IHBB", self.memory, at, size | 1, number, 0, 0)
        cdb_at = at + 48 + 16 * len(pieces)
        struct.pack_into("<III4xQ", self.memory, at + 8, len(pieces), 0, 0, cdb_at)
        for index, piece in enumerate(pieces):
            struct.pack_into("<QQ", self.memory, at + 48 + 16 * index, *piece)
        self.memory[cdb_at : cdb_at + 16] = cdb.ljust(16, b"\0")
        self._step(size)

    def pad(self):
        """Fill the ring up to its end, as the kernel does before it begins again."""
        size = RING_BYTES - self.head
        struct.pack_into("<IHBB", self.memory, RING_AT + self.head, size, 0, 0, 0)
        self._step(size)

    def reset_unit(self):
        """Tell of a LOGICAL UNIT RESET."""
        struct.pack_into("<IHBBB", self.memory, RING_AT + self.head, 32 | 2, 0, 0, 0, 5)
        self._step(32)

    def answer_at(self, position):
        """Return number, uflags, status, read_len and sense key of the answer in a slot."""
        at = RING_AT + position
        _, number, _, uflags = struct.unpack_from("<IHBB", self.memory, at)
        status, length = struct.unpack_from("<B3xI", self.memory, at + 8)
        return number, uflags, status, length, self.memory[at + 18]

    @property
    def tail(self):
        return struct.unpack_from("<I", self.memory, 64)[0]

    def _step(self, size):
        self.head = (self.head + size) % RING_BYTES
        struct.pack_into("<I", self.memory, 12, self.head)


@pytest.fixture
def kernel():
    """A ring as the kernel shares it."""
    return FakeKernel()
