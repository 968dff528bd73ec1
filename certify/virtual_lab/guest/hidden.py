"""Disks that multipath must not take: those of the second host, and of what stands behind another.

The kernel has one list of disks for all initiators of the guest, and the same logical unit has the
same WWID for each. So a udev rule marks disks by their SCSI address, and multipath passes over
what is marked. An address is known as soon as its port is made, before any disk is behind it.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import lio

FOLDER = layout.RUN / "hidden"
PROPERTY = "ZEROSTALL_HIDDEN"
UDEV_RULE = (
    f'SUBSYSTEM=="block", KERNELS=="[0-9]*:[0-9]*:[0-9]*:[0-9]*", TEST=="{FOLDER}/%b", '
    f'ENV{{{PROPERTY}}}="1", ENV{{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}}="1"\n'
)
"""%b is the address that KERNELS matched (udev(7)). A file costs less than a program per disk."""


def hide(group: Path, luns: Iterable[int]) -> None:
    """Hide the disks of a port, given by the folder of its target port group."""
    hide_at(lio.address(group), luns)


def hide_at(address: str, luns: Iterable[int]) -> None:
    """Hide the disks at the SCSI address *address*, "H:C:T"."""
    FOLDER.mkdir(exist_ok=True)
    for lun in luns:
        (FOLDER / f"{address}:{lun}").touch()


def forget() -> None:
    """Hide nothing any more: ports that are made anew may have the addresses of old ones."""
    shutil.rmtree(FOLDER, ignore_errors=True)
