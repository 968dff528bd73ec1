"""Blocks sent by asynchronous I/O arrive where they belong, and errors come back as numbers.

Method: real system calls on a temporary file; the whole of it is done before `reap` returns.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from certify.aio import AioError, AioQueue, Ended

BLOCK = 4096


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "device"
    path.write_bytes(bytes(8 * BLOCK))
    opened = os.open(path, os.O_RDWR)
    yield opened
    os.close(opened)


@pytest.fixture
def queue(descriptor: int) -> Iterator[AioQueue]:
    made = AioQueue(descriptor, depth=4, block_bytes=BLOCK)
    yield made
    made.close()


def test_block_written_is_the_block_read(queue: AioQueue) -> None:
    queue.write(0, 2 * BLOCK, b"z" * BLOCK)
    written = queue.reap(timeout_s=5.0)
    queue.read(3, 2 * BLOCK)

    assert written == [Ended(0, BLOCK)]
    assert queue.reap(timeout_s=5.0) == [Ended(3, BLOCK)]
    assert queue.data(3) == b"z" * BLOCK


def test_write_lands_at_its_offset(queue: AioQueue, descriptor: int) -> None:
    queue.write(1, 5 * BLOCK, b"a" * BLOCK)
    queue.reap(timeout_s=5.0)

    assert os.pread(descriptor, BLOCK, 5 * BLOCK) == b"a" * BLOCK
    assert os.pread(descriptor, BLOCK, 4 * BLOCK) == bytes(BLOCK)


def test_read_beyond_the_end_moves_nothing(queue: AioQueue) -> None:
    queue.read(0, 100 * BLOCK)

    assert queue.reap(timeout_s=5.0) == [Ended(0, 0)]


def test_nothing_outstanding_returns_after_the_timeout(queue: AioQueue) -> None:
    assert queue.reap(timeout_s=0.0) == []


def test_refused_request_names_the_call(tmp_path: Path) -> None:
    closed = os.open(tmp_path, os.O_RDONLY)
    queue = AioQueue(closed, depth=1, block_bytes=BLOCK)
    os.close(closed)

    with pytest.raises(AioError, match="io_submit") as refused:
        queue.read(0, 0)

    assert refused.value.errno == errno.EBADF
    queue.close()


def test_data_that_is_not_one_block_is_refused(queue: AioQueue) -> None:
    with pytest.raises(ValueError, match="5 bytes; a block has 4096"):
        queue.write(0, 0, b"short")
