"""No block has two writes outstanding, the hot ones are rewritten, the whole unit is touched."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.ledger import BLOCK_BYTES, Ledger

MIB = 1 << 20


def make(hot: int = 4, cold: int = 12, size_bytes: int = MIB) -> Ledger:
    return Ledger(size_bytes, hot=hot, cold=cold, seed=1)


@given(st.lists(st.booleans(), max_size=200))
def test_no_block_is_taken_twice(steps: list[bool]) -> None:
    ledger = make()
    outstanding: list[int] = []
    for is_take in steps:
        if is_take:
            lba = ledger.take()
            assert lba not in outstanding
            if lba is not None:
                outstanding.append(lba)
        elif outstanding:
            ledger.give(outstanding.pop(0), acknowledged=True)


def test_hot_blocks_are_written_again_and_again() -> None:
    ledger = make()
    for _ in range(40):
        lba = ledger.take()
        assert lba is not None
        ledger.give(lba, acknowledged=True)

    assert len(ledger.written()) == 4


def test_cold_blocks_keep_a_stalled_probe_going() -> None:
    ledger = make()

    taken = [ledger.take() for _ in range(17)]

    assert len(set(taken[:16])) == 16
    assert taken[16] is None


def test_blocks_are_spread_over_the_unit() -> None:
    ledger = make()
    lbas = sorted(lba for _ in range(16) if (lba := ledger.take()) is not None)

    assert lbas == [index * MIB // 16 // 512 for index in range(16)]


def test_small_unit_has_fewer_blocks() -> None:
    ledger = make(size_bytes=3 * BLOCK_BYTES)

    assert (ledger.capacity, ledger.hot_blocks) == (3, 2)


def test_unit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="4096 bytes are too few"):
        make(size_bytes=BLOCK_BYTES)


def test_only_acknowledged_blocks_are_read() -> None:
    ledger = make()
    first, second = ledger.take(), ledger.take()
    assert first is not None
    assert second is not None
    ledger.give(first, acknowledged=False)
    ledger.give(second, acknowledged=True)

    assert ledger.choose(random.Random(1)) == second  # noqa: S311


def test_nothing_to_read_before_the_first_write() -> None:
    assert make().choose(random.Random(1)) is None  # noqa: S311
