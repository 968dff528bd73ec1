"""A deterministic world for the router's core: two engines, two arrays, hosts, virtual time.

Everything random comes from one seed, so a failing seed replays exactly. The world plays the I/O
shell: it moves messages in order, ends leg I/O in any order, looks for legs, kills and restarts
engines, breaks and hangs arrays. It checks as it goes; see `World.check_*` and `Host`.

One host discipline is kept, since leases are not there yet: no two writes to the same block are
under way at once.
"""

import errno
import random
from collections import deque
from dataclasses import dataclass, field

from reference_router.cluster import Cluster, Role, Timing
from reference_router.coordinator import Coordinator
from reference_router.messages import LegState, decode, encode
from reference_router.mirror import Command, LegIo, Mirror, Outbox

MS = 1_000_000
BLOCKS = 48
REGION_BLOCKS = 8
LEGS = ("A", "B")
_TICK_NS = 20 * MS
_TIMING = Timing(
    leg_deadline_ns=100 * MS,
    command_deadline_ns=4000 * MS,
    peer_wait_ns=50 * MS,
    leg_wait_ns=500 * MS,
)


@dataclass(slots=True)
class Array:
    """One array: the bytes, and what is wrong with it."""

    blocks: list[int] = field(default_factory=lambda: [0] * BLOCKS)
    dead: bool = False
    hangs: bool = False
    written: set[int] = field(default_factory=set)  # ids of writes that reached it


@dataclass(slots=True)
class Operation:
    """One read or write of a host, with all its retries."""

    number: int
    write: bool
    lba: int
    blocks: int
    allowed: list[set[int]] = field(default_factory=list)  # of a read: per block
    engine: int = 0
    done: bool = False
    sent_again: bool = False


class Engine:
    """One engine's core and what its shell would hold."""

    def __init__(self, number: int, now_ns: int, *, may_cold_start: bool) -> None:
        self.number = number
        self.outbox = Outbox()
        self.mirror = Mirror(
            "lu0", legs=LEGS, blocks=BLOCKS, region_blocks=REGION_BLOCKS, outbox=self.outbox
        )
        self.coordinator = Coordinator(self.mirror, self.outbox, rate_bytes_per_s=1 << 30)
        self.cluster = Cluster(
            number,
            {"lu0": self.coordinator},
            timing=_TIMING,
            config="x",
            may_cold_start=may_cold_start,
            outbox=self.outbox,
            now_ns=now_ns,
        )
        self.under_way: list[LegIo] = []
        self.inbox: deque[bytes] = deque()
        self.next_tick_ns = now_ns

    @property
    def serves(self) -> bool:
        return self.cluster.role is not Role.WAITING and self.coordinator.serves()


class World:
    """Two engines, two arrays and a host."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrets
        self.now_ns = 0
        self.arrays = [Array(), Array()]
        self.engines: dict[int, Engine | None] = {1: None, 2: None}
        self.linked = False
        self.operations: dict[int, Operation] = {}
        self.stuck_until_ns: dict[LegIo, int] = {}
        self.acknowledged = [0] * BLOCKS
        """The newest value per block that a host knows of: acknowledged, or read."""
        self.maybe: list[set[int]] = [set() for _ in range(BLOCKS)]
        self.waiting: list[Operation] = []  # to be sent (again)
        self.next_number = 1
        self.completed = self.errors = 0
        self.states_by_epoch: dict[int, tuple[LegState, ...]] = {}
        for number in (1, 2):
            self.start(number, may_cold_start=True)

    # Faults

    def start(self, number: int, *, may_cold_start: bool = False) -> None:
        self.engines[number] = Engine(number, self.now_ns, may_cold_start=may_cold_start)

    def kill(self, number: int) -> None:
        """SIGKILL: each I/O under way lands or does not; then the link closes; hosts retry."""
        engine = self.engines[number]
        assert engine is not None
        for io in engine.under_way:
            if io.write and not self.arrays[io.leg].dead and self.random.random() < 0.5:
                self._land(io)
        self.engines[number] = None
        for operation in list(self.operations.values()):
            if operation.engine == number and not operation.done:
                operation.sent_again = True
                self.waiting.append(operation)
        other = self.engines[3 - number]
        if self.linked and other is not None:
            other.inbox.append(b"")
        self.linked = False

    def mend(self, leg: int) -> None:
        """Mend an array; what hung in it may still take its time."""
        array = self.arrays[leg]
        if array.hangs:
            for engine in self.engines.values():
                for io in engine.under_way if engine is not None else ():
                    if io.leg == leg:
                        late_ns = self.random.randrange(3000 * MS)
                        self.stuck_until_ns[io] = self.now_ns + late_ns
        array.dead = array.hangs = False

    # Host

    def submit(self, *, write: bool) -> None:
        """Begin an operation on blocks that no write under way touches."""
        blocks = self.random.randint(1, 4)
        lba = self.random.randrange(BLOCKS - blocks + 1)
        span = range(lba, lba + blocks)
        busy = [each for each in self.operations.values() if not each.done and each.write]
        if write and any(each.lba < lba + blocks and lba < each.lba + each.blocks for each in busy):
            return
        operation = Operation(self.next_number, write, lba, blocks)
        self.next_number += 1
        if write:
            for block in span:
                self.maybe[block].add(operation.number)
            for each in self.operations.values():
                if not each.write:
                    self._allow(each, span, operation.number)
        else:
            operation.allowed = [{self.acknowledged[b], *self.maybe[b]} for b in span]
        self.operations[operation.number] = operation
        self.waiting.append(operation)

    def send_waiting(self) -> None:
        """Send what waits to an engine that serves, as multipath would."""
        serving = [each for each in self.engines.values() if each is not None and each.serves]
        if not serving:
            return
        waiting, self.waiting = self.waiting, []
        for operation in waiting:
            engine = self.random.choice(serving)
            operation.engine = engine.number
            command = Command(operation, operation.write, operation.lba, operation.blocks)
            engine.mirror.submit(command, self.now_ns)
            self._after(engine)

    # Time

    def step(self) -> None:
        """Let one random thing happen, a little later."""
        self.now_ns += self.random.randrange(100_000, 2 * MS)
        choices = []
        for engine in self.engines.values():
            if engine is None:
                continue
            if self.now_ns >= engine.next_tick_ns:
                self._tick(engine)
            if engine.inbox:
                choices.append((engine, None))
            free = [io for io in engine.under_way if self._can_end(io)]
            if free:
                choices += [(engine, self.random.choice(free))] * 3
        self._link()
        self.send_waiting()
        if not choices:
            return
        engine, io = self.random.choice(choices)
        if io is None:
            self._deliver(engine)
        else:
            self._end(engine, io)

    def run(self, steps: int, *, load: float = 0.3) -> None:
        """Take steps under load; `load` is the chance of a new operation each."""
        for _ in range(steps):
            if self.random.random() < load and len(self.operations) < 40:
                self.submit(write=self.random.random() < 0.6)
            self.step()

    def settle(self, steps: int = 20_000) -> None:
        """Go on without new operations until nothing is left to do."""
        for _ in range(steps):
            self.step()
            if self._quiet():
                return
        raise AssertionError(f"does not settle: {self.describe()}")

    def describe(self) -> str:
        """Return the state in a line, for a failure."""
        parts = [f"{len(self.operations)} operations"]
        for engine in self.engines.values():
            if engine is not None:
                mirror = engine.mirror
                states = ",".join(mirror.states)
                parts.append(
                    f"engine {engine.number} {engine.cluster.role} epoch {mirror.epoch} {states} "
                    f"proposal {mirror.proposal} busy {mirror.busy} io {len(engine.under_way)}"
                )
        return "; ".join(parts)

    def _quiet(self) -> bool:
        live = [engine for engine in self.engines.values() if engine is not None]
        in_sync = (LegState.IN_SYNC,) * 2
        return not self.operations and all(
            engine.mirror.states == in_sync
            and engine.mirror.proposal is None
            and not engine.inbox
            and not engine.under_way
            and (engine.cluster.peer_joined or len(live) == 1)
            for engine in live
        )

    def _can_end(self, io: LegIo) -> bool:
        return not self.arrays[io.leg].hangs and self.now_ns >= self.stuck_until_ns.get(io, 0)

    # The shell's part

    def _tick(self, engine: Engine) -> None:
        engine.next_tick_ns = self.now_ns + _TICK_NS
        for leg, array in enumerate(self.arrays):
            if leg not in engine.mirror.used or not engine.coordinator.available(leg):
                good = not array.dead and not array.hangs
                engine.coordinator.reach(leg, available=good, identity=LEGS[leg])
        engine.cluster.tick(self.now_ns)
        self._after(engine)

    def _link(self) -> None:
        if self.linked or None in self.engines.values():
            return
        if any(engine is not None and engine.inbox for engine in self.engines.values()):
            return  # the old link's end must be seen first
        self.linked = True
        for engine in self.engines.values():
            assert engine is not None
            engine.cluster.link_up(self.now_ns)
            self._after(engine)

    def _deliver(self, engine: Engine) -> None:
        line = engine.inbox.popleft()
        if line:
            engine.cluster.take(decode(line), self.now_ns)
        else:
            engine.inbox.clear()
            engine.cluster.link_down(self.now_ns)
        self._after(engine)

    def _end(self, engine: Engine, io: LegIo) -> None:
        engine.under_way.remove(io)
        array = self.arrays[io.leg]
        if not array.dead:
            self._land(io)
        engine.cluster.leg_done(io, errno.EIO if array.dead else 0, self.now_ns)
        self._after(engine)

    def _land(self, io: LegIo) -> None:
        array = self.arrays[io.leg]
        span = slice(io.lba, io.lba + io.blocks)
        if isinstance(io.owner, Command) and io.write:
            array.blocks[span] = [io.owner.token.number] * io.blocks
            array.written.add(io.owner.token.number)
        elif io.write:
            array.blocks[span] = io.owner.buffer
        elif isinstance(io.owner, Command) and not io.abandoned:
            pieces = io.owner.buffer or [None] * io.owner.blocks
            start = io.lba - io.owner.lba
            pieces[start : start + io.blocks] = array.blocks[span]
            io.owner.buffer = pieces
        elif not io.abandoned:
            io.owner.buffer = array.blocks[span]

    def _after(self, engine: Engine) -> None:
        engine.cluster.drive(self.now_ns)
        outbox = engine.outbox
        assert not outbox.refuse_link
        engine.under_way += outbox.leg_io
        outbox.leg_io = []
        peer = self.engines[3 - engine.number]
        if self.linked and peer is not None:
            peer.inbox.extend(encode(message) for message in outbox.messages)
        outbox.messages = []
        completions, outbox.completions = outbox.completions, []
        for command in completions:
            self._complete(engine, command)
        self.check_states(engine)

    # Checks

    def check_states(self, engine: Engine) -> None:
        """An epoch means the same to both engines, and some leg is always in sync."""
        mirror = engine.mirror
        if not mirror.epoch:
            return
        assert mirror.in_sync, "the last leg in sync was dropped"
        known = self.states_by_epoch.setdefault(mirror.epoch, mirror.states)
        assert known == mirror.states, f"epoch {mirror.epoch}: {known} and {mirror.states}"

    def _complete(self, engine: Engine, command: Command) -> None:
        operation: Operation = command.token
        if command.sense is not None:
            self.errors += 1
            self.waiting.append(operation)
            return
        operation.done = True
        self.completed += 1
        del self.operations[operation.number]
        span = range(operation.lba, operation.lba + operation.blocks)
        if not operation.write:
            for index, (value, allowed) in enumerate(
                zip(command.buffer, operation.allowed, strict=True)
            ):
                where = f"block {operation.lba + index}: read {value}, allowed {allowed}"
                assert value in allowed, f"stale or lost: {where}; {self.describe()}"
                self._was_read(operation.lba + index, value)
            return
        for leg in engine.mirror.in_sync:
            assert operation.number in self.arrays[leg].written, (
                f"write {operation.number} acknowledged before leg {LEGS[leg]} has it"
            )
        for block in span:
            self.acknowledged[block] = operation.number
            self.maybe[block] = set()
        for each in self.operations.values():
            if not each.write:
                self._allow(each, span, operation.number)

    def _was_read(self, block: int, value: int) -> None:
        """What was read once is not unread: later reads must not give what was before it.

        Except for a write whose engine died: until the host's retry has ended, the legs may differ
        there, which leases and repair will mend.
        """
        write = self.operations.get(value)
        if write is not None and not write.sent_again and value in self.maybe[block]:
            self.acknowledged[block] = value

    def _allow(self, read: Operation, span: range, value: int) -> None:
        for block in span:
            if read.lba <= block < read.lba + read.blocks:
                read.allowed[block - read.lba].add(value)

    def check_end(self) -> None:
        """Everything was answered, the legs are equal, and hold what was acknowledged."""
        assert not self.operations
        assert self.arrays[0].blocks == self.arrays[1].blocks == self.acknowledged
