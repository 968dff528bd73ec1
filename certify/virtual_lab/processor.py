"""Which of the host's processors a guest keeps to."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count


@contextmanager
def kept_for_a_guest(allowed: Iterable[int]) -> Iterator[int]:
    """Yield the processor of *allowed* that the fewest guests keep to, and count as one of them.

    Among equals it is the last one: much that is told nothing else runs on the first. The count
    is in names of abstract Unix sockets (unix(7)): two that ask at the same time get different
    ones, and a name goes with its process, however that ends.
    """
    with socket.socket(socket.AF_UNIX) as mark:
        yield _take(mark, sorted(allowed, reverse=True))


def _take(mark: socket.socket, processors: list[int]) -> int:
    for guests in count():
        for processor in processors:
            try:
                mark.bind(f"\0zerostall/processor/{processor}/guest/{guests}")
            except OSError:  # EADDRINUSE: another guest is that one
                continue
            return processor
    raise AssertionError("unreachable: count() does not end")
