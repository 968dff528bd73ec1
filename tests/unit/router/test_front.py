"""The front answers what is no transfer at once, refuses what it cannot do, and kicks per batch."""

import pytest
from fake_ring import FakeKernel
from mirror_bench import make_mirror
from scsi_target import make_server

from reference_router.commands import Command, Outbox
from reference_router.front import Front, Token
from reference_router.messages import LegState
from reference_router.scsi import (
    COMMUNICATION_FAILURE,
    Op,
    Response,
    Status,
    check_condition,
)
from reference_router.service import ServiceRequest

WRITE_8 = bytes.fromhex("2a000000000000000800")
READ_8 = bytes.fromhex("28000000000000000800")
COMPARE_AND_WRITE_1 = bytes.fromhex("89000000000000000000000000010000")
VERIFY_8_BYTCHK = bytes.fromhex("2f020000000000000800")
WRITE_SAME_4 = bytes.fromhex("41000000000000000400")
WRITE_SAME_4_NDOB = bytes.fromhex("93010000000000000000000000040000")
RESERVE_6 = bytes.fromhex("160000000000")


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
        mirror = make_mirror(self.outbox, legs=("A",), blocks=131072, region_blocks=2048)
        mirror.commit((LegState.IN_SYNC,), 0)
        mirror.resume(0)
        self.asked: list[tuple[ServiceRequest, Token, int]] = []
        self.doubts = False
        self.front = Front(
            self.uio,
            make_server(),
            mirror,
            host="alpha",
            ask=lambda *what: self.asked.append(what),
            in_doubt=lambda: self.doubts,
        )

    def sense(self) -> tuple[int, int]:
        ((_, _, status, _, sense),) = self.kernel.responses()
        assert status == 2
        return sense[2], sense[12]

    def data(self, size: int) -> bytes:
        start = self.kernel.data_offset
        return bytes(self.kernel.memory[start : start + size])

    def put(self, data: bytes) -> None:
        """Lay out a command's data-out at the start of the data area."""
        start = self.kernel.data_offset
        self.kernel.memory[start : start + len(data)] = data

    def begun(self, cdb: bytes, size: int) -> Command:
        """Queue a command with that much data, and return what went to the mirror."""
        self.kernel.queue(1, cdb, ((0, size),))
        self.front.take(0)
        return self.outbox.leg_io[0].owner

    def filled(self, command: Command, size: int) -> bytes:
        into = bytearray(b"?" * size)
        command.token.fill(memoryview(into))
        return bytes(into)


def pattern(blocks: int) -> bytes:
    """Return blocks that all differ."""
    return b"".join(bytes((block,)) * 512 for block in range(1, blocks + 1))


def test_batch_of_answers_takes_one_kick():
    bench = Bench()
    for command_id in range(1, 6):
        bench.kernel.queue(command_id, bytes(6))

    bench.front.take(0)

    assert len(bench.kernel.responses()) == 5
    assert bench.uio.kicks == 1


def test_in_doubt_commands_wait_in_the_ring():
    bench = Bench()
    bench.kernel.queue(1, bytes(6))
    bench.doubts = True

    bench.front.take(0)
    assert bench.kernel.responses() == []

    bench.doubts = False
    bench.front.take(0)
    assert len(bench.kernel.responses()) == 1


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
    command = bench.begun(READ_8, 1000)

    bench.front.end(command.token.entry, None, bytes(range(256)) * 16)
    bench.front.kick()

    assert bench.kernel.responses()[0][1:4] == (0, 0, 0)
    assert bench.data(1000) == (bytes(range(256)) * 16)[:1000]
    assert bench.uio.kicks == 1


def test_command_goes_to_the_mirror_as_the_hosts_own():
    """Reservations are looked at again when it starts."""
    command = Bench().begun(WRITE_8, 4096)

    assert (command.op, command.lba, command.blocks, command.host) == (Op.WRITE, 0, 8, "alpha")


def test_failed_transfer_is_told_with_its_sense_and_counted():
    bench = Bench()
    command = bench.begun(READ_8, 4096)

    bench.front.end(command.token.entry, check_condition(COMMUNICATION_FAILURE), None)

    assert bench.sense() == (2, 0x08)
    assert bench.front.errors == 1
    assert bench.front.taken == 0


def test_what_must_be_agreed_on_is_asked_and_answered_later():
    bench = Bench()
    bench.kernel.queue(1, RESERVE_6)

    bench.front.take(7)

    ((request, token, now_ns),) = bench.asked
    assert (request.host, request.cdb[0], now_ns) == ("alpha", 0x16, 7)
    assert bench.kernel.responses() == []
    bench.front.end(token.entry, Response(Status.RESERVATION_CONFLICT), None)
    assert bench.kernel.responses()[0][:3] == (1, 0, 0x18)


# What is written


def test_write_is_what_the_host_sent():
    bench = Bench()
    bench.put(pattern(8))

    assert bench.filled(bench.begun(WRITE_8, 4096), 4096) == pattern(8)


def test_write_same_is_one_block_again_and_again():
    bench = Bench()
    bench.put(pattern(2))

    assert bench.filled(bench.begun(WRITE_SAME_4, 512), 2048) == pattern(1) * 4


def test_write_same_without_data_writes_zeros():
    """NDOB (SBC-3 5.44): there is no data-out buffer."""
    bench = Bench()

    assert bench.filled(bench.begun(WRITE_SAME_4_NDOB, 0), 2048) == bytes(2048)


def test_compare_and_write_writes_the_second_half_of_what_was_sent():
    bench = Bench()
    bench.put(pattern(2))

    assert bench.filled(bench.begun(COMPARE_AND_WRITE_1, 1024), 512) == pattern(2)[512:]


# What is compared


def test_equal_data_does_not_miscompare():
    bench = Bench()
    bench.put(pattern(8))

    assert bench.begun(VERIFY_8_BYTCHK, 4096).token.mismatch(memoryview(pattern(8))) is None


def test_miscompare_is_the_first_byte_that_differs():
    bench = Bench()
    bench.put(pattern(8))
    seen = bytearray(pattern(8))
    seen[700] ^= 1
    seen[900] ^= 1

    assert bench.begun(VERIFY_8_BYTCHK, 4096).token.mismatch(bytes(seen)) == 700


def test_compare_and_write_compares_with_the_first_half_of_what_was_sent():
    bench = Bench()
    bench.put(pattern(2))
    token = bench.begun(COMPARE_AND_WRITE_1, 1024).token

    assert token.mismatch(pattern(2)[:512]) is None
    assert token.mismatch(pattern(2)[512:]) == 0
