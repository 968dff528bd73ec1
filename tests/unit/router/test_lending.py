"""Data goes straight between leg and ring, and no memory is given up while an I/O may use it."""

import os
from collections.abc import Iterator

import pytest
from fake_ring import FakeKernel
from mirror_bench import make_mirror
from scsi_target import make_server
from test_back import HeldAio

from reference_router.aio import AioContext, AioOp, BufferPool, Request
from reference_router.back import Back
from reference_router.commands import Command, LegIo, Outbox
from reference_router.front import Front
from reference_router.lending import SEGMENTS_MAX, Lender
from reference_router.messages import LegState
from reference_router.scsi import Status

READ_8 = bytes.fromhex("28000000000000000800")
WRITE_8 = bytes.fromhex("2a000000000000000800")
BASE = 1 << 40
KEEP = 0x4
CAN_KEEP = 3 | 8


class FakeUio:
    """A UIO device that notes, in order, what it is told."""

    fd = -1
    address = BASE

    def __init__(self, memory: bytearray) -> None:
        self.memory = memory
        self.told: list[int | str] = []

    def kick(self) -> None:
        self.told.append("kick")

    def free_kept(self, command_id: int) -> None:
        self.told.append(command_id)


class Bench:
    """A front over a fake kernel and a back whose I/O is held."""

    def __init__(self, *, flags: int = CAN_KEEP, data_bytes: int = 16384) -> None:
        self.kernel = FakeKernel(ring_bytes=4096, data_bytes=data_bytes, flags=flags)
        self.uio = FakeUio(self.kernel.memory)
        self.outbox = Outbox()
        self.mirror = make_mirror(self.outbox, legs=("A", "B"), blocks=131072, region_blocks=2048)
        self.mirror.commit((LegState.IN_SYNC,) * 2, 0)
        self.mirror.resume(0)
        for region in range(4):
            self.mirror.leases.mine[region] = None
        server = make_server()
        self.front = Front(self.uio, server, self.mirror, host="alpha", ask=lambda *_: None)
        paths = {"lu0": {"A": "/absent/a", "B": "/absent/b"}}
        self.back = Back(paths, arrays=("A", "B"), sizes={"lu0": 1 << 26})
        self.back._aio.close()
        self.aio = self.back._aio = HeldAio()

    def begun(self, cdb: bytes, *segments: tuple[int, int], command_id: int = 1) -> Command:
        self.kernel.queue(command_id, cdb, segments or ((0, 4096),))
        self.front.take(0)
        ios, self.outbox.leg_io = self.outbox.leg_io, []
        self.back.submit(ios)
        return ios[0].owner

    def again(self, io: LegIo) -> LegIo:
        """Read once more, as when the first leg was dropped."""
        io.abandoned = True
        other = LegIo(self.mirror, 1, io.owner, False, io.lba, io.blocks)
        self.back.submit([other])
        return other

    def end(self, io: LegIo) -> None:
        self.aio.end(io)
        list(self.back.ended())

    def answer(self, command: Command) -> tuple[int, int, int]:
        """Answer a read; return id, flags and status that the kernel sees."""
        size = command.blocks * 512
        self.front.end_read(command.token.entry, self.back.pieces(command), size)
        self.back.release(command)
        self.front.kick()
        ((command_id, uflags, status, _, _),) = self.kernel.responses()
        return command_id, uflags, status

    @property
    def ios(self) -> list[LegIo]:
        return [each.cookie for each in self.aio.requests]


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    os.close(made.back.control_fd)


# What is lent


def test_part_of_a_loan_spans_segments():
    loan = Lender(base=1000, limit_bytes=4096).lend([(0, 512), (2048, 1024), (8192, 512)], 2048)

    assert loan is not None
    assert loan.part(0, 512) == [(1000, 512)]
    assert loan.part(256, 512) == [(1256, 256), (3048, 256)]
    assert loan.part(512, 1536) == [(3048, 1024), (9192, 512)]


def test_no_more_is_lent_than_the_limit_until_it_comes_back():
    lender = Lender(base=0, limit_bytes=4096)
    loan = lender.lend([(0, 4096)], 4096)

    assert loan is not None
    assert lender.lend([(4096, 512)], 512) is None
    lender.take_back(loan)
    assert lender.lend([(4096, 512)], 512) is not None


def test_more_segments_than_the_kernel_takes_are_not_lent():
    lender = Lender(base=0, limit_bytes=1 << 30)

    assert lender.lend([(0, 1)] * (SEGMENTS_MAX + 1), SEGMENTS_MAX + 1) is None


# Straight


@pytest.mark.parametrize("cdb", [READ_8, WRITE_8], ids=["read", "write"])
def test_transfer_goes_straight_from_or_to_the_ring(bench, cdb):
    bench.begun(cdb, (0, 2048), (8192, 2048))

    start = BASE + bench.kernel.data_offset
    for request in bench.aio.requests:
        assert request.segments == [(start, 2048), (start + 8192, 2048)]


def test_each_region_s_piece_is_read_to_its_place(bench):
    bench.begun(bytes.fromhex("28000000") + (2044).to_bytes(2, "big") + bytes.fromhex("00000800"))

    start = BASE + bench.kernel.data_offset
    parts = [each.segments for each in bench.aio.requests]
    assert parts == [[(start, 2048)], [(start + 2048, 2048)]]


@pytest.mark.parametrize(
    ("flags", "size"), [(3, 4096), (CAN_KEEP, 2048)], ids=["old kernel", "short buffer"]
)
def test_what_cannot_be_lent_is_copied(flags, size):
    bench = Bench(flags=flags)
    command = bench.begun(READ_8, (0, size))
    (io,) = bench.ios
    assert bench.aio.requests[0].segments is None
    io.buffer.view[:4096] = b"x" * 4096
    bench.end(io)

    bench.answer(command)

    start = bench.kernel.data_offset
    assert bench.kernel.memory[start : start + size] == b"x" * size
    os.close(bench.back.control_fd)


def test_half_of_the_memory_is_never_lent(bench):
    for number in range(3):
        bench.begun(READ_8, (number * 4096, 4096), command_id=number + 1)

    assert [each.segments is None for each in bench.aio.requests] == [False, False, True]


# Kept


def test_ended_transfer_gives_its_memory_back_with_the_answer(bench):
    command = bench.begun(READ_8)
    bench.end(bench.ios[0])

    assert bench.answer(command) == (1, 0, Status.GOOD)
    assert bench.uio.told == ["kick"]
    assert bench.begun(READ_8, (0, 8192), command_id=2).token.entry.loan is not None


def test_abandoned_write_keeps_its_memory_until_it_has_ended(bench):
    command = bench.begun(WRITE_8)
    late, done = bench.ios
    late.abandoned = True
    bench.end(done)
    bench.front.end(command.token.entry, None, None)
    bench.front.kick()
    assert bench.kernel.responses()[0][:3] == (1, KEEP, Status.GOOD)
    assert bench.uio.told == ["kick"]

    bench.end(late)
    bench.front.kick()

    assert bench.uio.told == ["kick", 1]


def test_read_whose_first_leg_may_still_answer_is_asked_for_again(bench):
    """What a late answer leaves in the memory is not known; elsewhere the host gets its data."""
    command = bench.begun(READ_8)
    (late,) = bench.ios
    again = bench.again(late)
    assert bench.aio.requests[-1].segments is None
    bench.end(again)

    assert bench.answer(command) == (1, KEEP, Status.BUSY)

    bench.end(late)
    bench.front.kick()
    assert bench.uio.told == ["kick", 1]


def test_read_whose_first_leg_has_ended_meanwhile_gets_the_other_s_data(bench):
    command = bench.begun(READ_8)
    (late,) = bench.ios
    again = bench.again(late)
    again.buffer.view[:4096] = b"b" * 4096
    bench.end(late)
    bench.end(again)

    assert bench.answer(command) == (1, 0, Status.GOOD)
    start = bench.kernel.data_offset
    assert bench.kernel.memory[start : start + 4096] == b"b" * 4096


# By the kernel


def test_segments_are_read_and_written_in_turn(tmp_path):
    context, buffer = AioContext(4), BufferPool().get(8192)
    fd = os.open(tmp_path / "leg", os.O_RDWR | os.O_CREAT)
    buffer.view[:8192] = b"a" * 4096 + b"b" * 4096
    swapped = [(buffer.address + 4096, 4096), (buffer.address, 4096)]
    ended: list[tuple[object, int]] = []

    context.submit([Request("w", fd, AioOp.WRITE, 0, 8192, 0, swapped)])
    while not ended:
        ended += context.reap()

    assert ended == [("w", 8192)]
    assert os.pread(fd, 8192, 0) == b"b" * 4096 + b"a" * 4096
    os.close(fd)
    context.close()
