"""Two cores over two arrays in virtual time, without chance: a bench for tests of the protocol.

`Bench.run` moves messages, I/O and reservation commands until nothing is left to do, then lets time
pass. A test stops what it wants to look into: a silent array, a message that does not arrive.
"""

import errno
from collections import deque
from collections.abc import Callable

from reference_router.cluster import Cluster
from reference_router.commands import Command, LegIo, Op, Outbox
from reference_router.keys import Control, ControlOp, ControlResult, Key, Outcome
from reference_router.messages import LegState, Message, decode, encode
from reference_router.unit import Timing, Unit, UnitSetup
from reference_router.witness_ledger import Ledger
from reference_router.witness_messages import Claim, Greeting, Waive, Welcome, WitnessMessage

MS = 1_000_000
IN_SYNC, RESYNCING, STALE = LegState.IN_SYNC, LegState.RESYNCING, LegState.STALE
BLOCKS, REGION_BLOCKS = 64, 8
CHECK = 5
STEP_MS, TICK_STEPS = 5, 4
TIMING = Timing(
    leg_deadline_ns=100 * MS,
    command_deadline_ns=4000 * MS,
    peer_wait_ns=50 * MS,
    ping_ns=20 * MS,
    lease_ns=200 * MS,
    peer_timeout_ns=300 * MS,
)
_GOOD, _CONFLICT = ControlResult(outcome=Outcome.GOOD), ControlResult(outcome=Outcome.CONFLICT)


def key(engine: int, epoch: int, *, clean: bool = False, holds: bool = False) -> int:
    return Key(engine=engine, check=CHECK, epoch=epoch, clean=clean, holds=holds).pack()


def setup(**changes: object) -> UnitSetup:
    fields = {
        "name": "lu0",
        "legs": ("A", "B"),
        "blocks": BLOCKS,
        "region_blocks": REGION_BLOCKS,
        "lease_limit": 4,
        "rate_bytes_per_s": 1 << 30,
        "check": CHECK,
        "hosts": ("alpha", "beta"),
        "engines": (1, 2),
    }
    return UnitSetup(**{**fields, **changes})


class Array:
    """An array: a value per block, and reservations as SPC-4 5.13 has them, by engine."""

    def __init__(self) -> None:
        self.blocks = [0] * BLOCKS
        self.keys: dict[int, int] = {}
        self.reserved: int | None = None
        self.silent = False
        """Nothing is answered, and nothing is done, until it speaks again."""
        self.cut_off: set[int] = set()
        """Engines that have lost their way to it: to them it is silent."""
        self.error = 0
        """The errno of all I/O."""
        self.bad: set[int] = set()
        """Blocks that cannot be read until they are written."""
        self.done: list[tuple[int, ControlOp]] = []

    def answers(self, engine: int) -> bool:
        return not self.silent and engine not in self.cut_off

    def io(self, engine: int, io: LegIo) -> int:
        if self.error:
            return self.error
        span = range(io.lba, io.lba + io.blocks)
        if not io.write:
            if self.bad.intersection(span):
                return errno.ENODATA
            data = [self.blocks[lba] for lba in span]
            if io.owner.op == Op.COPY:
                io.owner.buffer = data
            elif not io.abandoned:
                io.owner.pieces.append((io.lba, data))
            return 0
        if self.reserved and engine not in self.keys:
            return errno.EBADE
        data = io.owner.buffer if io.owner.op == Op.COPY else [io.owner.token] * io.blocks
        self.blocks[io.lba : io.lba + io.blocks] = data
        self.bad.difference_update(span)
        return 0

    def control(self, engine: int, control: Control) -> ControlResult:
        self.done.append((engine, control.op))
        mine = self.keys.get(engine, 0)
        if control.op is ControlOp.READ_KEYS:
            keys = tuple(self.keys.values())
            return ControlResult(outcome=Outcome.GOOD, keys=keys, reservation_type=self.reserved)
        if control.op is not ControlOp.REGISTER_AND_IGNORE and (not mine or mine != control.key):
            return _CONFLICT
        match control.op:
            case ControlOp.REGISTER | ControlOp.REGISTER_AND_IGNORE:
                self.keys[engine] = control.other
                self.keys = {who: each for who, each in self.keys.items() if each}
            case ControlOp.RESERVE:
                self.reserved = 7
            case ControlOp.CLEAR:
                self.keys, self.reserved = {}, None
            case ControlOp.PREEMPT_AND_ABORT:
                gone = [who for who, each in self.keys.items() if each == control.other]
                if not gone:
                    return _CONFLICT
                for who in gone:
                    del self.keys[who]
        return _GOOD


class Node:
    """One engine: its core, and what its shell would hold."""

    def __init__(
        self, number: int, now_ns: int, *, witness: bool = False, **changes: object
    ) -> None:
        self.number = number
        self.outbox = Outbox()
        self.cluster = Cluster(
            number,
            (setup(**changes),),
            timing=TIMING,
            config="x",
            outbox=self.outbox,
            now_ns=now_ns,
            has_witness=witness,
        )
        self.inbox: deque[Message] = deque()
        self.ended: list[Command] = []
        self.answers: list[tuple[object, object]] = []
        self.notes: list[str] = []
        self.hung = False

    @property
    def unit(self) -> Unit:
        return self.cluster.units["lu0"]


class Bench:
    """Engines 1 and 2 as far as they were started, arrays A and B, a link."""

    def __init__(self, *engines: int, witness: bool = False, **changes: object) -> None:
        self.now_ns = 0
        self.ledger = Ledger() if witness else None
        self.rulings_arrive = True
        self.arrays = [Array(), Array()]
        self.nodes: dict[int, Node] = {}
        self.linked = False
        self.stops_at: Callable[[int, Message], bool] = lambda _sender, _message: False
        """Which message does not arrive, nor any behind it."""
        self.sent: list[tuple[int, Message]] = []
        for engine in engines:
            self.start(engine, **changes)

    def unit(self, engine: int) -> Unit:
        return self.nodes[engine].unit

    def start(self, engine: int, **changes: object) -> Node:
        witness = self.ledger is not None
        node = self.nodes[engine] = Node(engine, self.now_ns, witness=witness, **changes)
        if witness:
            self.meet_witness(engine)
        return node

    def meet_witness(self, engine: int) -> None:
        """Let an engine and the witness hear each other."""
        self.nodes[engine].cluster.witness.up(self.now_ns)

    def part_from_witness(self, engine: int) -> None:
        """Let an engine and the witness not hear each other any more."""
        self.nodes[engine].outbox.to_witness.clear()
        self.nodes[engine].cluster.witness.down()

    def meet(self) -> None:
        """Bring the link up."""
        self.linked = True
        for node in self.nodes.values():
            node.inbox.clear()
            node.outbox.messages.clear()
            node.cluster.link_up(self.now_ns)

    def cut(self, *, dead: bool = False, tell: tuple[int, ...] = (1, 2)) -> None:
        """Cut the link; who is told, sees the peer as dead or only as silent."""
        self.linked = False
        for number in tell:
            if node := self.nodes.get(number):
                node.inbox.clear()
                node.outbox.messages.clear()
                node.cluster.link_down(self.now_ns, peer_is_dead=dead)

    def kill(self, engine: int) -> None:
        """End an engine's process, seen by the other one. What was under way does not land."""
        del self.nodes[engine]
        self.cut(dead=True)

    # Hosts

    def submit(self, engine: int, op: Op, lba: int, blocks: int = 1, value: object = None):
        command = Command(value, op, lba, blocks, "alpha")
        self.nodes[engine].cluster.submit("lu0", command, self.now_ns)
        return command

    def write(self, engine: int, lba: int, value: object, blocks: int = 1) -> Command:
        return self.submit(engine, Op.WRITE, lba, blocks, value)

    def is_done(self, command: Command) -> bool:
        """Tell whether a command has ended well."""
        ended = any(command in node.ended for node in self.nodes.values())
        return ended and command.response is None

    # Time

    def run(self, ms: int = 0) -> None:
        """Let that time pass; with 0, do what can be done now."""
        self.settle()
        for step in range(ms // STEP_MS):
            self.now_ns += STEP_MS * MS
            for node in self.nodes.values():
                if step % TICK_STEPS == 0 and not node.hung:
                    self._look_for_legs(node)
                    node.cluster.tick(self.now_ns)
            self.settle()

    def until(self, condition: Callable[[], bool], *, limit_ms: int = 10_000) -> None:
        """Run until something is so."""
        for _ in range(limit_ms // (STEP_MS * TICK_STEPS)):
            if condition():
                return
            self.run(STEP_MS * TICK_STEPS)
        assert condition(), f"not so after {limit_ms} ms"

    def settle(self) -> None:
        """Do what can be done without time passing."""
        busy = True
        while busy:
            busy = False
            for number in sorted(self.nodes):
                busy |= self.step(number)

    def step(self, number: int, *, controls: int = 1 << 30) -> bool:
        """Let one engine go on a little; tell whether it did anything."""
        node = self.nodes[number]
        if node.hung:
            return False
        did = self._receive(node) | self._leg_io(node) | self._controls(node, controls)
        outbox = node.outbox
        did |= bool(outbox.completions or outbox.answers)
        node.ended += outbox.completions
        node.answers += outbox.answers
        node.notes += outbox.notes
        for each in (outbox.completions, outbox.answers, outbox.notes, outbox.changed):
            each.clear()
        before = len(outbox.leg_io), len(outbox.controls)
        node.cluster.drive(self.now_ns)
        did |= before != (len(outbox.leg_io), len(outbox.controls))
        did |= self._transmit(node) | self._claim(node)
        if outbox.refuse_link:
            node.notes.append(f"refused: {outbox.refuse_link}")
            outbox.refuse_link = ""
            if self.linked:
                self.cut()
            else:
                node.cluster.link_down(self.now_ns, peer_is_dead=False)
        return did

    def _look_for_legs(self, node: Node) -> None:
        for leg, array in enumerate(self.arrays):
            reach = node.unit.admission.mine[leg]
            good = array.answers(node.number) and not array.error
            in_use = leg in node.unit.mirror.used
            if good != reach.available and (good or not in_use):
                node.cluster.reach("lu0", leg, available=good, identity=f"wwn-{leg}")

    def _receive(self, node: Node) -> bool:
        did = False
        while node.inbox:
            did = True
            node.cluster.take(node.inbox.popleft(), self.now_ns)
        return did

    def _leg_io(self, node: Node) -> bool:
        did = False
        for io in list(node.outbox.leg_io):
            array = self.arrays[io.leg]
            if array.answers(node.number):
                did = True
                node.outbox.leg_io.remove(io)
                node.cluster.leg_done(io, array.io(node.number, io), self.now_ns)
        return did

    def _controls(self, node: Node, limit: int) -> bool:
        did = False
        for control in list(node.outbox.controls):
            array = self.arrays[control.leg]
            if limit and array.answers(node.number):
                limit -= 1
                did = True
                node.outbox.controls.remove(control)
                node.cluster.control_done(control, array.control(node.number, control))
        return did

    def _claim(self, node: Node) -> bool:
        asked, node.outbox.to_witness = node.outbox.to_witness, []
        for message in asked:
            answer: WitnessMessage = message
            if isinstance(message, Greeting):
                answer = Welcome()
            elif isinstance(message, Claim | Waive) and self.ledger:
                answer, _ = self.ledger.rule(node.number, message)
            if self.rulings_arrive:
                node.cluster.witness.take(answer, self.now_ns)
        return bool(asked)

    def _transmit(self, node: Node) -> bool:
        other = self.nodes.get(3 - node.number)
        if not self.linked or other is None:
            node.outbox.messages.clear()
            return False
        did = False
        while node.outbox.messages:
            message = node.outbox.messages[0]
            if self.stops_at(node.number, message):
                break
            del node.outbox.messages[0]
            self.sent.append((node.number, message))
            other.inbox.append(decode(encode(message)))
            did = True
        return did


def alone(*, witness: bool = False, **changes: object) -> Bench:
    """Return a bench where engine 1 serves without a peer."""
    bench = Bench(1, witness=witness, cold_start=True, **changes)
    bench.until(lambda: bench.unit(1).serves and bench.unit(1).idle)
    return bench


def pair(*, witness: bool = False, **changes: object) -> Bench:
    """Return a bench where engine 1 leads and engine 2 follows."""
    bench = alone(witness=witness, **changes)
    bench.start(2, **changes)
    bench.meet()
    bench.until(lambda: all(is_settled(bench.unit(each)) for each in (1, 2)))
    bench.sent.clear()
    return bench


def is_settled(unit: Unit) -> bool:
    """Tell whether a unit is served by both, with nothing left to do."""
    reached = all(unit.admission.peers[leg].available for leg in unit.mirror.used)
    return unit.serves and unit.shared and unit.idle and reached
