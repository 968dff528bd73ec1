"""A reservation key says what it was told to say; no stranger's key is taken for the router's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_router.keys import EPOCH_MAX, MAGIC, Key, unpack

KEYS = st.builds(
    Key,
    engine=st.integers(1, 15),
    check=st.integers(0, 255),
    epoch=st.integers(0, EPOCH_MAX),
    clean=st.booleans(),
    holds=st.booleans(),
)


@given(KEYS)
def test_key_says_what_it_was_told(key):
    assert unpack(key.pack()) == key


@given(KEYS)
def test_key_fits_its_field_and_is_not_the_key_of_nobody(key):
    """SPC-4 6.16.3: 8 bytes; 0 takes a registration away."""
    assert 0 < key.pack() < 1 << 64


@given(st.integers(0, (1 << 64) - 1))
def test_key_without_the_magic_is_a_strangers(number):
    assert (unpack(number) is None) == (number >> 48 != MAGIC)


def test_key_is_laid_out_as_documented():
    """An operator reads it in the output of sg_persist."""
    assert Key(engine=2, check=0xAB, epoch=7).pack() == 0x5A53_2_0_AB_00000007


@pytest.mark.parametrize(("flags", "bits"), [({"clean": True}, 1), ({"holds": True}, 2)])
def test_flags_are_in_their_bits(flags, bits):
    assert Key(engine=1, check=0, epoch=0, **flags).pack() >> 40 & 0xF == bits
