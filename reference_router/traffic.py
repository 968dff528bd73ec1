"""The leg I/O of commands: phases, failures, and what becomes of them when legs change. Pure.

The lower half of the mirror. It issues and ends I/O of commands that were let start; which may
start, and what barriers do, is for `mirror`.
"""

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterable

from reference_router import scsi
from reference_router.commands import Command, LegIo, Op, Outbox
from reference_router.latency import LatencyWatch
from reference_router.messages import LegState

FIRST_WRITES = (Op.WRITE, Op.WRITE_AND_VERIFY, Op.WRITE_AND_COMPARE)
NO_ANSWER = scsi.check_condition(scsi.COMMUNICATION_FAILURE)
_COMPARES = (Op.COMPARE, Op.WRITE_AND_COMPARE, Op.COMPARE_AND_WRITE)


class Traffic(ABC):
    """Commands under way on the legs of one logical unit."""

    def __init__(
        self,
        name: str,
        *,
        legs: tuple[str, ...],
        blocks: int,
        region_blocks: int,
        latency: LatencyWatch,
        outbox: Outbox,
    ) -> None:
        self.name = name
        self.legs = legs
        self.blocks = blocks
        self.region_blocks = region_blocks
        self.states: tuple[LegState, ...] = (LegState.STALE,) * len(legs)
        self.weak: dict[tuple[int, int], None] = {}
        """(region, leg) that could not be read there, but elsewhere."""
        self.suspects: dict[int, str] = {}
        """Legs that failed or passed their deadline at this epoch, and why."""
        self.fenced_off = False
        """Set once a leg said that this engine's key is not registered."""
        self.outstanding: list[dict[LegIo, None]] = [{} for _ in legs]
        """I/O under way per leg, oldest first, abandoned I/O included."""
        self.latency = latency
        self._outbox = outbox
        self._in_sync: tuple[int, ...] = ()
        self._used: tuple[int, ...] = ()
        self._commands: dict[Command, None] = {}  # under way, oldest first
        self._comparing = 0

    @abstractmethod
    def _finish(self, command: Command, now_ns: int) -> None:
        """Take a command that has come to its end."""

    @property
    def in_sync(self) -> tuple[int, ...]:
        """Indexes of the legs that hold every acknowledged write."""
        return self._in_sync

    @property
    def used(self) -> tuple[int, ...]:
        """Indexes of the legs that are written."""
        return self._used

    def read_leg(self, lba: int) -> int:
        """Return the leg that serves reads of this region: the same in both engines."""
        return self._in_sync[lba // self.region_blocks % len(self._in_sync)]

    def leg_done(self, io: LegIo, error: int, now_ns: int) -> None:
        """Take the end of a leg I/O: `error` is 0 or an errno."""
        del self.outstanding[io.leg][io]
        if io.abandoned:
            return
        self.latency.note(io.leg, now_ns - io.submitted_ns)
        command = io.owner
        if error:
            command.parts[io] = error
            self._part_failed(command, io, error, now_ns)
            return
        del command.parts[io]
        if not command.parts:
            self._advance(command, now_ns)

    def compared(self, command: Command, mismatch: int | None, now_ns: int) -> None:
        """Take the result of a comparison: the offset of the first byte that differs, or None."""
        if command not in self._commands:
            return  # given up meanwhile
        self._comparing -= 1
        command.compared = True
        if mismatch is not None:
            command.response = scsi.check_condition(
                scsi.MISCOMPARE_DURING_VERIFY, information=mismatch
            )
            self._finish(command, now_ns)
        else:
            self._advance(command, now_ns)

    def suspect(self, leg: int, reason: str) -> None:
        """Note that a leg should be dropped; the last one in sync never is."""
        if leg in self._used and self._in_sync != (leg,):
            self.suspects.setdefault(leg, reason)

    def drained(self, kept: Iterable[int]) -> bool:
        """Tell whether no I/O is under way on the legs that are kept."""
        return not self._comparing and not any(
            not io.abandoned for leg in kept for io in self.outstanding[leg]
        )

    # Phases

    def _write(self, command: Command, legs: tuple[int, ...], now_ns: int) -> None:
        command.writing = True
        for leg in legs:
            io = LegIo(self, leg, command, True, command.lba, command.blocks)
            command.parts[io] = 0
            self._issue(io, now_ns)
        if not command.parts:
            self._advance(command, now_ns)

    def _read(self, command: Command, now_ns: int) -> None:
        """Read each region's piece from that region's leg.

        Two reads of a block always ask the same leg, whatever else they read; else one could see a
        write that is under way, and a later one not.
        """
        command.writing = False
        lba, end = command.lba, command.lba + command.blocks
        while lba < end:
            leg = self.read_leg(lba) if command.source < 0 else command.source
            region_end = (lba // self.region_blocks + 1) * self.region_blocks
            whole = len(self._in_sync) == 1 or command.source >= 0
            stop = end if whole else min(end, region_end)
            self._read_piece(LegIo(self, leg, command, False, lba, stop - lba), now_ns)
            lba = stop

    def _read_piece(self, io: LegIo, now_ns: int) -> None:
        io.owner.parts[io] = 0
        self._issue(io, now_ns)

    def _issue(self, io: LegIo, now_ns: int) -> None:
        io.submitted_ns = now_ns
        self.outstanding[io.leg][io] = None
        self._outbox.leg_io.append(io)

    def _advance(self, command: Command, now_ns: int) -> None:
        """Go on with a command whose leg I/O has all ended."""
        op = command.op
        if command.response is not None or op in (Op.READ, Op.VERIFY, Op.WRITE):
            self._finish(command, now_ns)
        elif op in FIRST_WRITES and command.writing:
            self._read(command, now_ns)
        elif op in _COMPARES and not command.compared:
            self._comparing += 1
            self._outbox.compares.append(command)
        elif command.writing or op not in (Op.COMPARE_AND_WRITE, Op.COPY):
            self._finish(command, now_ns)
        else:
            targets = self._used if op == Op.COMPARE_AND_WRITE else command.targets
            self._write(command, targets, now_ns)

    def _is_written(self, command: Command) -> bool:
        """Tell whether the answer says nothing but that all legs have the data."""
        return command.response is None and command.op in (Op.WRITE, Op.COMPARE_AND_WRITE)

    # Failures

    def _part_failed(self, command: Command, io: LegIo, error: int, now_ns: int) -> None:
        """A medium error of a read is asked of another leg; else the leg is suspected.

        The last leg in sync is never dropped: what it says is what the host is told.
        """
        if error == errno.EBADE:
            self.fenced_off = True
        if command.op == Op.COPY:
            command.response = _sense_of(error, write=io.write)
            command.failures[io.leg] = (io.write, error)
            self._part_over(command, io, now_ns)
        elif error == errno.ENODATA and not io.write:
            self._read_elsewhere(command, io, now_ns)
        elif self._in_sync == (io.leg,):
            command.response = _sense_of(error, write=io.write)
            if io.write:
                for target in self._used:
                    self.suspect(target, "a write failed on the leg it is copied from")
            self._part_over(command, io, now_ns)
        else:
            self.suspect(io.leg, f"{'write' if io.write else 'read'}: {errno_name(error)}")

    def _read_elsewhere(self, command: Command, io: LegIo, now_ns: int) -> None:
        tried = io.tried | 1 << io.leg
        others = [leg for leg in self._in_sync if not tried >> leg & 1]
        if others:
            self.weak[io.lba // self.region_blocks, io.leg] = None
            again = LegIo(self, others[0], command, False, io.lba, io.blocks)
            again.tried = tried
            del command.parts[io]
            self._read_piece(again, now_ns)
        else:
            command.response = scsi.check_condition(scsi.UNRECOVERED_READ_ERROR)
            self._part_over(command, io, now_ns)

    def _part_over(self, command: Command, io: LegIo, now_ns: int) -> None:
        del command.parts[io]
        if not command.parts:
            self._advance(command, now_ns)

    def _reconsider(self, command: Command, now_ns: int) -> None:
        """Settle a command that was under way when the leg states changed."""
        for io, error in list(command.parts.items()):
            if io.leg in self._used:
                if error:
                    self._part_failed(command, io, error, now_ns)
                continue
            if command.op == Op.COPY:
                command.failures[io.leg] = (io.write, errno.EIO)
                command.response = NO_ANSWER
            elif not io.write:
                leg = self.read_leg(io.lba)
                self._read_piece(LegIo(self, leg, command, False, io.lba, io.blocks), now_ns)
            self._part_over(command, io, now_ns)


def errno_name(error: int) -> str:
    """Return the symbol of an errno, for people."""
    return errno.errorcode.get(error, str(error))


def indexes(states: tuple[LegState, ...], wanted: tuple[LegState, ...]) -> tuple[int, ...]:
    """Return the indexes of the legs in one of the wanted states."""
    return tuple(index for index, state in enumerate(states) if state in wanted)


def _sense_of(error: int, *, write: bool) -> scsi.Response:
    """Say an errno of a block device in sense data.

    The errnos are those of blk_status_to_errno() in the kernel's block/blk-core.c. What looks like
    a lost way to the array is NOT READY, so that the host tries the other engine.
    """
    if error == errno.ENODATA:
        sense = scsi.WRITE_ERROR if write else scsi.UNRECOVERED_READ_ERROR
    elif error == errno.EREMOTEIO:
        sense = scsi.INTERNAL_TARGET_FAILURE
    else:
        sense = scsi.COMMUNICATION_FAILURE
    return scsi.check_condition(sense)
