"""Conformance while a fault is on: every nexus is asked again and again, each answer is judged.

An answer is right, or it is an error that a path in trouble may give, or a unit attention that is
read away by asking again. Anything else is wrong: other identity or capacity, data that is older
than an acknowledged write, GOOD for what must be refused, sense data that means something else.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from certify import cdb
from certify.devices import PathDevice
from certify.exercise import ExerciseKind, Stage
from certify.exercises.background import Background
from certify.exercises.nexus import ATTENTIONS_MAX, PURPOSE, Nexus, lacks_hosts
from certify.inquiry import Page
from certify.scsi import Completion, HostStatus, SenseKey, Status

NAME = "conformance"
FAULT = "fault"
PAUSE_S = 0.5
"""Between the rounds of one nexus: threads of this process share the processor with the probes."""
LBAS_EACH = 64
"""Blocks of one nexus: after a write that failed it goes on to the next, for that write is
undecided for ever.
"""
SHOWN_MOST = 3
NOT_READY_CODES = {(0x04, 0x01), (0x04, 0x0A), (0x04, 0x0B), (0x04, 0x0C), (0x08, 0x00)}
"""What a port that cannot serve now says, SPC-4 5.15.2.4 and annex F."""
TRANSIENT = (Status.BUSY, Status.TASK_SET_FULL, Status.TASK_ABORTED)
UNKNOWN = bytes((0x97, *bytes(15)))


@dataclass(frozen=True, slots=True)
class Question:
    """A command, and what its answer must be when the path serves."""

    name: str
    command: bytes
    data_in_length: int
    right: Callable[[Completion], bool]


def refuses(asc: int) -> Callable[[Completion], bool]:
    """Return a check for ILLEGAL REQUEST with an additional sense code."""

    def right(got: Completion) -> bool:
        sense = got.sense
        return (
            got.status == Status.CHECK_CONDITION
            and sense is not None
            and (sense.key, sense.asc) == (SenseKey.ILLEGAL_REQUEST, asc)
        )

    return right


def excused(got: Completion) -> bool:
    """Tell whether a path that is in trouble may answer so."""
    if got.host_status != HostStatus.OK or got.status in TRANSIENT:
        return True
    sense = got.sense
    if sense is None:
        return False
    if sense.key == SenseKey.NOT_READY:
        return (sense.asc, sense.ascq) in NOT_READY_CODES
    return sense.key == SenseKey.ABORTED_COMMAND


def questions_of(nexus: Nexus) -> list[Question]:
    """Ask a healthy nexus what will be asked again; raise OSError, ScsiError."""
    asked = (
        ("INQUIRY", cdb.inquiry(36), 36),
        ("page 83h", cdb.inquiry(252, page=Page.DESIGNATORS), 252),
        ("READ CAPACITY(16)", cdb.read_capacity_16(), 32),
    )
    same = []
    for name, command, length in asked:
        wanted = nexus.send(command, data_in_length=length).raise_for_status().data
        same.append(Question(name, command, length, _gives(wanted)))
    disk = nexus.path.disk
    beyond = cdb.read(disk.size_bytes // disk.block_bytes, 1, width=16)
    return [
        *same,
        Question("an unknown command", UNKNOWN, 0, refuses(0x20)),
        Question("READ(16) past the end", beyond, disk.block_bytes, refuses(0x21)),
    ]


def _gives(data: bytes) -> Callable[[Completion], bool]:
    return lambda got: got.is_good and got.data == data


@dataclass(slots=True, kw_only=True)
class Block:
    """A block that one nexus writes numbers to, and all read: what they may read.

    `last` is the last block that this nexus may go on to.
    """

    lba: int
    last: int
    acknowledged: int = 0
    issued: int = 0


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of the questions during the fault, of all nexuses."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, *, wrong: str = "") -> None:
        """Count an answer; *wrong* says what was wrong with it."""
        with self.lock:
            self.counts[what] += 1
            if wrong:
                self.wrong.append(wrong)


@dataclass(slots=True, kw_only=True)
class ConformanceInFault:
    """A thread for each nexus, so that one that waits keeps nobody else waiting."""

    stage: Stage
    _tally: Tally = field(init=False, default_factory=Tally)
    _background: Background = field(init=False, default_factory=lambda: Background(name=NAME))
    _blocks: list[Block] = field(init=False, default_factory=list)

    def start(self) -> None:
        """See Exercise.start."""
        paths = [path for path in self.stage.devices.all_paths if path.unit.purpose == PURPOSE]
        end = min(path.disk.size_bytes // path.disk.block_bytes for path in paths)
        asked = [questions_of(Nexus(path)) for path in paths]
        firsts = [end - (number + 1) * LBAS_EACH for number in range(len(paths))]
        self._blocks = [Block(lba=first, last=first + LBAS_EACH - 1) for first in firsts]
        for block, path in zip(self._blocks, paths, strict=True):
            self._write(Nexus(path), block)
        for number, (path, questions) in enumerate(zip(paths, asked, strict=True)):
            self._background.start(partial(self._ask, path, number, questions))

    def stop(self) -> None:
        """See Exercise.stop."""
        self._background.stop()
        counts, wrong = self._tally.counts, self._tally.wrong
        told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing"
        if wrong:
            told += "; " + "; ".join(wrong[:SHOWN_MOST])
        self.stage.report(
            NAME,
            expected="during the fault every answer right, or an error of a path in trouble",
            observed=told,
            good=not wrong if counts["right"] or wrong else None,
        )

    def _ask(self, path: PathDevice, number: int, questions: list[Question]) -> None:
        nexus = Nexus(path)
        while not self._background.ended.wait(PAUSE_S):
            if self.stage.phase() != FAULT:
                continue
            for question in questions:
                self._judge(nexus, question)
            self._write(nexus, self._blocks[number])
            for block in self._blocks:
                self._read(nexus, block)

    def _judge(self, nexus: Nexus, question: Question) -> Completion | None:
        """Ask once, again after a unit attention, and count the answer; None if it has none."""
        got = self._answer(nexus, question)
        for _ in range(ATTENTIONS_MAX):
            if got is None or not _attention(got):
                break
            self._tally.count("unit attentions")
            got = self._answer(nexus, question)
        if got is None:
            return None
        if _attention(got):
            self._wrong(nexus, question.name, f"{got}, the {ATTENTIONS_MAX + 1}th in a row")
            return None
        if question.right(got):
            self._tally.count("right")
            return got
        if excused(got):
            self._tally.count("of a path in trouble")
        else:
            data = f", data {got.data[:16].hex(' ')}" if got.is_good else ""
            self._wrong(nexus, question.name, f"{got}{data}")
        return None

    def _answer(self, nexus: Nexus, question: Question) -> Completion | None:
        try:
            return nexus.once(question.command, data_in_length=question.data_in_length)
        except OSError:
            self._tally.count("without a device")
            return None

    def _write(self, nexus: Nexus, block: Block) -> None:
        """Write the next number to a nexus's own block; after a failure go on to a fresh block."""
        if block.lba > block.last:
            return
        block.issued += 1
        data = block.issued.to_bytes(8) * (nexus.path.disk.block_bytes // 8)
        try:
            got = nexus.send(cdb.write(block.lba, 1, width=16), data_out=data)
        except OSError:
            self._tally.count("without a device")
            got = None
        if got is not None and got.is_good:
            block.acknowledged = block.issued
            return
        if got is not None and not excused(got):
            self._wrong(nexus, "WRITE(16)", str(got))
        self._give_up(block)

    def _give_up(self, block: Block) -> None:
        """Let nobody read this block again: what is in it is not decided."""
        number = self._blocks.index(block)
        self._blocks[number] = Block(lba=block.lba + 1, last=block.last)

    def _read(self, nexus: Nexus, block: Block) -> None:
        """Read a block: at least what was acknowledged before, at most what was issued."""
        low = block.acknowledged
        if not low:
            return
        size = nexus.path.disk.block_bytes

        def right(got: Completion) -> bool:
            if not got.is_good or len({got.data[at : at + 8] for at in range(0, size, 8)}) != 1:
                return False
            return low <= int.from_bytes(got.data[:8]) <= block.issued

        name = f"READ(16) of block {block.lba}, written {low} times"
        self._judge(nexus, Question(name, cdb.read(block.lba, 1, width=16), size, right))

    def _wrong(self, nexus: Nexus, what: str, seen: str) -> None:
        self._tally.count("wrong", wrong=f"{nexus.name}: {what}: {seen}")


def _attention(got: Completion) -> bool:
    return got.sense is not None and got.sense.key == SenseKey.UNIT_ATTENTION


CONFORMANCE_IN_FAULT = ExerciseKind(
    name=NAME,
    make=lambda stage: ConformanceInFault(stage=stage),
    lacks=lambda lab: lacks_hosts(lab, 1),
)
"""For a scenario whose fault leaves one engine or one path."""
