"""A sector tells its run, writer, version and place, and damage of every kind is told apart.

Reference for the checksum: RFC 7143, section 13.1 (CRC32C), check value of "123456789".
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.tags import (
    SECTOR_BYTES,
    Sector,
    SectorState,
    Tag,
    crc32c,
    decode,
    encode,
    format_sectors,
    observe,
    parse_sectors,
    run_number,
)

TAG = Tag(run=7, writer=1, seq=42, utc_ns=1, monotonic_ns=2)


def block(seq: int = 42, lba: int = 80, sectors: int = 8, run: int = 7) -> bytes:
    return encode(replace(TAG, seq=seq, run=run), lba, sectors)


def test_crc32c_has_the_published_check_value() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_crc32c_of_a_digest_test_vector_of_rfc_7143() -> None:
    assert crc32c(bytes(32)) == 0x8A9136AA


def test_fast_checksum_of_a_sector_is_its_crc32c() -> None:
    data = block(sectors=1)

    assert crc32c(data[:508]) == int.from_bytes(data[508:])


@given(seq=st.integers(0, 2**63 - 1), lba=st.integers(0, 2**40), sectors=st.integers(1, 9))
def test_what_was_written_is_recognised(seq: int, lba: int, sectors: int) -> None:
    data = encode(replace(TAG, seq=seq), lba, sectors)

    assert len(data) == sectors * SECTOR_BYTES
    assert observe(data, lba, run=7) == (seq, "")


@given(bit=st.integers(0, 8 * 512 - 1))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    """A bit of the version makes the body belong to another one: that is told as torn."""
    data = bytearray(block(sectors=1))
    data[bit // 8] ^= 1 << bit % 8

    seq, sectors = observe(bytes(data), 80, run=7)

    assert seq == -1
    assert parse_sectors(sectors)[0].state in {SectorState.CORRUPT, SectorState.TORN}


def test_block_of_another_place_is_misplaced() -> None:
    assert decode(block(lba=80, sectors=1), 88, run=7) == [
        Sector(state=SectorState.MISPLACED, seq=42, lba=80)
    ]


def test_swapped_sectors_within_a_block_are_misplaced() -> None:
    data = block(sectors=2)

    assert observe(data[512:] + data[:512], 80, run=7) == (
        -1,
        "misplaced:42@81,misplaced:42@80",
    )


def test_sectors_of_two_versions_are_reported_one_by_one() -> None:
    data = block(seq=42, sectors=1) + block(seq=41, sectors=2)[512:]

    assert observe(data, 80, run=7) == (-1, "42@80,41@81")


@pytest.mark.parametrize("cut", [96, 128, 256, 384])
def test_sector_of_two_versions_is_torn(cut: int) -> None:
    data = block(seq=42, sectors=1)[:cut] + block(seq=40, sectors=1)[cut:]

    assert decode(data, 80, run=7)[0].state is SectorState.TORN


def test_sector_of_another_run_is_foreign() -> None:
    assert decode(block(run=8, sectors=1), 80, run=7)[0].state is SectorState.FOREIGN


def test_unwritten_sector_is_zero() -> None:
    assert observe(bytes(1024), 80, run=7) == (-1, "zero,zero")


def test_same_header_is_never_followed_by_the_same_body_in_the_next_version() -> None:
    bodies = {block(seq=seq, sectors=1)[56:508] for seq in range(0, 256 * 100, 256)}

    assert len(bodies) == 100


@given(
    st.lists(
        st.builds(
            Sector,
            state=st.sampled_from([SectorState.VALID, SectorState.MISPLACED, SectorState.TORN]),
            seq=st.integers(0, 2**40),
            lba=st.integers(0, 2**40),
        ),
        min_size=1,
    )
)
def test_sectors_survive_being_written_as_text(sectors: list[Sector]) -> None:
    assert parse_sectors(format_sectors(sectors)) == sectors


def test_text_that_is_no_sector_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        parse_sectors("nonsense")


def test_runs_have_different_numbers() -> None:
    assert run_number("a") != run_number("b")
