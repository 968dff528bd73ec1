"""A region map is a set of regions, whatever is done to it; it believes no text that is not one."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_router.regions import RegionMap, RegionMapError

REGIONS = st.integers(1, 40)


@st.composite
def maps(draw) -> tuple[RegionMap, set[int]]:
    """A map and the set that it should be, after a few changes."""
    regions = draw(REGIONS)
    made, model = RegionMap(regions), set()
    step = st.tuples(st.sampled_from(("add", "discard")), st.integers(0, regions - 1))
    for change, region in draw(st.lists(step, max_size=40)):
        getattr(made, change)(region)
        getattr(model, change)(region)
    return made, model


@given(maps())
def test_map_has_what_was_put_in_and_not_taken_out(drawn):
    made, model = drawn

    assert (list(made), len(made)) == (sorted(model), len(model))
    assert [region for region in range(made.regions) if region in made] == sorted(model)
    assert bool(made) == bool(model)


@given(maps(), st.integers(0, 39))
def test_first_is_the_next_one_going_round(drawn, start):
    made, model = drawn
    start %= made.regions
    behind = sorted(region for region in model if region >= start)

    assert made.first(start) == (behind or sorted(model) or [-1])[0]


@given(maps())
def test_map_survives_the_link(drawn):
    made, model = drawn
    other = RegionMap(made.regions, range(made.regions))

    other.load(made.dump())

    assert (list(other), len(other)) == (sorted(model), len(model))


@given(REGIONS)
def test_full_map_has_every_region_and_no_other(regions):
    made = RegionMap(regions)
    made.fill()
    assert list(made) == list(range(regions))
    assert len(made) == regions

    RegionMap(regions).load(made.dump())
    made.clear()

    assert (list(made), len(made)) == ([], 0)


@given(maps(), st.sets(st.integers(0, 39)))
def test_update_is_a_union(drawn, more):
    made, model = drawn
    more = {region % made.regions for region in more}

    made.update(more)

    assert set(made) == model | more
    assert len(made) == len(model | more)


def packed(bits: bytes) -> str:
    return base64.b64encode(zlib.compress(bits)).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("not base 64!", id="no base 64"),
        pytest.param("é", id="no ASCII"),
        pytest.param("AAAA", id="not deflated"),
        pytest.param(packed(b"\x01"), id="too short"),
        pytest.param(packed(b"\x01\x00\x00"), id="too long"),
        pytest.param(packed(bytes(1 << 20)), id="a bomb"),
        pytest.param(packed(b"\x00\x04"), id="a region behind the last"),
        pytest.param("", id="nothing"),
    ],
)
def test_text_that_is_no_map_of_ten_regions_changes_nothing(text):
    made = RegionMap(10, (3, 9))

    with pytest.raises(RegionMapError, match="region map"):
        made.load(text)

    assert list(made) == [3, 9]
