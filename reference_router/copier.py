"""Copies from leg to leg, driven by the leader: repair, read-repair and resync. Pure.

- Repair: regions where legs in sync may differ, since a write was under way when an engine died.
  Nothing that a host reads comes from such a region before its copy; what waits is served first,
  where possible by a copy of its own blocks only.
- Read-repair: a leg could not read a region that another could, so it is written anew.
- Resync: what a leg lacks, region by region, at a capped rate.

A copy is a command like a host's write: it holds the lease of its region, waits for writes under
way, and keeps others off until it has ended.
"""

import errno
from collections import deque
from typing import TYPE_CHECKING

from reference_router.commands import Command, Op
from reference_router.messages import Copied, LegState, Refresh
from reference_router.traffic import errno_name

if TYPE_CHECKING:
    from reference_router.unit import Unit

REPAIRED = -1
_REFRESHES_MAX = 256
_LEVELLED_MAX = 16


class Copier:
    """The copies of one logical unit, one at a time. `read_repairs` counts."""

    def __init__(self, unit: "Unit", *, rate_bytes_per_s: int) -> None:
        self.read_repairs = 0
        self.copied_regions = 0
        """Regions copied since the leg that is copied to came back."""
        self._unit = unit
        self._pause_ns = unit.mirror.region_blocks * 512 * 1_000_000_000 // rate_bytes_per_s
        self._next_ns = 0
        self._place = 0
        self._copy: Command | None = None
        self._kind = REPAIRED
        self._refreshing = False
        self._waiting: Command | None = None  # whose own blocks are being made equal
        self._levelled = 0  # of these, since a region was copied
        self._pieces: deque[tuple[int, int]] = deque()  # LBA and blocks of what is still to copy
        self._source = -1
        self._targets: tuple[int, ...] = ()
        self._bad: set[int] = set()  # legs that could not read the block under way

    @property
    def busy(self) -> bool:
        """Tell whether there is something to copy."""
        unit = self._unit
        return bool(
            self._copy or unit.mirror.repairs or unit.mirror.weak or self._target() is not None
        )

    def forget(self) -> None:
        """Forget the copy under way, and what has ended but was not counted yet.

        At a change of state: what was copied to a leg that is dropped now says nothing any more. It
        is copied again.
        """
        self._copy, self._refreshing, self._waiting = None, False, None
        self._pieces.clear()
        self._unit.mirror.copies.clear()

    def drive(self, now_ns: int) -> None:
        """As leader, go on. Not called while a barrier is under way."""
        for copy in self._collect():
            self._ended(copy, now_ns)
        if self._copy is None:
            self._begin(now_ns)

    def follow(self) -> None:
        """As follower, ask the leader to refresh what could not be read."""
        mirror = self._unit.mirror
        for region, leg in mirror.weak:
            self._unit.send(Refresh(self._unit.name, region, leg))
        mirror.weak.clear()
        mirror.copies.clear()

    def finished_leg(self) -> int | None:
        """Return a leg that is being copied to and lacks nothing any more, or None."""
        mirror = self._unit.mirror
        for leg, state in enumerate(mirror.states):
            if state is LegState.RESYNCING and not mirror.dirty[leg] and self._copy is None:
                return leg
        return None

    def demand(self, region: int) -> None:
        """Note that the follower wants to write in a region."""
        if region in self._unit.mirror.repairs:
            self._unit.mirror.repairs.demanded[region] = None

    def copied(self, message: Copied, now_ns: int) -> None:
        """As follower, take the leader's word that a region is equal now."""
        mirror = self._unit.mirror
        if message.leg == REPAIRED:
            mirror.repairs.discard(message.region)
            mirror.repairs.demanded.pop(message.region, None)
            mirror.retry_blocked(now_ns)
        else:
            mirror.dirty[message.leg].discard(message.region)

    def _collect(self) -> list[Command]:
        mirror = self._unit.mirror
        copies, mirror.copies = mirror.copies, []
        return copies

    def _target(self) -> int | None:
        mirror = self._unit.mirror
        for leg, state in enumerate(mirror.states):
            if state is LegState.RESYNCING and mirror.dirty[leg]:
                return leg
        return None

    # Beginning

    def _begin(self, now_ns: int) -> None:
        mirror = self._unit.mirror
        if mirror.repairs.demanded:
            region = next(iter(mirror.repairs.demanded))
            del mirror.repairs.demanded[region]
            if region in mirror.repairs:
                self._repair(region, now_ns)
                return
        if self._level(now_ns):
            return
        if mirror.weak:
            region, leg = next(iter(mirror.weak))
            del mirror.weak[region, leg]
            self._refresh(region, leg, now_ns)
        elif now_ns < self._next_ns:
            return
        elif mirror.repairs:
            self._place = mirror.repairs.first(self._place)
            self._repair(self._place, now_ns)
        elif (target := self._target()) is not None:
            self._place = mirror.dirty[target].first(self._place)
            lba = self._place * mirror.region_blocks
            self._start(self._place, mirror.read_leg(lba), (target,), target, now_ns)

    def _level(self, now_ns: int) -> bool:
        """Make equal just the blocks that a command waits for; tell whether there are any.

        A region takes far longer, and a host that reads all over the unit would wait for each of
        them. They get a turn now and then all the same, or there would be no end of it.
        """
        mirror = self._unit.mirror
        if self._levelled >= _LEVELLED_MAX and now_ns >= self._next_ns:
            self._levelled = 0
            return False
        self._waiting = mirror.repairs.next_unequal()
        if self._waiting is None:
            return False
        self._levelled += 1
        lba, blocks = self._waiting.lba, self._waiting.blocks
        source = mirror.read_leg(lba)
        self._submit(lba, blocks, source, self._others(source), now_ns)
        return True

    def _others(self, source: int) -> tuple[int, ...]:
        return tuple(leg for leg in self._unit.mirror.used if leg != source)

    def _repair(self, region: int, now_ns: int) -> None:
        source = self._unit.mirror.read_leg(region * self._unit.mirror.region_blocks)
        self._start(region, source, self._others(source), REPAIRED, now_ns)

    def _refresh(self, region: int, leg: int, now_ns: int) -> None:
        mirror = self._unit.mirror
        others = [each for each in mirror.in_sync if each != leg]
        if leg in mirror.in_sync and others:
            self._refreshing = True
            self._start(region, others[0], (leg,), REPAIRED, now_ns)

    def _start(
        self, region: int, source: int, targets: tuple[int, ...], kind: int, now_ns: int
    ) -> None:
        mirror = self._unit.mirror
        lba = region * mirror.region_blocks
        self._pieces = deque([(lba, min(mirror.region_blocks, mirror.blocks - lba))])
        self._source, self._targets, self._kind = source, targets, kind
        self._next_ns = now_ns + self._pause_ns
        self._next_piece(now_ns)

    def _next_piece(self, now_ns: int) -> None:
        self._bad.clear()
        self._submit(*self._pieces.popleft(), self._source, self._targets, now_ns)

    def _submit(
        self, lba: int, blocks: int, source: int, targets: tuple[int, ...], now_ns: int
    ) -> None:
        copy = Command(None, Op.COPY, lba, blocks)
        copy.source, copy.targets = source, targets
        self._copy = copy
        self._unit.mirror.submit(copy, now_ns)

    # Ending

    def _ended(self, copy: Command, now_ns: int) -> None:
        if copy is not self._copy:
            return
        self._copy = None
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._is_level(waiting, copy, now_ns)
        elif copy.failures:
            self._failed(copy, now_ns)
        elif copy.response is not None:
            self._pieces.clear()
            self._unit.mirror.retry_blocked(now_ns)  # who waits for the region asks again
        else:
            self._go_on(copy.lba // self._unit.mirror.region_blocks, now_ns)
        if self._copy is None:
            self._refreshing = False

    def _is_level(self, waiting: Command, copy: Command, now_ns: int) -> None:
        mirror = self._unit.mirror
        if copy.failures:  # what to do about them is known for a region
            mirror.repairs.demanded[copy.lba // mirror.region_blocks] = None
        elif copy.response is None:
            waiting.equal_at = mirror.repairs.generation
        mirror.retry_blocked(now_ns)

    def _go_on(self, region: int, now_ns: int) -> None:
        if self._pieces:
            self._next_piece(now_ns)
        elif self._refreshing:
            self.read_repairs += 1
            names = ", ".join(self._unit.mirror.legs[leg] for leg in self._targets)
            self._unit.note(f"region {region} was written anew on leg {names}")
        else:
            self._done(region, now_ns)

    def _done(self, region: int, now_ns: int) -> None:
        unit = self._unit
        self.copied_regions += 1
        message = Copied(unit.name, region, self._kind)
        self.copied(message, now_ns)
        if unit.shared:
            unit.send(message)

    def _failed(self, copy: Command, now_ns: int) -> None:
        """Drop what cannot be written. What its source cannot read is looked at block by block.

        A host may have read the rest from there, so only the blocks that the source cannot read
        come from another leg. One that no leg can read is given up: the host is told when it asks.
        """
        mirror = self._unit.mirror
        unreadable = [
            leg
            for leg, (write, error) in copy.failures.items()
            if not write and error == errno.ENODATA
        ]
        if unreadable and not self._refreshing:
            self._bad.update(unreadable)
            self._around_bad_block(copy, now_ns)
            return
        self._pieces.clear()
        for leg, (write, error) in copy.failures.items():
            if write:
                mirror.suspect(leg, f"copy: write: {errno_name(error)}")
            elif error != errno.ENODATA:
                mirror.suspect(leg, f"copy: read: {errno_name(error)}")
                if self._kind != REPAIRED and mirror.in_sync == (leg,):
                    mirror.suspect(self._kind, "its source cannot be read")

    def _around_bad_block(self, copy: Command, now_ns: int) -> None:
        mirror = self._unit.mirror
        others = [leg for leg in mirror.in_sync if leg not in self._bad]
        region = copy.lba // mirror.region_blocks
        if copy.blocks > 1:
            half = copy.blocks // 2
            self._pieces.appendleft((copy.lba + half, copy.blocks - half))
            self._pieces.appendleft((copy.lba, half))
            self._next_piece(now_ns)
        elif others:
            repairs = self._kind == REPAIRED
            targets = self._others(others[0]) if repairs else self._targets
            self._submit(copy.lba, 1, others[0], targets, now_ns)
        elif self._kind == REPAIRED:
            self._unit.note(f"block {copy.lba} cannot be read on any leg: not repaired")
            self._go_on(region, now_ns)
        else:
            self._pieces.clear()
            mirror.suspect(self._kind, "a medium error on the leg it is copied from")
