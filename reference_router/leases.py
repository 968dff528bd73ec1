"""Leases: an engine's exclusive right to write in a region of one logical unit. Pure.

Both engines know who holds what, so a lease is also the record of where its holder may have writes
under way: the peer's memory is the write-intent log. Leases stick, so a region that stays hot
costs no message; the one used longest ago is given back when there are many.

An engine writes only in regions that it was told are its own (`Yours`), and the teller has noted
that before. Of two that want the same free region at once, the leader has it first.
"""

from collections.abc import Callable

from reference_router.commands import Outbox
from reference_router.messages import Given, Want, Yours


class Leases:
    """One engine's leases of one unit. Without a peer there are none, and all is allowed."""

    def __init__(self, unit: str, *, limit: int, outbox: Outbox) -> None:
        self.shared = False
        """Whether there is a peer to share with."""
        self.leads = False
        self.mine: dict[int, None] = {}
        """Regions that this engine holds, the one used longest ago first."""
        self.theirs: set[int] = set()
        self.on_given: Callable[[int], None] = lambda _: None
        """Told of each region before the peer gets it."""
        self._unit = unit
        self._limit = limit
        self._outbox = outbox
        self._wanted: set[int] = set()
        self._asked: set[int] = set()
        self._pins: dict[int, int] = {}

    def pin(self, region: int) -> bool:
        """Keep a region for a command; False if it is not to be had yet, and is asked for."""
        if self.shared:
            if region not in self.mine or region in self._asked:
                self.want(region)
                return False
            del self.mine[region]
            self.mine[region] = None
        self._pins[region] = self._pins.get(region, 0) + 1
        return True

    def keep(self, region: int) -> None:
        """Keep a region that a command keeps already for one more."""
        self._pins[region] += 1

    def unpin(self, region: int) -> bool:
        """Let a region go that a command kept; tell whether the peer has it now."""
        left = self._pins[region] - 1
        if left:
            self._pins[region] = left
            return False
        del self._pins[region]
        if region not in self._asked:
            return False
        self._give(region)
        return True

    def want(self, region: int) -> None:
        """Ask the peer for a region, once."""
        if self.shared and region not in self._wanted and region not in self.mine:
            self._wanted.add(region)
            self._outbox.messages.append(Want(self._unit, region))

    def asked_for(self, region: int) -> None:
        """Take the peer's wish: it gets the region at once, or when no command keeps it."""
        if region in self.mine:
            if region in self._pins:
                self._asked.add(region)
            else:
                self._give(region)
        elif region in self._wanted and self.leads:
            self._asked.add(region)
        else:
            self._give(region)

    def received(self, region: int, use: Callable[[], None]) -> None:
        """Take a region that the peer has given; `use` lets those that wait for it have it."""
        self._wanted.discard(region)
        self.theirs.discard(region)
        self.mine[region] = None
        asked = region in self._asked
        self._asked.discard(region)
        use()
        if asked:
            self.asked_for(region)
        self._trim()

    def given_back(self, region: int) -> None:
        """Note that the peer holds a region no more."""
        self.theirs.discard(region)

    def share(self, *, leads: bool) -> None:
        """Begin to share with a peer: nobody holds anything."""
        self._forget()
        self.shared, self.leads = True, leads

    @property
    def follows(self) -> bool:
        """Tell whether the peer leads, and copies are its to make."""
        return self.shared and not self.leads

    def keep_all(self) -> set[int]:
        """Go on without a peer; return where the peer may have writes under way."""
        theirs = self.theirs
        self._forget()
        self.shared = False
        return theirs

    def drop_pins(self) -> None:
        """Forget what commands kept: they are gone."""
        self._pins = {}

    def _forget(self) -> None:
        self.mine, self.theirs = {}, set()
        self._wanted, self._asked = set(), set()

    def _give(self, region: int) -> None:
        self.mine.pop(region, None)
        self._asked.discard(region)
        self.theirs.add(region)
        self.on_given(region)
        self._outbox.messages.append(Yours(self._unit, region))

    def _trim(self) -> None:
        if len(self.mine) <= self._limit:
            return
        for region in self.mine:
            if region not in self._pins and region not in self._asked:
                del self.mine[region]
                self._outbox.messages.append(Given(self._unit, region))
                return
