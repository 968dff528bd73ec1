"""Where the generic node of a path is now: a path that goes and returns gets another one."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from certify.deadline import Clock
from certify.devices import DEV, SYSFS
from certify.sg import SgQueue

Find = Callable[[str], str | None]
"""Returns the node of a SCSI address now, None while there is none."""
GONE = errno.ENODEV
"""What sg_write answers for ever once its device was removed (drivers/scsi/sg.c)."""


def node_of(hctl: str, *, sysfs: Path = SYSFS) -> str | None:
    """Return the generic node of the device at *hctl*, None if there is no such device."""
    with suppress(OSError, StopIteration):
        generic = sysfs / "class/scsi_device" / hctl / "device/scsi_generic"
        return f"{DEV}/{next(generic.iterdir()).name}"
    return None


def open_queue(node: str, clock: Clock) -> SgQueue:
    """Open a node for commands that nobody waits for; raises OSError."""
    return SgQueue(os.open(node, os.O_RDWR | os.O_NONBLOCK), clock=clock)


def reopened(queue: SgQueue, hctl: str, find: Find, clock: Clock) -> SgQueue | None:
    """Return a queue to the device that is at *hctl* now and close the old one; None if none is.

    What was under way on the old one has ended with its device.
    """
    node = find(hctl)
    if node is None:
        return None
    try:
        fresh = open_queue(node, clock)
    except OSError:
        return None
    with suppress(OSError):
        os.close(queue.fileno())
    return fresh
