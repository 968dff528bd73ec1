"""The first sector in which copies differ is found, wherever it is; equal copies are equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.compare import CHUNK_BYTES, Reader, comparable_units, first_difference
from certify.lab import Array, Engine, General, Host, Lab, Leg, PathEntry, Target

SIZE = 2 * CHUNK_BYTES + 4096


def reader_of(data: bytes) -> Reader:
    return lambda offset, length: data[offset : offset + length]


def test_equal_copies_are_equal() -> None:
    assert first_difference([reader_of(bytes(SIZE))] * 3, SIZE) is None


@given(at=st.integers(0, SIZE - 1), more=st.integers(0, SIZE - 1))
def test_first_differing_sector_is_found(at: int, more: int) -> None:
    other = bytearray(SIZE)
    other[at] = other[max(at, more)] = 1

    assert first_difference([reader_of(bytes(SIZE)), reader_of(bytes(other))], SIZE) == at // 512


def test_any_copy_may_be_the_odd_one() -> None:
    odd = bytes(SIZE - 1) + b"x"

    assert (
        first_difference([reader_of(bytes(SIZE)), reader_of(bytes(SIZE)), reader_of(odd)], SIZE)
        == (SIZE - 1) // 512
    )


@pytest.mark.parametrize(("wwids", "count"), [(("a", "b"), 2), (("a", ""), 0)])
def test_units_need_two_disks_to_be_compared(wwids: tuple[str, str], count: int) -> None:
    lab = Lab(
        schema=1,
        lab=General(name="l"),
        system_under_test=Target(name="t"),
        host=[Host(name="h")],
        logical_unit=[],
        path=[PathEntry(name="p", engine="e", hctl="*")],
        engine=[Engine(name="e")],
        array=[
            Array(name=name, leg=[Leg(logical_unit="lu0", inspect_wwid=wwid)])
            for name, wwid in zip("AB", wwids, strict=True)
        ],
    )

    assert len(comparable_units(lab).get("lu0", [])) == count
