"""Regions where legs in sync may differ, and what waits for them. Pure."""

from reference_router.commands import Command
from reference_router.leases import Leases
from reference_router.regions import RegionMap


class Repairs(RegionMap):
    """Nothing that a host reads comes from one of these regions before a copy made it equal.

    `copier` takes `demanded` and `unequal`, and does what is in them first.
    """

    def __init__(self, regions: int, leases: Leases) -> None:
        super().__init__(regions)
        self.demanded: dict[int, None] = {}
        """Regions that a command waits for."""
        self.unequal: dict[Command, None] = {}
        """Commands that wait for just their own blocks."""
        self.generation = 0
        """Counts barriers: blocks that were made equal before one may not be so after it."""
        self._leases = leases

    def concern(self, command: Command, span: range) -> bool:
        """Tell whether a command that reads in the regions of *span* has to wait, and note that.

        Its own blocks are enough, unless they are of two regions, which may have two read legs. A
        follower asks for the region's lease: that tells the leader, who copies.
        """
        lacking = [region for region in span if region in self]
        if not lacking or command.equal_at == self.generation:
            return False
        if len(span) == 1 and not self._leases.follows:
            self.unequal[command] = None
            return True
        for region in lacking:
            self.demanded[region] = None
            self._leases.want(region)
        return True

    def next_unequal(self) -> Command | None:
        """Return a command whose blocks are still to be made equal, and take it off the list."""
        while self.unequal:
            command = next(iter(self.unequal))
            del self.unequal[command]
            if command.equal_at != self.generation:
                return command
        return None

    def forget_waits(self) -> None:
        """Forget who waits: all commands were answered."""
        self.demanded, self.unequal = {}, {}
