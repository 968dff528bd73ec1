"""One logical unit on its legs: write all, read one, hold and resume at barriers. Pure.

Events come in as method calls with the time; actions go out through an Outbox. A command ends
only when every leg that the two engines agree to be in use has it: a leg is dropped by agreement
(`commit`), never by one engine alone.

What may start is decided by `gate`: a command waits in `_held` while a barrier is under way, and in
`_blocked` while a region that it reads is not repaired, another write overlaps it, or a lease is
missing.
"""

from collections import deque
from collections.abc import Callable

from reference_router import scsi
from reference_router.commands import Command, Op, Outbox
from reference_router.latency import LatencyWatch
from reference_router.leases import Leases
from reference_router.messages import LegState
from reference_router.regions import RegionMap
from reference_router.repairs import Repairs
from reference_router.traffic import FIRST_WRITES, NO_ANSWER, Traffic, indexes
from reference_router.unit_setup import UnitSetup

_USED = (LegState.IN_SYNC, LegState.RESYNCING)
_FOR_EVER_NS = 1 << 63
_ABORTED = scsi.Response(scsi.Status.TASK_ABORTED)


class Mirror(Traffic):
    """The data path of one logical unit in one engine."""

    def __init__(
        self,
        name: str,
        *,
        legs: tuple[str, ...],
        blocks: int,
        region_blocks: int,
        lease_limit: int,
        latency: LatencyWatch,
        outbox: Outbox,
    ) -> None:
        super().__init__(
            name,
            legs=legs,
            blocks=blocks,
            region_blocks=region_blocks,
            latency=latency,
            outbox=outbox,
        )
        self.regions = -(-blocks // region_blocks)
        self.held = True
        """While set, nothing starts."""
        self.reads_until_ns = _FOR_EVER_NS
        """Until when what a leg gave is known to be current; later the peer must be heard first."""
        self.refuses: Callable[[Command], scsi.Response | None] = lambda _: None
        """Asked right before a host command starts; a reservation may have come since."""
        self.leases = Leases(name, limit=lease_limit, outbox=outbox)
        self.leases.on_given = self._mark_dirty
        self.repairs = Repairs(self.regions, self.leases)
        self.dirty = [RegionMap(self.regions) for _ in legs]
        """What each leg lacks since it was last in sync. Of legs in sync it is empty."""
        self.copies: list[Command] = []
        """Copies that ended, for the copier to collect."""
        self._tracking: tuple[int, ...] = ()  # stale legs: what is written, they lack
        self._writes: dict[int, list[Command]] = {}  # under way, by region
        self._readers: dict[Command, list[Command]] = {}  # reads that wait, by write
        self._held: deque[Command] = deque()
        self._blocked: deque[Command] = deque()
        self._unsure: deque[Command] = deque()
        self._kept: list[int] = []  # regions whose leases are kept until the next barrier has ended

    @property
    def busy(self) -> int:
        """Host commands that have not been answered."""
        waiting = len(self._held) + len(self._blocked) + len(self._unsure)
        return waiting + sum(not each.answered for each in self._commands if each.op != Op.COPY)

    # Events

    def submit(self, command: Command, now_ns: int) -> None:
        """Start a command, or keep it until it may start."""
        command.arrived_ns = now_ns
        if self.held:
            self._held.append(command)
        elif not self._start(command, now_ns):
            self._blocked.append(command)

    def abort(self, chosen: Callable[[Command], bool]) -> None:
        """End host commands that have not started; what is under way ends by itself."""
        for queue in (self._held, self._blocked, self._unsure):
            for command in [each for each in queue if each.op != Op.COPY and chosen(each)]:
                queue.remove(command)
                command.response = _ABORTED
                self._unpin(command)
                self._outbox.completions.append(command)

    def retry_blocked(self, now_ns: int) -> None:
        """Look again at what waits for a lease, a repair or another write."""
        if self.held or not self._blocked:
            return
        blocked, self._blocked = self._blocked, deque()
        for command in blocked:
            if self.held or not self._start(command, now_ns):
                self._blocked.append(command)

    def lease_received(self, region: int, now_ns: int) -> None:
        """Take a lease from the peer."""
        self.leases.received(region, lambda: self.retry_blocked(now_ns))

    def confirm_reads(self, until_ns: int, now_ns: int) -> None:
        """Answer reads that waited for a word of the peer; what is read is current until then."""
        self.reads_until_ns = until_ns
        while self._unsure and now_ns <= until_ns:
            self._outbox.completions.append(self._unsure.popleft())

    def tick(self, now_ns: int, *, leg_deadline_ns: int, command_deadline_ns: int) -> None:
        """Suspect legs that passed their deadline; answer commands that took too long.

        A command that waited is answered rather than run late: past the kernel's command time-out
        the host has been told that it failed, and running it then would be a ghost write. One that
        is under way on the last leg is answered too, and keeps its range and its lease until its
        I/O has ended, so that nothing can overtake it.
        """
        for leg in self._used:
            oldest = next(iter(self.outstanding[leg]), None)
            if oldest is not None and now_ns - oldest.submitted_ns > leg_deadline_ns:
                self.suspect(leg, f"no answer in {leg_deadline_ns // 1_000_000} ms")
        slow = self.latency.look(self._used, now_ns)
        if slow is not None:
            self.suspect(slow, "much slower than the others")
        limit_ns = now_ns - command_deadline_ns
        for queue in (self._held, self._blocked, self._unsure):
            for command in [each for each in queue if each.arrived_ns < limit_ns]:
                if command.op != Op.COPY:
                    queue.remove(command)
                    self._give_up(command)
        for command in list(self._commands):
            if command.arrived_ns >= limit_ns:
                break
            if not command.answered and command.op != Op.COPY:
                self._answer_early(command)

    # Barriers

    def hold(self) -> None:
        """Start nothing from now on."""
        self.held = True

    def commit(self, states: tuple[LegState, ...], now_ns: int) -> None:
        """End a barrier: use the legs as `states` say. `resume` goes on."""
        self.repairs.generation += 1
        before, self.states = self.states, states
        self._in_sync = indexes(states, (LegState.IN_SYNC,))
        self._used = indexes(states, _USED)
        for leg, (old, new) in enumerate(zip(before, states, strict=True)):
            if old in _USED and new is LegState.STALE:
                self._begin_dirty(leg)
                self.latency.forget(leg)
            elif new is LegState.IN_SYNC:
                self.dirty[leg].clear()
        self._tracking = indexes(states, (LegState.STALE,))
        if len(self._in_sync) < 2:
            self.repairs.clear()
        self.suspects = {}
        kept, self._kept = self._kept, []
        for region in kept:
            self.leases.unpin(region)
        for leg in range(len(self.legs)):
            if leg not in self._used:
                for io in self.outstanding[leg]:
                    io.abandoned = True
        for command in list(self._commands):
            self._reconsider(command, now_ns)

    def resume(self, now_ns: int) -> None:
        """Go on after a barrier, held commands first."""
        self.held = False
        held, self._held = self._held, deque()
        for command in held:
            if self.held or not self._start(command, now_ns):
                self._blocked.append(command)
        self.retry_blocked(now_ns)

    def forget_leases(self) -> None:
        """Take leases back from commands that have not started: membership changes."""
        for command in (*self._held, *self._blocked):
            self._unpin(command)

    def lose(self) -> None:
        """Stop being one of those who serve: answer everything, forget what is under way."""
        self.held = True
        for command in (*self._held, *self._blocked, *self._unsure, *self._commands):
            command.pinned = 0
            if not command.answered and command.op != Op.COPY:
                command.response = NO_ANSWER
                self._outbox.completions.append(command)
            command.answered = True
        for ios in self.outstanding:
            for io in ios:
                io.abandoned = True
        self._commands, self._writes, self._readers, self._comparing = {}, {}, {}, 0
        self._held, self._blocked, self._unsure = deque(), deque(), deque()
        self.states = (LegState.STALE,) * len(self.legs)
        self._in_sync = self._used = ()
        self.suspects, self.weak = {}, {}
        self.repairs.forget_waits()
        self.copies, self._kept = [], []
        self.leases.keep_all()
        self.leases.drop_pins()
        self.fenced_off = False

    # Starting

    def _start(self, command: Command, now_ns: int) -> bool:
        if command.op == Op.COPY:
            return self._start_copy(command, now_ns)
        refusal = self.refuses(command)
        if refusal is not None:
            command.response = refusal
            self._unpin(command)
            self._outbox.completions.append(command)
            return True
        # What writes first makes its own blocks equal on all legs, so it need not wait for that.
        reads = command.op not in FIRST_WRITES
        if self.repairs and reads and self.repairs.concern(command, self._span(command)):
            return False
        if command.op >= Op.WRITE or command.elsewhere:
            return self._start_exclusive(command, now_ns)
        self._commands[command] = None
        self._read(command, now_ns)
        return True

    def _start_copy(self, copy: Command, now_ns: int) -> bool:
        """Start a copy, unless a barrier has come since it was meant: then it ends, not done."""
        if copy.source in self._in_sync and set(copy.targets) <= set(self._used):
            return self._start_exclusive(copy, now_ns)
        copy.response = NO_ANSWER
        self._unpin(copy)
        self.copies.append(copy)
        return True

    def _start_exclusive(self, command: Command, now_ns: int) -> bool:
        span = self._span(command)
        for region in span:
            for other in self._writes.get(region, ()):
                if (
                    other.lba < command.lba + command.blocks
                    and command.lba < other.lba + other.blocks
                ):
                    return False
        # In ascending order, each kept while the next is waited for: so there is no deadlock.
        for region in span[command.pinned :]:
            if not self.leases.pin(region):
                return False
            command.pinned += 1
        self._commands[command] = None
        command.locked = True
        for region in span:
            self._writes.setdefault(region, []).append(command)
            if self._tracking and Op.WRITE <= command.op < Op.COPY:
                self._mark_dirty(region)
        if command.elsewhere:
            self._read_elsewhere(command, now_ns)
        elif command.op in FIRST_WRITES:
            self._write(command, self._used, now_ns)
        else:
            self._read(command, now_ns)
        return True

    def _span(self, command: Command) -> range:
        first = command.lba // self.region_blocks
        return range(first, (command.lba + command.blocks - 1) // self.region_blocks + 1)

    def _mark_dirty(self, region: int) -> None:
        for leg in self._tracking:
            self.dirty[leg].add(region)

    def _begin_dirty(self, leg: int) -> None:
        dirty = self.dirty[leg]
        dirty.update(self._writes)
        dirty.update(self.leases.mine)
        dirty.update(self.leases.theirs)
        dirty.update(self.repairs)

    # Phases

    def _finish(self, command: Command, now_ns: int) -> None:
        if self._writes and not command.locked and self._has_seen_a_write(command):
            return
        del self._commands[command]
        if command.locked:
            for region in self._span(command):
                writes = self._writes[region]
                writes.remove(command)
                if not writes:
                    del self._writes[region]
            self._unpin(command)
        self._deliver(command, now_ns)
        for reader in self._readers.pop(command, ()):
            reader.behind -= 1
            if not reader.behind:
                del self._commands[reader]
                self._deliver(reader, now_ns)
        if self._blocked:
            self.retry_blocked(now_ns)

    def _has_seen_a_write(self, read: Command) -> bool:
        """Let a read that overlaps writes under way wait for their ends, and tell whether it does.

        It may have seen what one leg has and another has not. If the leg is lost before the write
        is on the others, the engine may be too, and then nobody can tell what was seen.
        """
        for region in self._span(read):
            for write in self._writes.get(region, ()):
                apart = write.lba >= read.lba + read.blocks or read.lba >= write.lba + write.blocks
                if apart or not write.writing or write.op == Op.COPY:
                    continue
                readers = self._readers.setdefault(write, [])
                if read not in readers:
                    readers.append(read)
                    read.behind += 1
        return read.behind > 0

    def _wait_for_range(self, command: Command, now_ns: int) -> None:
        del self._commands[command]
        if self.held:
            self._held.append(command)
        elif not self._start(command, now_ns):
            self._blocked.append(command)

    def _note_failed_write(self, command: Command) -> None:
        """Other legs may have it: they lack what the leg has that they are copied from.

        The leases stay until that leg is dropped for it, so that the leader counts the regions too.
        """
        if len(self._used) == 1:
            return
        for region in self._span(command):
            self.leases.keep(region)
            self._kept.append(region)
            for leg in self._used:
                if leg not in self._in_sync:
                    self.dirty[leg].add(region)

    def _deliver(self, command: Command, now_ns: int) -> None:
        if command.op == Op.COPY:
            self.copies.append(command)
        elif command.answered:
            return
        elif now_ns > self.reads_until_ns and not self._is_written(command):
            self._unsure.append(command)
        else:
            self._outbox.completions.append(command)

    def _unpin(self, command: Command) -> None:
        span = self._span(command)[: command.pinned]
        command.pinned = 0
        for region in span:
            self.leases.unpin(region)

    # Failures

    def _give_up(self, command: Command) -> None:
        command.response = NO_ANSWER
        self._unpin(command)
        self._outbox.completions.append(command)

    def _answer_early(self, command: Command) -> None:
        command.response = NO_ANSWER
        self._outbox.completions.append(command)
        command.answered = True


def make_mirror(setup: UnitSetup, outbox: Outbox) -> Mirror:
    """Return the mirror of a unit."""
    return Mirror(
        setup.name,
        legs=setup.legs,
        blocks=setup.blocks,
        region_blocks=setup.region_blocks,
        lease_limit=setup.lease_limit,
        latency=LatencyWatch(len(setup.legs), slow_ns=setup.leg_slow_ns, limit=setup.leg_slow_s),
        outbox=outbox,
    )
