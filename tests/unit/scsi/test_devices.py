"""The lab's names become devices by WWID, and what does not fit is told line by line."""

import shutil

import msgspec
import pytest

from certify import devices
from certify.lab import Lab, LabError
from certify.preflight import inspection_problems

from .conftest import LAB, add_disk


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


def test_a_leg_that_cannot_be_inspected_is_told_before_a_run(lab, sysfs, tmp_path):
    assert inspection_problems(lab, sysfs=sysfs) == []
    shutil.rmtree(sysfs / "class/scsi_device/6:0:1:0")

    (problem,) = inspection_problems(lab, sysfs=sysfs)
    assert problem == (
        "array A, lu0: no disk of inspect_wwid '36000000000e500000000000000000004' beside the "
        "engines' own; found 5:0:1:0"
    )


def test_a_leg_is_inspected_past_the_engines_own_paths(lab, sysfs):
    array = lab.array[0]

    assert devices.find_inspection_disk(array, array.leg[0], sysfs=sysfs).hctl == "6:0:1:0"


def test_an_engines_own_path_is_never_used_for_inspection(lab, sysfs):
    (sysfs / "class/scsi_device/6:0:1:0/device/vpd_pg83").unlink()
    array = lab.array[0]

    with pytest.raises(LabError, match="beside the engines' own; found 5:0:1:0"):
        devices.find_inspection_disk(array, array.leg[0], sysfs=sysfs)


@pytest.fixture
def two_hosts(sysfs):
    """The small lab with a second host on the same machine, which sees lu0 by engine1."""
    add_disk(sysfs, "8:0:1:0", "sdh", "sg8", 1)
    other = {"name": "other", "host": "host2", "engine": "engine1", "hctl": "8:0:1:*"}
    units = [LAB["logical_unit"][0] | {"also_on": ["host2"]}, LAB["logical_unit"][1]]
    hosts = [*LAB["host"], {"name": "host2"}]
    return LAB | {"host": hosts, "path": [*LAB["path"], other], "logical_unit": units}


def test_another_host_on_the_machine_has_paths_of_its_own(two_hosts, sysfs):
    found = devices.resolve(msgspec.convert(two_hosts, Lab), sysfs=sysfs)

    assert [(one.path, one.host, one.disk.sd) for one in found.other_paths] == [
        ("other", "host2", "sdh")
    ]
    assert len(found.paths) == 4
    assert found.all_paths == found.paths + found.other_paths
    assert "other" not in [one.path for one in found.of_unit("lu0")]


def test_a_host_on_another_machine_is_not_looked_for_here(two_hosts, sysfs):
    two_hosts["host"][1]["reach"] = "ssh:root@host2"

    assert devices.resolve(msgspec.convert(two_hosts, Lab), sysfs=sysfs).other_paths == ()


def test_a_disk_that_two_paths_choose_is_told(two_hosts, sysfs):
    two_hosts["path"][2] = two_hosts["path"][2] | {"hctl": "2:*:1:*"}
    problems = []

    devices.resolve_found(msgspec.convert(two_hosts, Lab), problems, sysfs=sysfs)

    assert problems == ["path other: 2:0:1:0 is chosen by path path1 as well"]


def test_a_disk_of_a_path_that_an_array_chooses_too_is_told(two_hosts, sysfs):
    two_hosts["array"] = [LAB["array"][0] | {"hctl": ["?:0:1:0"]}]
    problems = []

    devices.resolve_found(msgspec.convert(two_hosts, Lab), problems, sysfs=sysfs)

    assert "path path1: 2:0:1:0 is chosen by array A (?:0:1:0) as well" in problems
