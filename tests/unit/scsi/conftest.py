"""A small lab and the sysfs of the host that it is on."""

import msgspec
import pytest

from certify.lab import Lab

LAB = {
    "schema": 1,
    "lab": {"name": "small"},
    "system_under_test": {"name": "Pair", "note": "two engines"},
    "host": [{"name": "host1"}],
    "logical_unit": [
        {"name": "lu0", "wwid": "36000000000e500000000000000000001"},
        {"name": "lu1", "wwid": "36000000000e500000000000000000002", "purpose": "conformance"},
    ],
    "control": {"wwid": "36000000000e500000000000000000003"},
    "path": [
        {"name": "path1", "engine": "engine1", "hctl": "2:0:1:*"},
        {"name": "path2", "engine": "engine2", "hctl": "3:0:1:*"},
    ],
    "engine": [
        {"name": "engine1", "ready": {"argv": ["ready", "1"]}},
        {"name": "engine2", "ready": {"argv": ["ready", "2"]}},
    ],
    "array": [
        {
            "name": "A",
            "hctl": ["5:0:1:*"],
            "leg": [{"logical_unit": "lu0", "inspect_wwid": "36000000000e500000000000000000004"}],
        }
    ],
    "redundancy": {"argv": ["redundant"]},
}
DISKS = {
    "2:0:1:0": ("sda", "sg0", 1),
    "2:0:1:1": ("sdb", "sg1", 2),
    "3:0:1:0": ("sdc", "sg2", 1),
    "3:0:1:1": ("sdd", "sg3", 2),
    "4:0:0:0": ("sde", "sg4", 3),
    "5:0:1:0": ("sdf", "sg5", 4),
    "6:0:1:0": ("sdg", "sg6", 4),
}


def page_83(number):
    """Page 83h with one NAA designator that ends in *number*."""
    value = bytes.fromhex("6000000000e500000000000000000000")[:-1] + bytes((number,))
    designator = bytes((1, 3, 0, len(value))) + value
    return bytes((0, 0x83, 0, len(designator))) + designator


def add_disk(sysfs, hctl, sd, sg, number):
    """Put a SCSI disk of 64 MiB into a sysfs tree."""
    device = sysfs / "class/scsi_device" / hctl / "device"
    (device / "block" / sd / "queue").mkdir(parents=True)
    (device / "block" / sd / "size").write_text("131072\n")
    (device / "block" / sd / "queue/logical_block_size").write_text("512\n")
    (device / "scsi_generic" / sg).mkdir(parents=True)
    (device / "vpd_pg83").write_bytes(page_83(number))
    for name, value in (("state", "running"), ("timeout", "30"), ("eh_timeout", "10")):
        (device / name).write_text(f"{value}\n")


def add_map(sysfs, device, wwid, name):
    """Put a multipath device into a sysfs tree."""
    dm = sysfs / "block" / device
    (dm / "dm").mkdir(parents=True)
    (dm / "holders").mkdir()
    (dm / "dm/uuid").write_text(f"mpath-{wwid}\n")
    (dm / "dm/name").write_text(f"{name}\n")
    (dm / "size").write_text("131072\n")


@pytest.fixture
def lab():
    return msgspec.convert(LAB, Lab)


@pytest.fixture
def sysfs(tmp_path):
    """A host with the whole lab, and a partition table of nobody's business."""
    root = tmp_path / "sys"
    for hctl, (sd, sg, number) in DISKS.items():
        add_disk(root, hctl, sd, sg, number)
    add_map(root, "dm-0", LAB["logical_unit"][0]["wwid"], "mpatha")
    add_map(root, "dm-1", LAB["logical_unit"][1]["wwid"], "mpathb")
    (root / "block/dm-2/dm").mkdir(parents=True)
    (root / "block/dm-2/dm/uuid").write_text("LVM-something\n")
    return root


@pytest.fixture
def daemon():
    """A multipathd whose paths can be changed: `states[sd] = (dm_st, chk_st)`."""
    return FakeDaemon()


class FakeDaemon:
    """Answers `show maps json` and `show config local`."""

    def __init__(self):
        self.states = dict.fromkeys(("sda", "sdb", "sdc", "sdd"), ("active", "ready"))
        self.error = None

    def ask(self, command):
        if self.error is not None:
            raise self.error
        if command == "show config local":
            return b'defaults {\n\tpolling_interval 1\n\tpath_checker "tur"\n}\nblacklist {\n}\n'
        maps = [
            self._map("mpatha", LAB["logical_unit"][0]["wwid"], "dm-0", ("sda", "sdc")),
            self._map("mpathb", LAB["logical_unit"][1]["wwid"], "dm-1", ("sdb", "sdd")),
        ]
        return msgspec.json.encode({"major_version": 0, "minor_version": 1, "maps": maps})

    def _map(self, name, wwid, device, disks):
        paths = [
            {
                "dev": sd,
                "dev_t": f"8:{16 * (ord(sd[2]) - ord('a'))}",
                "dm_st": self.states[sd][0],
                "chk_st": self.states[sd][1],
                "dev_st": "running",
                "checker": "tur",
                "pri": 50,
            }
            for sd in disks
            if sd in self.states
        ]
        group = {"selector": "round-robin 0", "pri": 50, "dm_st": "active", "paths": paths}
        return {
            "name": name,
            "uuid": wwid,
            "sysfs": device,
            "queueing": "on",
            "failback": "immediate",
            "features": "1 queue_if_no_path",
            "hwhandler": "0",
            "path_groups": [group],
            "new_in_some_version": 1,
        }
