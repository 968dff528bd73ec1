"""A path that returns is found by its SCSI address, whatever its node is called now."""

import os
import time
from pathlib import Path

from certify.sg import SgQueue
from certify.sg_node import node_of, reopened


def test_node_is_the_one_of_the_address(tmp_path: Path) -> None:
    (tmp_path / "class/scsi_device/2:0:1:0/device/scsi_generic/sg7").mkdir(parents=True)

    assert node_of("2:0:1:0", sysfs=tmp_path) == "/dev/sg7"
    assert node_of("2:0:1:1", sysfs=tmp_path) is None


def test_old_node_is_closed_once_the_new_one_is_open() -> None:
    old = SgQueue(os.open(os.devnull, os.O_RDONLY))

    fresh = reopened(old, "2:0:1:0", lambda _: os.devnull, time.monotonic_ns)

    assert fresh is not None
    assert fresh is not old
    os.close(fresh.fileno())


def test_path_that_is_still_away_keeps_its_old_node() -> None:
    old = SgQueue(os.open(os.devnull, os.O_RDONLY))

    assert reopened(old, "2:0:1:0", lambda _: None, time.monotonic_ns) is None
    assert reopened(old, "2:0:1:0", lambda _: "/nowhere/sg1", time.monotonic_ns) is None

    os.close(old.fileno())
