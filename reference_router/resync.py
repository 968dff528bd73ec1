"""Full resynchronisation of a leg, region by region, driven by the leader. Pure.

For each region: both engines hold host writes that touch it and drain those under way; the leader
copies it from a leg in sync; the writes go on. Writes elsewhere reach the target all the time, so
what was copied stays equal. This is where leases and dirty maps will come in: a lease is such a
hold that sticks, and a dirty map leaves regions out.
"""

from enum import Enum, auto

from reference_router.messages import HoldRegion, LegState, ReleaseRegion
from reference_router.mirror import Copy, Mirror, Outbox, errno_name


class _Phase(Enum):
    PACING = auto()
    HOLDING = auto()
    READING = auto()
    WRITING = auto()
    DONE = auto()


class Resync:
    """The copy of one logical unit to its RESYNCING legs."""

    def __init__(self, mirror: Mirror, outbox: Outbox, *, rate_bytes_per_s: int) -> None:
        self._mirror = mirror
        self._outbox = outbox
        self._targets = tuple(
            leg for leg, state in enumerate(mirror.states) if state is LegState.RESYNCING
        )
        self._pause_ns = mirror.region_blocks * 512 * 1_000_000_000 // rate_bytes_per_s
        self._phase = _Phase.PACING
        self._next_ns = 0
        self._region = 0
        self._copy = Copy(0, 0)
        self._peer_holds = False

    @property
    def done(self) -> bool:
        """Tell whether every region was copied."""
        return self._phase is _Phase.DONE

    @property
    def copied_regions(self) -> int:
        """Regions copied so far."""
        return self._region

    def region_held_by_peer(self, region: int) -> None:
        """Take the peer's word that no write of its own touches the region."""
        if region == self._region:
            self._peer_holds = True

    def step(self, now_ns: int, *, peer_joined: bool) -> None:
        """Go on as far as possible now. Not called while a barrier is under way."""
        if self._phase is _Phase.PACING and now_ns >= self._next_ns:
            self._hold(now_ns, peer_joined=peer_joined)
        if self._phase is _Phase.HOLDING and self._held(peer_joined=peer_joined):
            self._read(now_ns)
        elif self._phase in (_Phase.READING, _Phase.WRITING) and not self._copy.outstanding:
            self._copied(now_ns, peer_joined=peer_joined)

    def _hold(self, now_ns: int, *, peer_joined: bool) -> None:
        self._phase, self._peer_holds = _Phase.HOLDING, False
        self._mirror.held_region = self._region
        self._next_ns = now_ns + self._pause_ns
        if peer_joined:
            self._outbox.messages.append(HoldRegion(self._mirror.name, self._region))

    def _held(self, *, peer_joined: bool) -> bool:
        return self._mirror.region_drained() and (self._peer_holds or not peer_joined)

    def _read(self, now_ns: int) -> None:
        mirror = self._mirror
        lba = self._region * mirror.region_blocks
        self._copy = Copy(lba, min(mirror.region_blocks, mirror.blocks - lba))
        self._phase = _Phase.READING
        mirror.copy_io(self._copy, mirror.read_leg(lba), write=False, now_ns=now_ns)

    def _copied(self, now_ns: int, *, peer_joined: bool) -> None:
        mirror = self._mirror
        if self._copy.error is not None:
            leg, write, error = self._copy.error
            what = f"copy: {'write' if write else 'read'} of leg {mirror.legs[leg]}"
            for target in (leg,) if write else self._targets:
                mirror.suspect(target, f"{what}: {errno_name(error)}")
        elif self._phase is _Phase.READING:
            self._phase = _Phase.WRITING
            for target in self._targets:
                mirror.copy_io(self._copy, target, write=True, now_ns=now_ns)
        else:
            if peer_joined:
                self._outbox.messages.append(ReleaseRegion(mirror.name, self._region))
            mirror.release_region(now_ns)
            self._region += 1
            self._phase = _Phase.DONE if self._region == mirror.regions else _Phase.PACING
