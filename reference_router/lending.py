"""Ring memory that leg I/O uses straight, without a copy, and when it may be given back. Pure.

A leg that hangs is dropped, and its I/O is abandoned, not ended: some day it still reads from the
memory of its command, or writes to it. The kernel gives that memory to other commands as soon as
the command is answered, unless the answer says that it is still in use (TCMU_UFLAG_KEEP_BUF of
tcmu_handle_completion() in Linux 6.1's drivers/target/target_core_user.c). Then it stays the
command's until user space frees it, or the ring is reset, which is after the death of its engine.
"""

from collections.abc import Sequence

SEGMENTS_MAX = 1024  # UIO_MAXIOV


class Loan:
    """The memory of one command, lent to its leg I/O. `segments` are (address, length) pairs."""

    __slots__ = ("answered", "segments", "size_bytes", "under_way")

    def __init__(self, segments: list[tuple[int, int]], size_bytes: int) -> None:
        self.segments = segments
        self.size_bytes = size_bytes
        """What counts against the lender's limit."""
        self.under_way: list[object] = []
        """I/O that uses it now."""
        self.answered = False

    def part(self, offset: int, size: int) -> list[tuple[int, int]]:
        """Return the segments of `size` bytes from `offset` on, which must be inside."""
        if offset == 0 and len(self.segments) == 1:
            return [(self.segments[0][0], size)]
        found: list[tuple[int, int]] = []
        for address, length in self.segments:
            if offset >= length:
                offset -= length
                continue
            part = min(length - offset, size)
            found.append((address + offset, part))
            size -= part
            offset = 0
            if not size:
                break
        return found


class Lender:
    """Lends the memory of one ring, half of it at most.

    What is kept for abandoned I/O is missing for new commands. So the other half is never kept, and
    a leg that hangs for good cannot hold up those that serve.
    """

    def __init__(self, *, base: int, limit_bytes: int) -> None:
        """`base` is the address of the ring's memory; with a limit of 0 nothing is lent."""
        self._base = base
        self._limit_bytes = limit_bytes
        self.lent_bytes = 0

    def lend(self, segments: Sequence[tuple[int, int]], size_bytes: int) -> Loan | None:
        """Lend `segments`, (offset, length) pairs, or not: then the data must be copied."""
        if self.lent_bytes + size_bytes > self._limit_bytes or len(segments) > SEGMENTS_MAX:
            return None
        self.lent_bytes += size_bytes
        base = self._base
        return Loan([(base + offset, length) for offset, length in segments], size_bytes)

    def take_back(self, loan: Loan) -> None:
        """Take a loan back that nothing uses any more."""
        self.lent_bytes -= loan.size_bytes
