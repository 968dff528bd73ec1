"""Whatever the shared memory holds, the ring gives entries inside of it or says RingError."""

import contextlib
import struct

import pytest
from fake_ring import CMDR_OFFSET, FakeKernel
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_router.ring import Entry, Ring, RingError

READ = bytes.fromhex("28000000000100000800")
RING_BYTES = 1024
HEAD_OFFSET = 12
SEGMENT_OFFSET = CMDR_OFFSET + 48
CDB_OFFSET_OFFSET = CMDR_OFFSET + 24
WORDS = st.sampled_from(
    (0, 1, 2, 5, 8, 15, 112, 113, 128, 1024, 4096, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
)
PLACES = st.one_of(
    st.integers(0, 79),  # mailbox
    st.integers(CMDR_OFFSET, CMDR_OFFSET + 260),  # the first two entries
    st.integers(CMDR_OFFSET, CMDR_OFFSET + RING_BYTES - 4),
)
MUTATIONS = st.lists(st.tuples(PLACES, st.one_of(WORDS, st.integers(0, 0xFFFFFFFF))), max_size=6)


Mutations = list[tuple[int, int]]


def filled() -> FakeKernel:
    """Return a ring with commands of no, one and three segments, and one of a kind not known."""
    kernel = FakeKernel(ring_bytes=RING_BYTES)
    kernel.queue(1, READ, ((0, 4096),))
    kernel.queue(2, READ, ((0, 512), (512, 512), (4096, 100)))
    kernel.queue(3, b"", opcode=2)
    kernel.queue(4, READ, opcode=5)
    kernel.queue(5, READ)
    return kernel


def mutate(memory: bytearray, mutations: Mutations) -> None:
    for place, word in mutations:
        struct.pack_into("<I", memory, place, word)


def check(entry: Entry, memory: bytearray) -> None:
    assert len(entry.cdb) == 16
    for start, length in entry.segments:
        assert CMDR_OFFSET <= start <= start + length <= len(memory)


def serve(kernel: FakeKernel, before: Mutations, between: Mutations) -> None:
    """Take all entries and answer them, with mutations of the memory before and between."""
    mutate(kernel.memory, before)
    ring = Ring(kernel.memory)
    entries = []
    for entry in ring.take():
        check(entry, kernel.memory)
        entries.append(entry)
        assert len(entries) <= RING_BYTES // 8
    mutate(kernel.memory, between)
    for entry in entries:
        ring.gather(entry, memoryview(bytearray(8192)))
        ring.scatter(entry, bytes(8192))
        ring.complete(entry, 2, bytes(18))
    list(ring.take())


@settings(max_examples=500, deadline=None)
@given(MUTATIONS, MUTATIONS)
def test_mutated_memory_is_served_or_refused(before, between):
    """It ends, with nothing but RingError, and never outside of the memory."""
    kernel = filled()
    size = len(kernel.memory)
    with contextlib.suppress(RingError):
        serve(kernel, before, between)

    assert len(kernel.memory) == size


@given(st.binary(max_size=400))
def test_any_memory_is_a_ring_or_refused(memory):
    """A right version and flags come first, so that more than they are looked at."""
    whole = bytearray(struct.pack("<HH", 2, 3) + memory)
    try:
        entries = list(Ring(whole).take())
    except RingError:
        return
    for entry in entries:
        assert all(start + length <= len(whole) for start, length in entry.segments)


def refusal(kernel: FakeKernel) -> str:
    with pytest.raises(RingError) as caught:
        list(Ring(kernel.memory).take())
    return str(caught.value)


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (CMDR_OFFSET, 8),  # the ring itself
        (CMDR_OFFSET + RING_BYTES + 8192, 1),
        (CMDR_OFFSET + RING_BYTES, 8193),
        ((1 << 64) - 8, 16),
    ],
)
def test_segment_outside_of_the_data_area_is_refused(start, length):
    kernel = filled()
    struct.pack_into("<QQ", kernel.memory, SEGMENT_OFFSET, start, length)

    assert f"command 1: {length} bytes at {start}: expected them in the data area" in refusal(
        kernel
    )


def test_segments_of_more_than_the_data_area_are_refused():
    kernel = FakeKernel(ring_bytes=RING_BYTES)
    kernel.queue(1, READ, ((0, 8192), (0, 8192)))

    assert "16384 bytes in all: expected at most the data area's 8192" in refusal(kernel)


@pytest.mark.parametrize("place", [0, 1 << 40, CMDR_OFFSET + RING_BYTES + 8192 - 8])
def test_cdb_outside_of_its_entry_is_refused(place):
    kernel = filled()
    struct.pack_into("<Q", kernel.memory, CDB_OFFSET_OFFSET, place)

    assert f"a CDB at {place}: expected both in the entry" in refusal(kernel)


def test_more_segments_than_the_entry_has_room_for_are_refused():
    kernel = filled()
    struct.pack_into("<I", kernel.memory, CMDR_OFFSET + 8, 0xFFFFFFFF)

    assert "4294967295 segments" in refusal(kernel)


def test_head_outside_of_the_ring_is_refused():
    kernel = filled()
    struct.pack_into("<I", kernel.memory, HEAD_OFFSET, RING_BYTES)

    assert refusal(kernel) == "ring head 1024: expected less than 1024"


def test_head_between_two_entries_ends_the_walk():
    """The walk would step over it and go round for ever."""
    kernel = filled()
    struct.pack_into("<I", kernel.memory, HEAD_OFFSET, 64)

    assert "entry length 128" in refusal(kernel)


def test_entry_too_short_for_an_answer_with_sense_is_refused():
    kernel = filled()
    struct.pack_into("<I", kernel.memory, CMDR_OFFSET, 64 | 1)

    assert "entry length 64 (word 0x41) at 0: expected 112 to" in refusal(kernel)


@pytest.mark.parametrize(("base", "size"), [(0, 1024), (128, 0), (128, 1 << 20), (1 << 30, 8)])
def test_ring_that_is_not_in_the_memory_is_refused(base, size):
    kernel = filled()
    struct.pack_into("<II", kernel.memory, 4, base, size)

    assert f"ring at {base} of {size} bytes" in refusal(kernel)


def test_memory_without_a_mailbox_is_refused():
    with pytest.raises(RingError, match="12 bytes of memory hold no mailbox"):
        Ring(bytearray(12))


def test_tail_is_this_side_s_own_whatever_the_memory_says():
    kernel = filled()
    ring = Ring(kernel.memory)
    entries = list(ring.take())
    kernel.set_tail(0xFFFFFFF0)

    for entry in entries:
        ring.complete(entry, 0)

    assert kernel.tail == kernel.head
