"""Tables are cut into spans without losing or moving a sector."""

import pytest

from fault_injectors import FaultError
from fault_injectors.dm_table import sectors, shortened, summary, with_spans

TWO = "0 16 linear 7:0 0\n16 48 linear 7:1 8"


def error(_device, _offset):
    return "error"


def test_a_span_in_the_middle_leaves_both_sides():
    assert with_spans("0 64 linear 7:1 8", [(16, 8)], error) == (
        "0 16 linear 7:1 8\n16 8 error\n24 40 linear 7:1 32"
    )


def test_a_span_over_two_targets_is_told_each_device_and_offset():
    broken = with_spans(TWO, [(8, 16)], lambda device, offset: f"x {device} {offset}")

    assert broken == "0 8 linear 7:0 0\n8 8 x 7:0 8\n16 8 x 7:1 8\n24 40 linear 7:1 16"
    assert sectors(broken) == sectors(TWO)


def test_the_whole_table_can_be_one_span():
    assert with_spans(TWO, [(0, 64)], error) == "0 16 error\n16 48 error"


def test_a_span_beyond_the_end_is_refused():
    with pytest.raises(FaultError, match=r"span \(60, 8\) ends beyond the 64 sectors"):
        with_spans(TWO, [(60, 8)], error)


def test_a_table_that_is_not_linear_is_refused():
    with pytest.raises(FaultError, match="expected a linear target to break, seen '0 8 error'"):
        with_spans("0 8 error", [(0, 8)], error)


@pytest.mark.parametrize(
    ("length", "table"),
    [(8, "0 8 linear 7:0 0"), (24, "0 16 linear 7:0 0\n16 8 linear 7:1 8")],
)
def test_a_table_can_lose_its_end(length, table):
    assert shortened(TWO, length) == table


@pytest.mark.parametrize("length", [0, 64, 65])
def test_a_table_keeps_some_and_loses_some(length):
    with pytest.raises(FaultError, match="expected 1 to 63 sectors to keep"):
        shortened(TWO, length)


def test_a_long_table_is_told_in_short():
    assert summary("\n".join(f"{n} 1 error" for n in range(6))).endswith("3 1 error / and 2 more")
