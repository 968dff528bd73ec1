"""How the blocks of a logical unit are divided among the hosts that write to it.

Each host has blocks that it alone writes, and reads those of all. Where hosts are machines of their
own there are also *common* blocks, which all of them write: there the order of writes of different
hosts matters, and the judge looks whether there was one. All hosts make the same division from the
same few numbers, so none has to be told of a block.
"""

import random
from collections.abc import Sequence

import msgspec

from certify.ledger import Chooser, Ledger, Ledgers

HOT_BLOCKS = 256
"""Rewritten every few seconds at the usual rate."""
COLD_BLOCKS = 3840
"""With the hot ones enough for 20 s without an answer at 200 writes per second."""
OTHER_HOT_BLOCKS = 64
OTHER_COLD_BLOCKS = 960
"""Of each other host; enough for 20 s without an answer at 50 writes per second."""
COMMON_BLOCKS = 16
COMMON_EVERY = 4
"""Every so many writes of a host go to a common block: each is overwritten about twice a second."""


VERSIONS_PER_HOST = 1 << 28
"""That a host may write in one repeat: no two hosts ever write the same number."""


def first_version(ordinal: int, host: int) -> int:
    """Return the first version that a host may write in the repeat *ordinal* of a run."""
    return (ordinal << 32) + host * VERSIONS_PER_HOST + 1


class Division(msgspec.Struct, frozen=True, kw_only=True):
    """The division of a unit of *size_bytes* among *hosts*, the measuring one is number 0."""

    size_bytes: int
    seed: int
    hosts: int
    common: bool  # whether there are blocks that several hosts write

    def own(self, host: int) -> Ledger:
        """Return the blocks that one host alone writes."""
        return Ledger(
            self.size_bytes,
            hot=OTHER_HOT_BLOCKS if host else HOT_BLOCKS,
            cold=OTHER_COLD_BLOCKS if host else COLD_BLOCKS,
            seed=self.seed,
            owner=host,
            owners=self._owners,
        )

    def shared(self, host: int) -> Ledger:
        """Return the common blocks as one host uses them: each in an order of its own."""
        return Ledger(
            self.size_bytes,
            hot=COMMON_BLOCKS,
            cold=1,  # a ledger has one at least; it is taken when all others are under way
            seed=self.seed + host,
            owner=self.hosts,
            owners=self._owners,
        )

    def written_by(self, host: int) -> "Known":
        """Return the blocks that another host rewrites, for whoever cannot know what it wrote."""
        return Known(self.own(host).hot)

    @property
    def _owners(self) -> int:
        return self.hosts + self.common


class Known:
    """Blocks of which it is known only that another host writes them; to read."""

    def __init__(self, lbas: Sequence[int]) -> None:
        self._lbas = lbas

    def choose(self, rng: random.Random) -> int:
        """Return the LBA of any of them, whether it was written yet or not."""
        return self._lbas[rng.randrange(len(self._lbas))]


class WithCommon:
    """The blocks of a host, and every COMMON_EVERY-th time one that other hosts write as well."""

    def __init__(self, own: Ledger, common: Ledger) -> None:
        self._own = own
        self._common = common
        self._is_common = frozenset(common.lbas)
        self._taken = 0

    def take(self) -> int | None:
        """Return the LBA of a block with no write of this host outstanding; None without one."""
        self._taken += 1
        if self._taken % COMMON_EVERY == 0 and (lba := self._common.take()) is not None:
            return lba
        return self._own.take()

    def give(self, lba: int, *, acknowledged: bool) -> None:
        """Hand a block back once its write has ended."""
        ledger = self._common if lba in self._is_common else self._own
        ledger.give(lba, acknowledged=acknowledged)


def readable(division: Division, host: int, own: Sequence[Ledger]) -> Chooser:
    """Return what *host* reads: its *own* ledgers, and the blocks of all other hosts."""
    others = [division.written_by(one) for one in range(division.hosts) if one != host]
    return Ledgers([*own, *others])
