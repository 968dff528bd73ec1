"""What a probe sends next, and what it makes of the answer. No I/O of its own."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from certify.ledger import SECTORS_PER_BLOCK, Chooser
from certify.tags import SECTOR_BYTES, Tag, encode, observe

NO_TAG = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One block to write or to read."""

    op: str  # "write" or "read"
    lba: int  # in 512-byte sectors
    data: bytes | None = None  # of a write
    tag: int = NO_TAG  # of a write

    @property
    def offset_bytes(self) -> int:
        """Where the block begins on the device."""
        return self.lba * SECTOR_BYTES


class Workload(Protocol):
    """A stream of requests, one block each."""

    op: ClassVar[str]

    def next(self) -> Request | None:
        """Return what to send now; None if nothing can be sent."""
        ...

    def ended(self, request: Request, *, good: bool, data: bytes) -> tuple[int, str]:
        """Take note of the end of a request; return the `tag` and `sectors` of its record."""
        ...


class Blocks(Protocol):
    """Blocks to write; certify.ledger.Ledger is one."""

    def take(self) -> int | None:
        """Return the LBA of a block with no write outstanding; None if there is none."""
        ...

    def give(self, lba: int, *, acknowledged: bool) -> None:
        """Hand a block back once its write has ended."""
        ...


class TaggedWrites:
    """Writes tagged blocks, each with a version of its own, ascending from *first_seq*."""

    op: ClassVar[str] = "write"

    def __init__(
        self,
        ledger: Blocks,
        *,
        run: int,
        writer: int,
        first_seq: int,
        clock: Callable[[], int] = time.monotonic_ns,
        utc: Callable[[], int] = time.time_ns,
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._writer = writer
        self._seq = first_seq
        self._clock = clock
        self._utc = utc

    def next(self) -> Request | None:
        """Return a write to a block that has none outstanding."""
        lba = self._ledger.take()
        if lba is None:
            return None
        seq = self._seq
        self._seq += 1
        tag = Tag(
            run=self._run,
            writer=self._writer,
            seq=seq,
            utc_ns=self._utc(),
            monotonic_ns=self._clock(),
        )
        return Request(op="write", lba=lba, data=encode(tag, lba, SECTORS_PER_BLOCK), tag=seq)

    def ended(self, request: Request, *, good: bool, data: bytes) -> tuple[int, str]:
        """Free the block for the next write."""
        self._ledger.give(request.lba, acknowledged=good)
        return request.tag, ""


class TaggedReads:
    """Reads blocks that were written, and reports the versions that came back."""

    op: ClassVar[str] = "read"

    def __init__(self, ledger: Chooser, *, run: int, seed: int) -> None:
        self._ledger = ledger
        self._run = run
        self._rng = random.Random(seed)  # noqa: S311 - the same order for the same seed

    def next(self) -> Request | None:
        """Return a read of any block with an acknowledged write."""
        lba = self._ledger.choose(self._rng)
        return None if lba is None else Request(op="read", lba=lba)

    def ended(self, request: Request, *, good: bool, data: bytes) -> tuple[int, str]:
        """Decode what was read; the judge knows what should have been."""
        return observe(data, request.lba, run=self._run) if good else (NO_TAG, "")


class PlainReads:
    """Reads *blocks* blocks of a device round and round; nobody looks at the data."""

    op: ClassVar[str] = "read"

    def __init__(self, *, blocks: int) -> None:
        self._blocks = blocks
        self._at = 0

    def next(self) -> Request | None:
        """Return a read of the next block."""
        lba = self._at * SECTORS_PER_BLOCK
        self._at = (self._at + 1) % self._blocks
        return Request(op="read", lba=lba)

    def ended(self, request: Request, *, good: bool, data: bytes) -> tuple[int, str]:
        """Return that there is nothing to say."""
        return NO_TAG, ""
