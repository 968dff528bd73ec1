"""A disk that comes back under another name is found again; one that is away is told."""

import shutil

from certify.current_devices import CurrentDevices
from certify.devices import resolve


def test_nothing_is_looked_for_while_all_is_as_it_was(lab, sysfs):
    current = CurrentDevices(lab, resolve(lab, sysfs=sysfs), sysfs)

    before = current.devices
    assert current.now() is before
    assert current.problems() == []


def test_disk_with_a_new_name_is_found_again(lab, sysfs):
    current = CurrentDevices(lab, resolve(lab, sysfs=sysfs), sysfs)
    device = sysfs / "class/scsi_device/2:0:1:0/device"
    (device / "block/sda").rename(device / "block/sdz")
    (device / "scsi_generic/sg0").rename(device / "scsi_generic/sg9")

    (found,) = [one for one in current.now().paths if one.disk.hctl == "2:0:1:0"]
    assert (found.disk.sd, found.disk.sg) == ("sdz", "sg9")
    assert current.problems() == []


def test_disk_that_is_away_is_told_until_it_is_back(lab, sysfs, tmp_path):
    current = CurrentDevices(lab, resolve(lab, sysfs=sysfs), sysfs)
    entry = sysfs / "class/scsi_device/2:0:1:0"
    kept = shutil.copytree(entry, tmp_path / "kept")
    shutil.rmtree(entry)

    assert current.problems() == ["path path1: no device of logical unit lu0"]
    shutil.copytree(kept, entry)
    assert current.problems() == []
