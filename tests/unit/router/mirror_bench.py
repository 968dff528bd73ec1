"""One mirror without a shell: what it issues and answers is looked at, and ended, by the test."""

from reference_router.commands import Command, LegIo, Op, Outbox
from reference_router.latency import LatencyWatch
from reference_router.messages import LegState
from reference_router.mirror import Mirror
from reference_router.scsi import COMMUNICATION_FAILURE, Response, check_condition

IN_SYNC, RESYNCING, STALE = LegState.IN_SYNC, LegState.RESYNCING, LegState.STALE
NO_ANSWER = check_condition(COMMUNICATION_FAILURE)
LONG_NS = 1 << 60


def make_mirror(
    outbox: Outbox,
    *,
    legs: tuple[str, ...] = ("A", "B"),
    blocks: int = 64,
    region_blocks: int = 8,
    slow_ns: int = 0,
) -> Mirror:
    return Mirror(
        "lu0",
        legs=legs,
        blocks=blocks,
        region_blocks=region_blocks,
        lease_limit=8,
        latency=LatencyWatch(len(legs), slow_ns=slow_ns, limit=3),
        outbox=outbox,
    )


class Bench:
    """A mirror of 64 blocks in regions of 8, without a peer."""

    def __init__(self, *states: LegState, slow_ns: int = 0) -> None:
        self.outbox = Outbox()
        self.mirror = make_mirror(self.outbox, slow_ns=slow_ns)
        self.commit(*states)

    def commit(self, *states: LegState, now_ns: int = 0) -> None:
        self.mirror.commit(states, now_ns)
        self.mirror.resume(now_ns)

    def submit(self, op: Op, lba: int, blocks: int = 1, now_ns: int = 0) -> Command:
        command = Command(None, op, lba, blocks)
        self.mirror.submit(command, now_ns)
        return command

    def copy(self, region: int, source: int, *targets: int) -> Command:
        command = Command(None, Op.COPY, region * 8, 8)
        command.source, command.targets = source, targets
        self.mirror.submit(command, 0)
        return command

    def issued(self) -> list[tuple[int, bool, int, int]]:
        return [(io.leg, io.write, io.lba, io.blocks) for io in self.outbox.leg_io]

    def take(self) -> list[LegIo]:
        """Return what was issued; it is under way until the test ends it."""
        ios, self.outbox.leg_io[:] = list(self.outbox.leg_io), []
        return ios

    def end(self, error: int = 0, *, leg: int | None = None, now_ns: int = 0) -> None:
        for io in list(self.outbox.leg_io):
            if leg is None or io.leg == leg:
                self.outbox.leg_io.remove(io)
                self.mirror.leg_done(io, error, now_ns)

    def tick(self, now_ns: int, *, leg_ns: int = LONG_NS, command_ns: int = LONG_NS) -> None:
        self.mirror.tick(now_ns, leg_deadline_ns=leg_ns, command_deadline_ns=command_ns)

    def ended(self) -> list[tuple[Command, Response | None]]:
        return [(each, each.response) for each in self.outbox.completions]
