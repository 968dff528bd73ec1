"""Nothing is written to a device that someone else uses or that holds a partition table."""

import pytest

from certify import safety
from certify.devices import MapDevice

MBR = bytearray(1024)
MBR[446:462] = bytes((0x80, 0, 0, 0, 0x83, 0, 0, 0)) + (2048).to_bytes(4, "little") + b"\0\x10\0\0"
MBR[510:512] = b"\x55\xaa"


def changed(data, at, value):
    """Return *data* with the bytes at *at* replaced."""
    return bytes(data[:at]) + value + bytes(data[at + len(value) :])


@pytest.mark.parametrize(
    ("start", "table"),
    [
        (bytes(1024), ""),
        (b"", ""),
        (bytes(MBR), "MBR"),
        (bytes(512) + b"EFI PART" + bytes(504), "GPT"),
        (changed(MBR, 510, b"\0\0"), ""),
        (changed(MBR, 446, b"\x37"), ""),
        (changed(MBR, 450, b"\0"), ""),
        (changed(bytes(1024), 510, b"\x55\xaa"), ""),
    ],
    ids=["blank", "nothing", "mbr", "gpt", "no signature", "strange flag", "no type", "by chance"],
)
def test_partition_tables_are_known(start, table):
    assert safety.partition_table(start) == table


@pytest.fixture
def device(lab, monkeypatch, tmp_path):
    monkeypatch.setattr(safety, "DEV", tmp_path)
    (tmp_path / "dm-0").write_bytes(bytes(4096))
    return MapDevice(unit=lab.logical_unit[0], name="mpatha", kernel_name="dm-0", size_bytes=4096)


def test_a_free_device_is_not_refused(device, sysfs):
    assert safety.refusals(device, sysfs=sysfs) == []


def test_a_device_with_holders_is_refused_by_their_names(device, sysfs):
    (sysfs / "block/dm-0/holders/dm-7").touch()

    assert safety.refusals(device, sysfs=sysfs) == ["lu0 (/dev/mapper/mpatha) is in use by dm-7"]


def test_a_partitioned_device_is_refused(device, sysfs, tmp_path):
    (tmp_path / "dm-0").write_bytes(bytes(MBR))

    (reason,) = safety.refusals(device, sysfs=sysfs)
    assert reason.endswith("holds a partition table (MBR)")


def test_a_device_that_cannot_be_claimed_is_refused(device, sysfs, tmp_path):
    (tmp_path / "dm-0").unlink()

    (reason,) = safety.refusals(device, sysfs=sysfs)
    assert "is mounted or claimed: No such file" in reason
