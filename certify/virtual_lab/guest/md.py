"""MD RAID-1 by the kernel's own files, as mdadm drives it (Documentation/admin-guide/md.rst).

No superblock and no bitmap, as `mdadm --build --assume-clean`: the members hold a host's bytes
only, as the router's legs do, and MD has nothing to write but the data.
"""

import subprocess
import time
from pathlib import Path

from certify.virtual_lab.guest import lio

_NEW = Path("/sys/module/md_mod/parameters/new_array")
_NODE_TIMEOUT_S = 5.0


def mirror(name: str, members: list[Path], size_bytes: int) -> Path:
    """Build the mirror *name* ("md_...") of clean members; return its node."""
    subprocess.run(["modprobe", "raid1"], check=True, capture_output=True, timeout=30)
    _NEW.write_text(name, encoding="ascii")
    for key, text in (
        ("metadata_version", "none"),
        ("level", "raid1"),
        ("raid_disks", str(len(members))),
        ("component_size", str(size_bytes // 1024)),
    ):
        _write(folder(name) / key, text)
    for slot, member in enumerate(members):
        _write(folder(name) / "new_dev", device_number(member))
        _write(folder(name) / f"dev-{member.resolve().name}" / "slot", str(slot))
    _write(folder(name) / "resync_start", "none")
    _write(folder(name) / "array_state", "active")
    return _node(Path("/dev") / name)


def tune(name: str, least_kib_per_s: int) -> None:
    """Let a recovery go on at a rate whatever else the mirror does; MD's default is 1 MB/s."""
    _write(folder(name) / "sync_speed_min", str(least_kib_per_s))


def folder(name: str) -> Path:
    """Return the folder of MD's files of a mirror."""
    return Path("/sys/block") / name / "md"


def device_number(member: Path) -> str:
    """Return "8:16" of a disk, which may be given by a link."""
    return (Path("/sys/class/block") / member.resolve().name / "dev").read_text().strip()


def _node(path: Path) -> Path:
    deadline = time.monotonic() + _NODE_TIMEOUT_S
    while not path.is_block_device():
        if time.monotonic() > deadline:
            raise lio.LioError(f"{path}: no block device within {_NODE_TIMEOUT_S:.0f} s")
        time.sleep(0.01)
    return path


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise lio.LioError(f"{path}: writing {text!r}: {error.strerror}") from error
