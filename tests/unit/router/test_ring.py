"""The ring keeps the kernel's rules: padding, wrap, any order of completion, nothing replayed.

Method: a fake kernel on plain memory that follows target_core_user.c checks every slot it gets
back, as the real one does.
"""

import pytest
from fake_ring import CMDR_OFFSET, OP_TASK_MANAGEMENT, FakeKernel
from hypothesis import given
from hypothesis import strategies as st

from reference_router.ring import Ring, RingError

READ = bytes.fromhex("28000000000100000800")


def test_command_is_taken_with_its_cdb_and_segments():
    kernel = FakeKernel()
    kernel.queue(7, READ, ((0, 4096), (4096, 100)))

    (entry,) = Ring(kernel.memory).take()

    assert (entry.command_id, entry.cdb[:10], entry.length_bytes) == (7, READ, 4196)
    assert not entry.bidirectional


def test_completion_carries_status_and_sense():
    kernel = FakeKernel()
    kernel.queue(7, READ)
    ring = Ring(kernel.memory)
    (entry,) = ring.take()

    ring.complete(entry, 2, b"\x70\x00\x05" + bytes(15))

    assert kernel.responses() == [(7, 0, 2, 0, b"\x70\x00\x05" + bytes(15))]
    assert ring.taken == 0


def test_short_data_in_is_told_by_its_length():
    kernel = FakeKernel()
    kernel.queue(7, READ, ((0, 255),))
    ring = Ring(kernel.memory)
    (entry,) = ring.take()

    ring.scatter(entry, b"abc")
    ring.complete(entry, 0, read_length=3)

    assert kernel.responses()[0][:4] == (7, 2, 0, 3)
    assert bytes(kernel.memory[kernel.data_offset : kernel.data_offset + 3]) == b"abc"


def test_length_is_not_told_to_a_kernel_that_does_not_know_it():
    kernel = FakeKernel(flags=1)
    kernel.queue(7, READ, ((0, 255),))
    ring = Ring(kernel.memory)
    (entry,) = ring.take()

    ring.complete(entry, 0, read_length=3)

    assert kernel.responses()[0][1] == 0


def test_data_out_is_gathered_over_segments():
    kernel = FakeKernel()
    kernel.memory[kernel.data_offset : kernel.data_offset + 4] = b"wxyz"
    kernel.queue(7, READ, ((2, 2), (0, 2)))
    ring = Ring(kernel.memory)
    (entry,) = ring.take()
    into = bytearray(4)

    copied = ring.gather(entry, memoryview(into))

    assert (copied, bytes(into)) == (4, b"yzwx")


def test_completions_may_come_in_any_order():
    kernel = FakeKernel()
    for command_id in (1, 2, 3):
        kernel.queue(command_id, READ)
    ring = Ring(kernel.memory)
    first, second, third = ring.take()

    for entry in (third, first, second):
        ring.complete(entry, 0)

    assert [response[0] for response in kernel.responses()] == [3, 1, 2]
    assert kernel.tail == kernel.head


def test_padding_at_the_end_is_given_back_with_the_wrap():
    kernel = FakeKernel(ring_bytes=320)
    ring = Ring(kernel.memory)
    for command_id in range(1, 9):
        assert kernel.queue(command_id, READ)
        (entry,) = ring.take()
        ring.complete(entry, 0)
        assert [command_id] == [response[0] for response in kernel.responses()]


def test_task_management_entries_are_given_back_unanswered():
    kernel = FakeKernel()
    kernel.queue(0, b"", opcode=OP_TASK_MANAGEMENT)
    ring = Ring(kernel.memory)

    assert list(ring.take()) == []

    assert kernel.tail == kernel.head
    assert kernel.responses() == []


def test_entry_of_an_unknown_kind_is_answered_as_unknown():
    kernel = FakeKernel()
    kernel.queue(9, READ, opcode=5)
    ring = Ring(kernel.memory)
    (entry,) = ring.take()
    assert entry.unknown

    ring.complete(entry, 2)

    assert kernel.responses()[0][:2] == (9, 1)


def test_bidirectional_command_is_marked():
    kernel = FakeKernel()
    kernel.queue(9, READ, ((0, 8),), bidirectional=1)

    (entry,) = Ring(kernel.memory).take()

    assert entry.bidirectional


def test_ring_that_was_not_reset_is_refused():
    """A restarted engine must not replay entries: it starts at tail 0 or not at all."""
    kernel = FakeKernel()
    kernel.set_tail(128)

    with pytest.raises(RingError, match="expected 0 after reset_ring"):
        Ring(kernel.memory)


def test_other_mailbox_version_is_refused():
    kernel = FakeKernel()
    kernel.memory[0] = 1

    with pytest.raises(RingError, match="version 1"):
        Ring(kernel.memory)


def test_kernel_without_out_of_order_completion_is_refused():
    with pytest.raises(RingError, match="out-of-order"):
        Ring(FakeKernel(flags=2).memory)


def test_entry_of_impossible_length_is_refused():
    kernel = FakeKernel()
    kernel.queue(1, READ)
    kernel.memory[CMDR_OFFSET : CMDR_OFFSET + 4] = bytes((1, 0, 0, 0))

    with pytest.raises(RingError, match="entry length 0"):
        list(Ring(kernel.memory).take())


def test_completing_more_than_was_taken_is_refused():
    kernel = FakeKernel()
    kernel.queue(1, READ)
    ring = Ring(kernel.memory)
    (entry,) = ring.take()
    ring.complete(entry, 0)

    with pytest.raises(RingError, match="none is outstanding"):
        ring.complete(entry, 0)


@given(st.data())
def test_every_command_is_answered_once_in_any_history(data):
    """Random queueing, taking and completing: each id comes back once, with its own status."""
    kernel = FakeKernel(ring_bytes=data.draw(st.sampled_from((320, 504, 1024, 2048))))
    ring = Ring(kernel.memory)
    kinds = st.sampled_from((1, 1, 1, 2, 6))
    open_entries, expected, seen, next_id = [], {}, {}, 1
    for _ in range(data.draw(st.integers(1, 40))):
        step = data.draw(st.sampled_from(("queue", "queue", "take", "complete", "clean")))
        if step == "queue":
            count = data.draw(st.integers(0, 5))
            kind = data.draw(kinds)
            if kernel.queue(next_id, READ, tuple((0, 8) for _ in range(count)), opcode=kind):
                next_id += 1
        elif step == "take":
            open_entries += ring.take()
        elif step == "complete" and open_entries:
            entry = open_entries.pop(data.draw(st.integers(0, len(open_entries) - 1)))
            expected[entry.command_id] = entry.command_id % 3
            ring.complete(entry, entry.command_id % 3)
        else:
            seen |= {response[0]: response[2] for response in kernel.responses()}
    open_entries += ring.take()
    for entry in open_entries:
        expected[entry.command_id] = 1
        ring.complete(entry, 1)
    seen |= {response[0]: response[2] for response in kernel.responses()}

    assert expected == seen
    assert kernel.known == set()
    assert kernel.tail == kernel.head
