"""Arrays that hang, err, shrink, lag now and then, or are not ready; each is mended as it was."""

import pytest

from fault_injectors import (
    ArrayErrors,
    ArrayHang,
    ArrayShrunk,
    ArrayTail,
    ArrayTransition,
    ArrayWriteErrors,
    FaultError,
    MediaError,
)

DEVICES = ("b-lu0", "b-lu1")


@pytest.mark.parametrize(
    ("fault", "table"),
    [
        (ArrayErrors(subject="B", devices=DEVICES), "0 65536 error"),
        (
            ArrayWriteErrors(subject="B", devices=DEVICES),
            "0 65536 flakey 7:1 8 0 60 1 error_writes",
        ),
        (ArrayShrunk(subject="B", devices=DEVICES), "0 32768 linear 7:1 8"),
        (
            ArrayTail(subject="B", devices=DEVICES, delay_ms=5, stripes=1, per_mille=499),
            "0 32768 linear 7:1 8\n32768 32696 delay 7:1 32776 5\n65464 72 linear 7:1 65472",
        ),
    ],
)
def test_tables_are_broken_seen_and_given_back(device_mapper, fault, table):
    before = dict(device_mapper.live)
    prepared = fault.prepare(device_mapper)
    assert not prepared.probe(device_mapper).effective

    prepared.apply(device_mapper)
    assert device_mapper.live["b-lu1"] == table
    assert prepared.probe(device_mapper).effective

    prepared.heal(device_mapper)
    assert before == device_mapper.live
    assert prepared.healed(device_mapper).effective


def test_disks_are_asked_for_their_size_again_after_healing(device_mapper):
    rescan = "/sys/class/scsi_device/2:0:1:0/device/rescan"
    device_mapper.files[rescan] = ""
    fault = ArrayShrunk(subject="B", devices=DEVICES, hctl=("2:*",)).prepare(device_mapper)
    fault.apply(device_mapper)

    fault.heal(device_mapper)

    assert device_mapper.files[rescan] == "1\n"


def test_a_tail_slows_the_share_that_it_says(device_mapper):
    fault = ArrayTail(subject="B", devices=("b-lu0",), delay_ms=2000).prepare(device_mapper)

    slow = [line for line in fault.broken_tables()["b-lu0"].splitlines() if "delay" in line]
    share = sum(int(line.split()[1]) for line in slow) / 131072
    assert len(slow) == 64
    assert 0.005 < share <= 0.01


def test_a_device_too_small_for_its_parts_is_refused(device_mapper):
    device_mapper.live["b-lu0"] = "0 256 linear 7:0 0"

    with pytest.raises(FaultError, match="256 sectors are too few for 64 parts"):
        ArrayTail(subject="B", devices=("b-lu0",), delay_ms=1).prepare(device_mapper)


def test_a_hung_array_is_held_and_let_go(device_mapper):
    fault = ArrayHang(subject="B", devices=DEVICES).prepare(device_mapper)
    assert not fault.probe(device_mapper).effective

    fault.apply(device_mapper)
    assert device_mapper.suspended == set(DEVICES)
    assert fault.probe(device_mapper).effective
    assert not fault.healed(device_mapper).effective

    fault.heal(device_mapper)
    assert fault.healed(device_mapper).effective


def test_heal_of_an_array_that_does_not_hang_touches_nothing(device_mapper):
    fault = ArrayHang(subject="B", devices=DEVICES).prepare(device_mapper)

    fault.heal(device_mapper)

    assert not [call for call in device_mapper.calls if "resume" in call]


def test_an_array_that_hangs_already_is_refused(device_mapper):
    device_mapper.suspended.add("b-lu1")

    with pytest.raises(FaultError, match="b-lu1 suspended before the fault"):
        ArrayHang(subject="B", devices=DEVICES).prepare(device_mapper)


def media(device_mapper, *, has_dust, unreadable="8\n"):
    device_mapper.commands |= {
        "modprobe": lambda: (0 if has_dust else 1, ""),
        "sh": lambda: (0, unreadable),
    }
    fault = MediaError(subject="B", devices=("b-lu1",), lbas=(8, 24))
    return fault.prepare(device_mapper)


def test_bad_blocks_are_dust_where_the_kernel_has_it(device_mapper):
    fault = media(device_mapper, has_dust=True)

    fault.apply(device_mapper)

    assert device_mapper.live["b-lu1"].splitlines()[1] == "8 8 dust 7:1 16 4096"
    assert device_mapper.told[:2] == ["b-lu1 8 addbadblock 2", "b-lu1 8 enable"]
    assert fault.probe(device_mapper).effective


def test_bad_blocks_are_errors_elsewhere(device_mapper):
    fault = media(device_mapper, has_dust=False)

    fault.apply(device_mapper)

    assert device_mapper.live["b-lu1"].splitlines()[1] == "8 8 error"
    assert device_mapper.told == []


def test_blocks_that_can_be_read_are_no_media_error(device_mapper):
    fault = media(device_mapper, has_dust=True, unreadable="")
    fault.apply(device_mapper)

    assert not fault.probe(device_mapper).effective


def test_a_block_that_is_none_is_refused(device_mapper):
    with pytest.raises(FaultError, match=r"expected multiples of 8 as LBAs, seen \(4,\)"):
        MediaError(subject="B", devices=("b-lu1",), lbas=(4,)).prepare(device_mapper)


@pytest.fixture
def lio(device_mapper):
    for number, name in enumerate(DEVICES):
        folder = f"/sys/kernel/config/target/core/iblock_{number}/{name}"
        device_mapper.files[f"{folder}/info"] = (
            "Status: ACTIVATED  Max Queue Depth: 0  SectorSize: 512  HwMaxSectors: 248\n"
            f"        iBlock device: dm-{number}  UDEV PATH: /dev/dm-{number}  readonly: 0\n"
        )
        device_mapper.files[f"{folder}/alua/default_tg_pt_gp/alua_access_state"] = "0\n"
    return device_mapper


def states(lio):
    return [text for path, text in lio.files.items() if path.endswith("alua_access_state")]


def test_an_array_in_transition_is_seen_and_ended(lio):
    fault = ArrayTransition(subject="B", devices=DEVICES).prepare(lio)
    assert not fault.probe(lio).effective

    fault.apply(lio)
    assert states(lio) == ["15\n", "15\n"]
    assert fault.probe(lio).effective

    fault.heal(lio)
    assert states(lio) == ["0\n", "0\n"]
    assert fault.healed(lio).effective


def test_an_array_that_is_no_linux_target_is_refused(device_mapper):
    with pytest.raises(FaultError, match="no LIO iblock backstore is on b-lu0"):
        ArrayTransition(subject="B", devices=DEVICES).prepare(device_mapper)
