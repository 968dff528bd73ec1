"""The lab's names become devices by WWID, and what does not fit is told line by line."""

import pytest

from certify import devices
from certify.lab import LabError


def test_everything_is_found(lab, sysfs):
    found = devices.resolve(lab, sysfs=sysfs)

    assert [(one.path, one.unit.name, one.disk.sd) for one in found.paths] == [
        ("path1", "lu0", "sda"),
        ("path1", "lu1", "sdb"),
        ("path2", "lu0", "sdc"),
        ("path2", "lu1", "sdd"),
    ]
    assert found.map_of("lu1").device == "/dev/mapper/mpathb"
    assert found.control.sg_device == "/dev/sg4"
    assert [one.engine for one in found.of_unit("lu0")] == ["engine1", "engine2"]
    assert (found.paths[0].disk.size_bytes, found.paths[0].disk.block_bytes) == (64 << 20, 512)


def test_a_disk_of_another_unit_is_not_taken(lab, sysfs, tmp_path):
    page = sysfs / "class/scsi_device/2:0:1:0/device/vpd_pg83"
    page.write_bytes(page.read_bytes()[:-1] + b"\x09")

    with pytest.raises(LabError, match=r"found 0; 2:0:1:0 is 36.*09, 2:0:1:1 is 36.*02") as caught:
        devices.resolve(lab, sysfs=sysfs)
    assert "path path1: expected one disk of logical unit lu0" in str(caught.value)


def test_all_that_is_missing_is_told_at_once(lab, tmp_path):
    with pytest.raises(LabError) as caught:
        devices.resolve(lab, sysfs=tmp_path)

    lines = str(caught.value).splitlines()
    assert len(lines) == 4 + 2 + 1
    assert "control disk: no disk of 36000000000e500000000000000000003" in lines
    assert "logical unit lu0: no multipath device of 36000000000e500000000000000000001" in lines


def test_what_is_there_is_returned_beside_the_problems(lab, sysfs):
    (sysfs / "class/scsi_device/3:0:1:0/device/vpd_pg83").unlink()
    problems = []

    found = devices.resolve_found(lab, problems, sysfs=sysfs)

    assert len(found.paths) == 3
    assert len(problems) == 1
    assert "3:0:1:0 is nameless" in problems[0]


def test_a_unit_without_a_map_is_asked_for_in_vain(lab, sysfs):
    found = devices.resolve(lab, sysfs=sysfs)

    with pytest.raises(LabError, match="logical unit lu7: no multipath device"):
        found.map_of("lu7")


def test_a_disk_that_is_just_going_away_is_passed_over(sysfs):
    (sysfs / "class/scsi_device/5:0:1:0/device/block/sdf/size").unlink()
    (sysfs / "class/scsi_device/7:0:0:0/device").mkdir(parents=True)

    assert "5:0:1:0" not in [disk.hctl for disk in devices.scsi_disks(sysfs)]


def test_disks_are_sorted_by_number_not_by_text(sysfs):
    found = [disk.hctl for disk in devices.scsi_disks(sysfs)]

    assert found == sorted(found, key=lambda hctl: tuple(map(int, hctl.split(":"))))


def test_a_leg_is_inspected_past_the_engines_own_paths(lab, sysfs):
    array = lab.array[0]

    assert devices.find_inspection_disk(array, array.leg[0], sysfs=sysfs).hctl == "6:0:1:0"


def test_an_engines_own_path_is_never_used_for_inspection(lab, sysfs):
    (sysfs / "class/scsi_device/6:0:1:0/device/vpd_pg83").unlink()
    array = lab.array[0]

    with pytest.raises(LabError, match="beside the engines' own; found 5:0:1:0"):
        devices.find_inspection_disk(array, array.leg[0], sysfs=sysfs)
