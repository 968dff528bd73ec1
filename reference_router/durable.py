"""A file that outlives a loss of power: one rename, and on the disk before it is told. Shell."""

import os
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Write *data* as the whole of a file; return once it would be there after a loss of power.

    Makes the folder. Raises OSError; what was there before is there then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
