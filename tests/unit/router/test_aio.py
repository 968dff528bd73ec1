"""Asynchronous I/O moves the right bytes, ends every request once, and takes more than it holds."""

import errno
import os
import select
from pathlib import Path

import pytest

from reference_router.aio import AioContext, AioOp, BufferPool, Request


@pytest.fixture
def file_fd(tmp_path: Path):
    path = tmp_path / "leg"
    path.write_bytes(bytes(1 << 16))
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


@pytest.fixture
def context():
    made = AioContext(4)
    yield made
    made.close()


def reap(context: AioContext, count: int) -> dict[object, int]:
    ended: dict[object, int] = {}
    poller = select.poll()
    poller.register(context.event_fd, select.POLLIN)
    while len(ended) < count:
        assert poller.poll(5000), f"only {len(ended)} of {count} ended"
        for cookie, result in context.reap():
            assert cookie not in ended
            ended[cookie] = result
    return ended


def test_written_bytes_are_read_back(context, file_fd):
    pool = BufferPool()
    out, back = pool.get(4096), pool.get(4096)
    out.view[:4096] = bytes(range(256)) * 16

    context.submit([Request("w", file_fd, AioOp.WRITE, out.address, 4096, 8192)])
    assert reap(context, 1) == {"w": 4096}
    context.submit([Request("r", file_fd, AioOp.READ, back.address, 4096, 8192)])
    assert reap(context, 1) == {"r": 4096}

    assert back.view[:4096] == out.view[:4096]
    assert os.pread(file_fd, 4096, 8192) == bytes(out.view[:4096])


def test_more_requests_than_slots_all_end(context, file_fd):
    buffer = BufferPool().get(512)
    requests = [Request(n, file_fd, AioOp.WRITE, buffer.address, 512, n * 512) for n in range(50)]

    context.submit(requests)

    assert reap(context, 50) == dict.fromkeys(range(50), 512)


def test_request_that_the_kernel_refuses_ends_with_its_errno(context, file_fd):
    buffer = BufferPool().get(512)
    bad = Request("bad", -1, AioOp.READ, buffer.address, 512, 0)
    good = Request("good", file_fd, AioOp.READ, buffer.address, 512, 0)

    context.submit([bad, good, Request("worse", -1, AioOp.READ, buffer.address, 512, 0)])

    expected = {"bad": -errno.EBADF, "good": 512, "worse": -errno.EBADF}
    assert reap(context, 3) == expected


def test_read_past_the_end_is_short(context, file_fd):
    buffer = BufferPool().get(4096)

    context.submit([Request("r", file_fd, AioOp.READ, buffer.address, 4096, (1 << 16) - 512)])

    assert reap(context, 1) == {"r": 512}


@pytest.mark.parametrize(
    ("size", "room"), [(1, 4096), (4096, 4096), (4097, 8192), (1 << 20, 1 << 20)]
)
def test_buffer_has_room_and_is_aligned(size, room):
    buffer = BufferPool().get(size)

    assert len(buffer.view) == room
    assert buffer.address % 4096 == 0


def test_buffer_is_used_again():
    pool = BufferPool()
    first = pool.get(4096)
    pool.put(first)

    assert pool.get(4096) is first
    assert pool.get(4096) is not first
