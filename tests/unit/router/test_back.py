"""Leg I/O moves the right bytes, and no buffer is used again while an I/O of it is under way."""

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from mirror_bench import make_mirror

from reference_router.aio import AioOp, Buffer, Request
from reference_router.back import IN_FLIGHT_LIMIT, Back
from reference_router.commands import Command, LegIo, Op, Outbox
from reference_router.legs import Probe
from reference_router.ring import Entry

BLOCKS = 64
SIZE = BLOCKS * 512


class Token:
    """A command's data-out. Counts how often it was asked for."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.fills = 0
        self.entry = Entry(1, bytes(16), [])  # whose memory is not lent

    def fill(self, into: memoryview) -> None:
        self.fills += 1
        into[:] = self.data


class HeldAio:
    """Asynchronous I/O that ends when the test says so."""

    def __init__(self) -> None:
        self.event_fd = -1
        self.requests: list[Request] = []
        self.over: list[tuple[object, int]] = []

    def submit(self, requests: list[Request]) -> None:
        self.requests += requests

    def end(self, io: LegIo, result: int | None = None) -> None:
        request = next(each for each in self.requests if each.cookie is io)
        self.requests.remove(request)
        self.over.append((io, request.size_bytes if result is None else result))

    def reap(self) -> Iterator[tuple[object, int]]:
        over, self.over = self.over, []
        yield from over


class Bench:
    """A back with two legs, whose I/O is held."""

    def __init__(self) -> None:
        paths = {"lu0": {"A": "/absent/a", "B": "/absent/b"}}
        self.back = Back(paths, arrays=("A", "B"), sizes={"lu0": SIZE})
        self.back._aio.close()
        self.aio = self.back._aio = HeldAio()
        self.mirror = make_mirror(Outbox())

    def command(self, op: Op, data: bytes = b"") -> Command:
        return Command(Token(data), op, 0, 8)

    def start(
        self, owner: Command, leg: int, *, write: bool, lba: int = 0, blocks: int = 8
    ) -> LegIo:
        io = LegIo(self.mirror, leg, owner, write, lba, blocks)
        self.back.submit([io])
        return io

    def end(self, io: LegIo, result: int | None = None) -> int:
        self.aio.end(io, result)
        ((ended, error),) = self.back.ended()
        assert ended is io
        return error

    def free(self, buffer: Buffer) -> bool:
        """Tell whether the next I/O may get this buffer."""
        return any(buffer in each for each in self.back._pool._free.values())


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    os.close(made.back.control_fd)


def test_writes_of_a_command_share_what_the_host_sent(bench):
    command = bench.command(Op.WRITE, b"x" * 4096)

    ios = [bench.start(command, leg, write=True) for leg in (0, 1)]

    assert command.token.fills == 1
    assert ios[0].buffer is ios[1].buffer
    assert bytes(ios[0].buffer.view[:4096]) == b"x" * 4096
    assert [(each.op, each.size_bytes) for each in bench.aio.requests] == [(AioOp.WRITE, 4096)] * 2


def test_buffer_of_writes_is_free_when_the_last_one_has_ended(bench):
    command = bench.command(Op.WRITE, b"x" * 4096)
    first, last = (bench.start(command, leg, write=True) for leg in (0, 1))
    buffer = first.buffer

    bench.end(first)
    assert not bench.free(buffer)
    bench.end(last)

    assert bench.free(buffer)
    assert command.buffer is None


def test_abandoned_write_keeps_its_buffer_from_others_until_it_has_ended(bench):
    """A hung array may write it at any time: by then it must not be another command's data."""
    command = bench.command(Op.WRITE, b"x" * 4096)
    done, late = (bench.start(command, leg, write=True) for leg in (0, 1))
    late.abandoned = True
    bench.end(done)

    other = bench.start(bench.command(Op.WRITE, b"y" * 4096), 0, write=True)

    assert other.buffer is not late.buffer
    assert bytes(late.buffer.view[:4096]) == b"x" * 4096
    buffer = late.buffer
    bench.end(late, -5)
    assert bench.free(buffer)


def test_abandoned_read_keeps_its_buffer_from_others_until_it_has_ended(bench):
    """A hung array may fill it at any time: by then it must not be another command's answer."""
    command = bench.command(Op.READ)
    late = bench.start(command, 0, write=False)
    late.abandoned = True
    again = bench.start(command, 1, write=False)
    bench.end(again)
    bench.back.release(command)

    other = bench.start(bench.command(Op.READ), 1, write=False)

    assert other.buffer is again.buffer
    assert other.buffer is not late.buffer
    buffer = late.buffer
    bench.end(late)
    assert bench.free(buffer)
    assert command.pieces == []


def test_read_of_a_command_that_was_answered_meanwhile_is_thrown_away(bench):
    command = bench.command(Op.READ)
    io = bench.start(command, 0, write=False)
    command.answered = True
    buffer = io.buffer

    bench.end(io)

    assert (command.pieces, bench.free(buffer)) == ([], True)


def test_what_was_read_is_given_in_order_whatever_ended_first(bench):
    command = bench.command(Op.READ)
    first = bench.start(command, 0, write=False, lba=0, blocks=3)
    second = bench.start(command, 1, write=False, lba=3, blocks=5)
    first.buffer.view[:1536] = b"1" * 1536
    second.buffer.view[:2560] = b"2" * 2560

    bench.end(second)
    bench.end(first)

    assert bytes(bench.back.data(command)) == b"1" * 1536 + b"2" * 2560


def test_released_buffers_are_free_once(bench):
    command = bench.command(Op.READ)
    io = bench.start(command, 0, write=False)
    bench.end(io)

    bench.back.release(command)
    bench.back.release(command)

    free = [buffer for each in bench.back._pool._free.values() for buffer in each]
    assert free.count(io.buffer) == 1


def test_copy_writes_what_it_has_read(bench):
    copy = bench.command(Op.COPY)
    read = bench.start(copy, 0, write=False)
    read.buffer.view[:4096] = b"c" * 4096
    bench.end(read)

    write = bench.start(copy, 1, write=True)

    assert bytes(write.buffer.view[:4096]) == b"c" * 4096
    assert copy.token.fills == 0
    buffer = write.buffer
    bench.end(write)
    assert bench.free(buffer)


def test_command_that_reads_and_then_writes_writes_what_the_host_sent(bench):
    """COMPARE AND WRITE: what was read is given back before."""
    command = bench.command(Op.COMPARE_AND_WRITE, b"x" * 4096)
    read = bench.start(command, 0, write=False)
    bench.end(read)
    bench.back.release(command)

    write = bench.start(command, 0, write=True)

    assert bytes(write.buffer.view[:4096]) == b"x" * 4096


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(("result", "error"), [(4096, 0), (-61, 61), (512, 5), (0, 5)])
def test_short_transfer_is_an_error(bench, write, result, error):
    io = bench.start(bench.command(Op.READ, b"x" * 4096), 0, write=write)

    assert bench.end(io, result) == error


def test_real_legs_are_written_and_read(tmp_path: Path):
    """Regular files stand for block devices; sizes are those of the unit."""
    paths = {"A": tmp_path / "a", "B": tmp_path / "b"}
    for path in paths.values():
        path.write_bytes(bytes(SIZE))
    legs = {"lu0": {name: str(path) for name, path in paths.items()}}
    back = Back(legs, arrays=("A", "B"), sizes={"lu0": SIZE})
    if not all(probe.device.open() for probe in back.probes):
        pytest.skip("the folder for temporary files has no O_DIRECT")
    mirror = make_mirror(Outbox())
    command = Command(Token(b"w" * 4096), Op.WRITE, 8, 8)

    back.submit([LegIo(mirror, leg, command, True, 8, 8) for leg in (0, 1)])
    poller = select.poll()
    poller.register(back.event_fd, select.POLLIN)
    results: list[int | object] = []
    while len(results) < 2:
        assert poller.poll(5000)
        results += [result for cookie, result in back.ended() if not isinstance(cookie, Probe)]

    assert results == [0, 0]
    assert all(path.read_bytes()[4096:8192] == b"w" * 4096 for path in paths.values())
    for probe in back.probes:
        probe.device.close()
    os.close(back.control_fd)
    back._aio.close()


def full(bench: Bench, leg: int) -> list[LegIo]:
    """Give a leg as many reads as it may have under way."""
    return [bench.start(bench.command(Op.READ), leg, write=False) for _ in range(IN_FLIGHT_LIMIT)]


def test_leg_with_a_full_queue_gets_no_more_until_one_ends(bench):
    """io_submit() would block on a full queue, and the engine with it."""
    first, *_ = full(bench, 0)
    waits = bench.start(bench.command(Op.READ), 0, write=False)
    assert waits not in [each.cookie for each in bench.aio.requests]

    bench.end(first)

    assert waits in [each.cookie for each in bench.aio.requests]


def test_full_leg_holds_up_no_other(bench):
    full(bench, 0)

    other = bench.start(bench.command(Op.READ), 1, write=False)

    assert other in [each.cookie for each in bench.aio.requests]


def test_what_waits_for_a_leg_that_was_dropped_ends_without_being_started(bench):
    first, *_ = full(bench, 0)
    waits = bench.start(bench.command(Op.READ), 0, write=False)
    waits.abandoned = True

    bench.aio.end(first)

    assert [io for io, _ in bench.back.ended()] == [first, waits]
    assert waits not in [each.cookie for each in bench.aio.requests]


def test_copy_does_not_wait(bench):
    full(bench, 0)

    copy = bench.start(bench.command(Op.COPY), 0, write=False)

    assert copy in [each.cookie for each in bench.aio.requests]
