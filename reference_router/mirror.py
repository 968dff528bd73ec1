"""One logical unit on its legs: write all, read one, hold and resume at barriers. Pure.

Events come in as method calls with the time; actions go out through an Outbox. A command ends
only when every leg that the two engines agree to be in use has it: a leg is dropped by agreement
(`commit`), never by one engine alone.
"""

import errno
from collections import deque
from typing import Any

from reference_router import scsi
from reference_router.messages import LegState, Message, UnitState

_USED = (LegState.IN_SYNC, LegState.RESYNCING)
_NO_REGION = -1


class LegIo:
    """One read or write of one leg. `buffer` belongs to the shell.

    `tried` has a bit for each leg that could not read this piece.
    """

    __slots__ = (
        "abandoned",
        "blocks",
        "buffer",
        "lba",
        "leg",
        "mirror",
        "owner",
        "submitted_ns",
        "tried",
        "write",
    )

    def __init__(
        self,
        mirror: "Mirror",
        leg: int,
        owner: "Command | Copy",
        write: bool,
        lba: int,
        blocks: int,
    ) -> None:
        self.mirror = mirror
        self.leg = leg
        self.owner = owner
        self.write = write
        self.lba = lba
        self.blocks = blocks
        self.tried = 0
        self.submitted_ns = 0
        self.abandoned = False
        self.buffer: Any = None


class Command:
    """A host's read or write. `token` and `buffer` belong to the shell; `sense` None is GOOD."""

    __slots__ = (
        "arrived_ns",
        "blocks",
        "buffer",
        "lba",
        "parts",
        "sense",
        "token",
        "write",
    )

    def __init__(self, token: object, write: bool, lba: int, blocks: int) -> None:
        self.token: Any = token
        self.write = write
        self.lba = lba
        self.blocks = blocks
        self.parts: dict[LegIo, int] = {}  # 0 under way, or the errno that it ended with
        self.sense: scsi.Sense | None = None
        self.arrived_ns = 0
        self.buffer: Any = None


class Copy:
    """A region on its way from a leg in sync to legs that are not; see `resync`."""

    __slots__ = ("blocks", "buffer", "error", "lba", "outstanding")

    def __init__(self, lba: int, blocks: int) -> None:
        self.lba = lba
        self.blocks = blocks
        self.buffer: Any = None
        self.outstanding = 0
        self.error: tuple[int, bool, int] | None = None  # leg, write, errno


class Outbox:
    """Where the core puts its actions; the shell empties it after each batch of events."""

    __slots__ = ("completions", "leg_io", "messages", "notes", "refuse_link")

    def __init__(self) -> None:
        self.leg_io: list[LegIo] = []
        self.completions: list[Command] = []
        self.messages: list[Message] = []
        self.notes: list[str] = []
        self.refuse_link = ""


class Mirror:
    """The data path of one logical unit in one engine."""

    def __init__(
        self, name: str, *, legs: tuple[str, ...], blocks: int, region_blocks: int, outbox: Outbox
    ) -> None:
        self.name = name
        self.legs = legs
        self.blocks = blocks
        self.region_blocks = region_blocks
        self.regions = -(-blocks // region_blocks)
        self.epoch = 0
        self.states: tuple[LegState, ...] = (LegState.STALE,) * len(legs)
        self.proposal: UnitState | None = None
        """What the barrier under way will commit; while set, new host I/O is held."""
        self.held_region = _NO_REGION
        """Writes that touch this region are held, for it is being copied."""
        self.suspects: dict[int, str] = {}
        """Legs that failed or passed their deadline at this epoch, and why."""
        self.outstanding: list[dict[LegIo, None]] = [{} for _ in legs]
        """I/O under way per leg, oldest first, abandoned I/O included."""
        self._outbox = outbox
        self._in_sync: tuple[int, ...] = ()
        self._used: tuple[int, ...] = ()
        self._commands: dict[Command, None] = {}
        self._writes: dict[int, list[Command]] = {}  # under way, by region
        self._held: deque[Command] = deque()
        self._blocked: deque[Command] = deque()

    @property
    def in_sync(self) -> tuple[int, ...]:
        """Indexes of the legs that hold every acknowledged write."""
        return self._in_sync

    @property
    def used(self) -> tuple[int, ...]:
        """Indexes of the legs that are written."""
        return self._used

    @property
    def busy(self) -> int:
        """Host commands that have not been answered."""
        return len(self._commands) + len(self._held) + len(self._blocked)

    def read_leg(self, lba: int) -> int:
        """Return the leg that serves reads of this region: the same in both engines."""
        return self._in_sync[lba // self.region_blocks % len(self._in_sync)]

    def submit(self, command: Command, now_ns: int) -> None:
        """Start a host command, or hold it while a barrier or an overlapping write is ahead."""
        command.arrived_ns = now_ns
        if self.proposal is not None:
            self._held.append(command)
        elif command.write and self._must_wait(command):
            self._blocked.append(command)
        else:
            self._start(command, now_ns)

    def leg_done(self, io: LegIo, error: int, now_ns: int) -> None:
        """Take the end of a leg I/O: `error` is 0 or an errno."""
        del self.outstanding[io.leg][io]
        if io.abandoned:
            return
        owner = io.owner
        if isinstance(owner, Copy):
            owner.outstanding -= 1
            if error:
                owner.error = (io.leg, io.write, error)
        elif error:
            owner.parts[io] = error
            self._part_failed(owner, io, error, now_ns)
        else:
            del owner.parts[io]
            if not owner.parts:
                self._finish(owner, now_ns)

    def copy_io(self, copy: Copy, leg: int, *, write: bool, now_ns: int) -> None:
        """Issue one half of a region copy."""
        copy.outstanding += 1
        self._issue(LegIo(self, leg, copy, write, copy.lba, copy.blocks), now_ns)

    def drained(self) -> bool:
        """Tell whether no I/O is under way on the legs that the proposal keeps."""
        if self.proposal is None:
            return True
        return not any(
            self.outstanding[leg]
            for leg, state in enumerate(self.proposal.states)
            if state in _USED
        )

    def region_drained(self) -> bool:
        """Tell whether no host write is under way in the held region."""
        return not self._writes.get(self.held_region)

    def release_region(self, now_ns: int) -> None:
        """Let held writes of the copied region go on."""
        self.held_region = _NO_REGION
        self._retry_blocked(now_ns)

    def commit(self, state: UnitState, now_ns: int) -> None:
        """End a barrier: use the legs as `state` says, and resume, held commands first."""
        self.epoch, self.states = state.epoch, state.states
        self._in_sync = _indexes(state.states, (LegState.IN_SYNC,))
        self._used = _indexes(state.states, _USED)
        self.held_region = state.held_region
        self.proposal = None
        self.suspects = {}
        for leg in range(len(self.legs)):
            if leg not in self._used:
                self._abandon(leg)
        for command in list(self._commands):
            self._reconsider(command, now_ns)
        held, self._held = self._held, deque()
        for command in held:
            arrived_ns = command.arrived_ns
            self.submit(command, now_ns)
            command.arrived_ns = arrived_ns
        self._retry_blocked(now_ns)

    def tick(self, now_ns: int, *, leg_deadline_ns: int, command_deadline_ns: int) -> None:
        """Suspect legs that passed their deadline; fail commands that were held too long.

        A command that was held is failed rather than run late: past the kernel's command time-out
        the host has been told that it failed, and running it then would be a ghost write.
        """
        for leg in self._used:
            oldest = next(iter(self.outstanding[leg]), None)
            if oldest is not None and now_ns - oldest.submitted_ns > leg_deadline_ns:
                self.suspect(leg, f"no answer in {leg_deadline_ns // 1_000_000} ms")
        for queue in (self._held, self._blocked):
            while queue and now_ns - queue[0].arrived_ns > command_deadline_ns:
                command = queue.popleft()
                command.sense = scsi.COMMUNICATION_FAILURE
                self._outbox.completions.append(command)

    def suspect(self, leg: int, reason: str) -> None:
        """Note that a leg should be dropped; the last one in sync never is."""
        if leg in self._used and self._in_sync != (leg,):
            self.suspects.setdefault(leg, reason)

    def _must_wait(self, command: Command) -> bool:
        for region in self._span(command):
            if region == self.held_region:
                return True
            for other in self._writes.get(region, ()):
                if (
                    other.lba < command.lba + command.blocks
                    and command.lba < other.lba + other.blocks
                ):
                    return True
        return False

    def _span(self, command: Command) -> range:
        first = command.lba // self.region_blocks
        return range(first, (command.lba + command.blocks - 1) // self.region_blocks + 1)

    def _start(self, command: Command, now_ns: int) -> None:
        self._commands[command] = None
        if not command.write:
            self._read(command, now_ns)
            return
        for region in self._span(command):
            self._writes.setdefault(region, []).append(command)
        for leg in self._used:
            io = LegIo(self, leg, command, True, command.lba, command.blocks)
            command.parts[io] = 0
            self._issue(io, now_ns)

    def _read(self, command: Command, now_ns: int) -> None:
        """Read each region's piece from that region's leg.

        Two reads of a block always ask the same leg, whatever else they read; else one could see a
        write that is under way, and a later one not.
        """
        lba, end = command.lba, command.lba + command.blocks
        while lba < end:
            leg = self.read_leg(lba)
            region_end = (lba // self.region_blocks + 1) * self.region_blocks
            stop = end if len(self._in_sync) == 1 else min(end, region_end)
            self._read_piece(LegIo(self, leg, command, False, lba, stop - lba), now_ns)
            lba = stop

    def _read_piece(self, io: LegIo, now_ns: int) -> None:
        if isinstance(io.owner, Command):
            io.owner.parts[io] = 0
        self._issue(io, now_ns)

    def _issue(self, io: LegIo, now_ns: int) -> None:
        io.submitted_ns = now_ns
        self.outstanding[io.leg][io] = None
        self._outbox.leg_io.append(io)

    def _part_failed(self, command: Command, io: LegIo, error: int, now_ns: int) -> None:
        """A medium error of a read is asked of another leg; else the leg is suspected.

        The last leg in sync is never dropped: what it says is what the host is told.
        """
        if error == errno.ENODATA and not command.write:
            self._read_elsewhere(command, io, now_ns)
        elif self._in_sync == (io.leg,):
            command.sense = _sense_of(error, write=command.write)
            if command.write:
                for target in self._used:
                    self.suspect(target, "a write failed on the leg it is copied from")
            self._part_over(command, io, now_ns)
        else:
            self.suspect(io.leg, f"{'write' if command.write else 'read'}: {errno_name(error)}")

    def _read_elsewhere(self, command: Command, io: LegIo, now_ns: int) -> None:
        tried = io.tried | 1 << io.leg
        others = [leg for leg in self._in_sync if not tried >> leg & 1]
        if others:
            again = LegIo(self, others[0], command, False, io.lba, io.blocks)
            again.tried = tried
            del command.parts[io]
            self._read_piece(again, now_ns)
        else:
            command.sense = scsi.UNRECOVERED_READ_ERROR
            self._part_over(command, io, now_ns)

    def _part_over(self, command: Command, io: LegIo, now_ns: int) -> None:
        del command.parts[io]
        if not command.parts:
            self._finish(command, now_ns)

    def _abandon(self, leg: int) -> None:
        for io in self.outstanding[leg]:
            if isinstance(io.owner, Copy) and not io.abandoned:
                io.owner.outstanding -= 1
            io.abandoned = True

    def _reconsider(self, command: Command, now_ns: int) -> None:
        """Settle a command that was under way when the leg states changed."""
        for io, error in list(command.parts.items()):
            if io.leg in self._used:
                if error:
                    self._part_failed(command, io, error, now_ns)
                continue
            if not command.write:
                leg = self.read_leg(io.lba)
                self._read_piece(LegIo(self, leg, command, False, io.lba, io.blocks), now_ns)
            self._part_over(command, io, now_ns)

    def _finish(self, command: Command, now_ns: int) -> None:
        del self._commands[command]
        if command.write:
            for region in self._span(command):
                writes = self._writes[region]
                writes.remove(command)
                if not writes:
                    del self._writes[region]
        self._outbox.completions.append(command)
        if self._blocked:
            self._retry_blocked(now_ns)

    def _retry_blocked(self, now_ns: int) -> None:
        if self.proposal is not None:
            return
        blocked, self._blocked = self._blocked, deque()
        for command in blocked:
            if self._must_wait(command):
                self._blocked.append(command)
            else:
                self._start(command, now_ns)


def errno_name(error: int) -> str:
    """Return the symbol of an errno, for people."""
    return errno.errorcode.get(error, str(error))


def _indexes(states: tuple[LegState, ...], wanted: tuple[LegState, ...]) -> tuple[int, ...]:
    return tuple(index for index, state in enumerate(states) if state in wanted)


def _sense_of(error: int, *, write: bool) -> scsi.Sense:
    """Say an errno of a block device in sense data.

    The errnos are those of blk_status_to_errno() in the kernel's block/blk-core.c. What looks like
    a lost way to the array is NOT READY, so that the host tries the other engine.
    """
    if error == errno.ENODATA:
        return scsi.WRITE_ERROR if write else scsi.UNRECOVERED_READ_ERROR
    if error == errno.EREMOTEIO:
        return scsi.INTERNAL_TARGET_FAILURE
    return scsi.COMMUNICATION_FAILURE
