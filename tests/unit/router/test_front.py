"""The front answers what is no transfer at once, refuses what it cannot do, and kicks per batch."""

import pytest
from fake_ring import FakeKernel
from test_device_server import make_server

from reference_router.front import Front
from reference_router.messages import LegState, UnitState
from reference_router.mirror import Mirror, Outbox

WRITE_8 = bytes.fromhex("2a000000000000000800")
READ_8 = bytes.fromhex("28000000000000000800")


class FakeUio:
    """A UIO device that counts its kicks."""

    fd = -1

    def __init__(self, memory: bytearray) -> None:
        self.memory = memory
        self.kicks = 0

    def kick(self) -> None:
        self.kicks += 1


class Bench:
    """A front over a fake kernel."""

    def __init__(self) -> None:
        self.kernel = FakeKernel(ring_bytes=4096)
        self.uio = FakeUio(self.kernel.memory)
        self.outbox = Outbox()
        mirror = Mirror("lu0", legs=("A",), blocks=131072, region_blocks=2048, outbox=self.outbox)
        mirror.commit(UnitState("lu0", 1, (LegState.IN_SYNC,)), 0)
        self.front = Front(self.uio, make_server(), mirror)

    def sense(self) -> tuple[int, int]:
        ((_, _, status, _, sense),) = self.kernel.responses()
        assert status == 2
        return sense[2], sense[12]

    def data(self, size: int) -> bytes:
        start = self.kernel.data_offset
        return bytes(self.kernel.memory[start : start + size])


def test_batch_of_answers_takes_one_kick():
    bench = Bench()
    for command_id in range(1, 6):
        bench.kernel.queue(command_id, bytes(6))

    bench.front.take(0)

    assert len(bench.kernel.responses()) == 5
    assert bench.uio.kicks == 1


def test_nothing_to_do_takes_no_kick():
    bench = Bench()

    bench.front.take(0)
    bench.front.kick()

    assert bench.uio.kicks == 0


@pytest.mark.parametrize("kind", [{"bidirectional": 1}, {"opcode": 4}])
def test_what_it_cannot_do_is_an_illegal_request(kind):
    bench = Bench()
    bench.kernel.queue(1, WRITE_8, ((0, 4096),), **kind)

    bench.front.take(0)

    assert bench.sense() == (5, 0x24)
    assert bench.outbox.leg_io == []


def test_write_with_less_data_than_it_says_is_refused():
    bench = Bench()
    bench.kernel.queue(1, WRITE_8, ((0, 4095),))

    bench.front.take(0)

    assert bench.sense() == (5, 0x24)


def test_short_data_in_is_told():
    bench = Bench()
    bench.kernel.queue(1, bytes.fromhex("120000002400"), ((0, 255),))

    bench.front.take(0)

    assert bench.kernel.responses()[0][1:4] == (2, 0, 36)
    assert bench.data(16)[8:16] == b"ZEROSTAL"


def test_no_data_in_leaves_zeros_and_not_another_commands_data():
    bench = Bench()
    start = bench.kernel.data_offset
    bench.kernel.memory[start : start + 8] = b"a secret"
    bench.kernel.queue(1, bytes.fromhex("120000000000"), ((0, 8),))

    bench.front.take(0)

    assert bench.data(8) == bytes(8)


def test_read_that_is_longer_than_its_buffer_gives_what_fits():
    bench = Bench()
    bench.kernel.queue(1, READ_8, ((0, 1000),))
    bench.front.take(0)
    (io,) = bench.outbox.leg_io
    _, entry = io.owner.token

    bench.front.finish(entry, data=bytes(range(256)) * 16)
    bench.front.kick()

    assert bench.kernel.responses()[0][1:4] == (0, 0, 0)
    assert bench.data(1000) == (bytes(range(256)) * 16)[:1000]
    assert bench.uio.kicks == 1
