"""Nothing is written to a device that someone else uses or that holds a partition table."""

from dataclasses import replace

import msgspec
import pytest

from certify import devices, safety, signatures
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


SIZE = 1 << 20
MD = (0xA92B4EFC).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("at", "magic", "found"),
    [
        (1080, b"\x53\xef", "ext2/3/4 file system"),
        (0, b"XFSB", "XFS file system"),
        (65600, b"_BHRfS_M", "btrfs file system"),
        (3, b"NTFS    ", "NTFS file system"),
        (54, b"FAT16   ", "FAT file system"),
        (4086, b"SWAPSPACE2", "swap space"),
        (0, b"LUKS\xba\xbe", "LUKS volume"),
        (512, b"LABELONE" + bytes(16) + b"LVM2 001", "LVM physical volume"),
        (0, MD, "MD member"),
        (4096, MD, "MD member"),
        (SIZE - (64 << 10), MD, "MD member"),
        (SIZE - 8192, MD, "MD member"),
        (700, b"\x53\xef", ""),
        (SIZE - 4096, MD, ""),
    ],
)
def test_what_a_disk_holds_is_known_by_its_ends(at, magic, found):
    disk = changed(bytes(SIZE), at, magic)

    head, tail = disk[: signatures.HEAD_BYTES], disk[-signatures.TAIL_BYTES :]
    assert signatures.holds(head, tail, SIZE) == found


@pytest.mark.parametrize(
    ("label", "found"),
    [(b"hospital", 'ext2/3/4 file system labelled "hospital"'), (b"zerostall", "")],
)
def test_a_file_system_of_our_own_may_be_overwritten(label, found):
    disk = changed(changed(bytes(SIZE), 1080, b"\x53\xef"), 1024 + 0x78, label)

    assert signatures.holds(disk[: signatures.HEAD_BYTES], b"", SIZE) == found


def test_a_device_with_a_file_system_is_refused(device, sysfs, tmp_path):
    (tmp_path / "dm-0").write_bytes(b"XFSB" + bytes(4092))

    (reason,) = safety.refusals(device, sysfs=sysfs)
    assert reason.endswith("holds: XFS file system")


def test_a_mounted_device_is_refused_with_the_place(device, sysfs, monkeypatch, tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text("36 35 254:0 / /srv/his rw,noatime master:1 - ext4 /dev/mapper/mpatha rw\n")
    monkeypatch.setattr(safety, "MOUNTS", mounts)
    (sysfs / "block/dm-0/dev").write_text("254:0\n")

    assert "lu0 (/dev/mapper/mpatha) is mounted on /srv/his" in safety.refusals(device, sysfs=sysfs)


def test_a_device_used_for_swap_is_refused(device, sysfs, monkeypatch, tmp_path):
    swaps = tmp_path / "swaps"
    swaps.write_text(f"Filename Type Size Used Priority\n{tmp_path}/dm-0 partition 1 0 -2\n")
    monkeypatch.setattr(safety, "SWAPS", swaps)
    (sysfs / "block/dm-0/dev").write_text("254:0\n")

    assert "lu0 (/dev/mapper/mpatha) is used for swap" in safety.refusals(device, sysfs=sysfs)


def test_paths_of_one_size_are_right(lab, sysfs):
    assert safety.sizes(devices.resolve(lab, sysfs=sysfs)) == []


def test_a_path_of_another_size_is_refused(lab, sysfs):
    (sysfs / "class/scsi_device/3:0:1:0/device/block/sdc/size").write_text("2048\n")

    assert safety.sizes(devices.resolve(lab, sysfs=sysfs)) == [
        "path path2, lu0: expected 67,108,864 bytes, seen 1,048,576"
    ]


def test_a_map_of_another_size_is_refused(lab, sysfs):
    (sysfs / "block/dm-0/size").write_text("2048\n")

    (problem,) = safety.sizes(devices.resolve(lab, sysfs=sysfs))
    assert problem == "lu0 (/dev/mapper/mpatha): expected 67,108,864 bytes, seen 1,048,576"


def test_a_unit_of_another_size_than_the_file_says_is_refused(lab, sysfs):
    found = devices.resolve(lab, sysfs=sysfs)
    unit = msgspec.structs.replace(lab.logical_unit[0], size_bytes=512)
    paths = tuple(replace(one, unit=unit) for one in found.of_unit("lu0"))

    problems = safety.sizes(replace(found, paths=paths, maps=()))
    assert problems[0] == "path path1, lu0: expected 512 bytes, seen 67,108,864"


def test_a_device_that_cannot_be_claimed_is_refused(device, sysfs, tmp_path):
    (tmp_path / "dm-0").unlink()

    (reason,) = safety.refusals(device, sysfs=sysfs)
    assert "is mounted or claimed: No such file" in reason
