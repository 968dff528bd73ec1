"""The crash of a host, as a file system sees it: what was not yet written out is gone."""

import fcntl
import os
import struct
from pathlib import Path

FS_IOC_SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32): EXT4_IOC_SHUTDOWN (fs/ext4/ext4.h), XFS_IOC_GOINGDOWN (xfs_fs.h)."""
NO_LOG_FLUSH = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: the journal in memory is dropped, as a power loss would."""


def crash_file_system(mount_point: Path) -> None:
    """Let the mounted file system go down at once; only unmounting is possible then.

    Dirty pages and the journal's open transaction are lost, so a later mount finds on the device
    what had been flushed and nothing else. Raises OSError.
    """
    descriptor = os.open(mount_point, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(descriptor)
