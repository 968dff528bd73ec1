"""A slow array delays every logical unit, and gets its own tables back whatever happened."""

import pytest

from fault_injectors import ArraySlow, FaultError
from fault_injectors.dm_table import delayed


@pytest.fixture
def slow(device_mapper):
    return ArraySlow(subject="B", devices=("b-lu0", "b-lu1"), delay_ms=1500).prepare(device_mapper)


def test_each_linear_target_becomes_a_delay():
    table = "0 8 linear 7:0 16\n8 8 linear 7:1 0"

    assert delayed(table, 900) == "0 8 delay 7:0 16 900\n8 8 delay 7:1 0 900"


def test_apply_delays_all_devices_and_heal_restores_their_tables(device_mapper, slow):
    before = dict(device_mapper.live)
    slow.apply(device_mapper)

    assert device_mapper.live["b-lu1"] == "0 65536 delay 7:1 8 1500"
    assert slow.probe(device_mapper).effective
    assert not slow.healed(device_mapper).effective
    slow.heal(device_mapper)
    assert before == device_mapper.live
    assert slow.healed(device_mapper).effective


def test_an_array_that_is_already_slow_is_refused(device_mapper, slow):
    slow.apply(device_mapper)

    with pytest.raises(FaultError, match="expected a linear target to break, seen '0 131072 d"):
        ArraySlow(subject="B", devices=("b-lu0",), delay_ms=5).prepare(device_mapper)


@pytest.mark.parametrize("verb", ["load", "suspend", "resume"])
def test_a_crash_at_any_step_of_apply_can_be_healed(device_mapper, slow, verb):
    before = dict(device_mapper.live)
    device_mapper.dies_at = verb
    with pytest.raises(KeyboardInterrupt):
        slow.apply(device_mapper)
    device_mapper.dies_at = ""

    slow.heal(device_mapper)

    assert before == device_mapper.live
    assert set() == device_mapper.suspended
    assert slow.healed(device_mapper).effective


def test_heal_of_a_fast_array_switches_no_table(device_mapper, slow):
    device_mapper.calls.clear()

    slow.heal(device_mapper)

    assert not [call for call in device_mapper.calls if "suspend " in call]


def test_a_suspended_device_is_not_healed(device_mapper, slow):
    device_mapper.suspended.add("b-lu0")

    assert not slow.healed(device_mapper).effective


def test_an_array_without_slow_devices_is_refused(device_mapper):
    with pytest.raises(FaultError, match="names no device-mapper device"):
        ArraySlow(subject="B", devices=(), delay_ms=5).prepare(device_mapper)
