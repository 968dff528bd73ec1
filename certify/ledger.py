"""Which blocks of a logical unit are written, and which may be written next.

Never two writes are outstanding on one block, so the versions of each block are totally ordered.
A small *hot* set is rewritten over and over, so that a lost or old version shows; during a long
stall, when every hot block has a write outstanding, the *cold* ones keep the probe going.

The blocks are spread evenly over the whole unit, so that every region of a mirror is touched.
"""

import random
from collections import deque
from collections.abc import Sequence
from typing import Protocol

SECTORS_PER_BLOCK = 8
BLOCK_BYTES = 4096


class Ledger:
    """The blocks of one logical unit; one thread takes blocks, another gives them back.

    `capacity` is the number of blocks, `hot_blocks` how many of them are hot; `lbas` are all of
    them, `hot` those that are.
    """

    def __init__(
        self, size_bytes: int, *, hot: int, cold: int, seed: int, owner: int = 0, owners: int = 1
    ) -> None:
        """Spread hot + cold blocks over *size_bytes*, fewer if the unit is small.

        Of *owners* that write to one unit, each has blocks of its own: number *owner* takes the
        block that lies so many blocks further.
        """
        available = size_bytes // BLOCK_BYTES // owners
        total = min(hot + cold, available)
        if total < 2:
            raise ValueError(f"{size_bytes} bytes are too few to write tagged blocks to")
        stride = available // total
        lbas = [(index * stride * owners + owner) * SECTORS_PER_BLOCK for index in range(total)]
        random.Random(seed).shuffle(lbas)  # noqa: S311 - the same order for the same seed
        hot_count = min(hot, total - 1)
        self.capacity = total
        self.hot_blocks = hot_count
        self.lbas = tuple(lbas)
        self.hot = self.lbas[:hot_count]
        self._hot = deque(self.hot)
        self._cold = deque(lbas[hot_count:])
        self._is_hot = frozenset(self._hot)
        self._written: list[int] = []
        self._known: set[int] = set()

    def take(self) -> int | None:
        """Return the LBA of a block with no write outstanding; None if there is none."""
        for free in (self._hot, self._cold):
            try:
                return free.popleft()
            except IndexError:
                continue
        return None

    def give(self, lba: int, *, acknowledged: bool) -> None:
        """Hand a block back once its write has ended."""
        if acknowledged and lba not in self._known:
            self._known.add(lba)
            self._written.append(lba)
        (self._hot if lba in self._is_hot else self._cold).append(lba)

    def written(self) -> list[int]:
        """Return the LBAs of all blocks with an acknowledged write, sorted."""
        return sorted(self._known)

    def choose(self, rng: random.Random) -> int | None:
        """Return the LBA of any block with an acknowledged write; None if there is none yet."""
        return self._written[rng.randrange(len(self._written))] if self._written else None


class Chooser(Protocol):
    """Knows blocks that can be read."""

    def choose(self, rng: random.Random) -> int | None:
        """Return the LBA of a block that was written; None if there is none yet."""
        ...


class Ledgers:
    """The blocks of several hosts on one logical unit, for whoever reads them all."""

    def __init__(self, ledgers: Sequence[Chooser]) -> None:
        self._ledgers = ledgers

    def choose(self, rng: random.Random) -> int | None:
        """Return the LBA of a block with an acknowledged write, of each host equally often."""
        first = rng.randrange(len(self._ledgers))
        for ledger in (*self._ledgers[first:], *self._ledgers[:first]):
            lba = ledger.choose(rng)
            if lba is not None:
                return lba
        return None
