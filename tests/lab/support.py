"""What several lab tests look at."""

import os
from pathlib import Path


def guest_processes() -> list[str]:
    """Return the command lines of all guests and keepers that run now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended while we looked
        line = " ".join(words)
        if f"/tmp/zerostall-{os.getuid()}/" in line and "pytest" not in line:
            found.append(line)
    return found
