"""What the benchmark compares the router with, built in the guest beside the lab.

All of it is reached through tcm_loop, as the router is, and lies on RAM disks like the arrays'.
"""

import subprocess
import time
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import arrays, lio

SIZE_BYTES = layout.LOGICAL_UNITS[0].size_bytes
_ADAPTER = "naa.500140500000be{number:02x}"
_FILE = Path("/dev/shm/zerostall-bench")  # noqa: S108 - the guest's own, and empty
_MD_NAME = "md_zerostall"
_MD_NEW = Path("/sys/module/md_mod/parameters/new_array")
_NODE_TIMEOUT_S = 5.0


def router_path(engine: str) -> Path:
    """Return the disk of the first logical unit through one engine, without multipath."""
    hba = layout.engine_hba(engine)
    for port in lio.TARGET.glob("loopback/*/tpgt_1/lun/lun_0/*"):
        if not port.is_symlink():
            continue
        backstore = port.resolve()
        if backstore.parent.name == f"user_{hba}" and backstore.name.endswith(layout.HOST):
            return Path("/dev") / lio.wait_for_disk(f"{lio.address(port.parents[2])}:0")
    raise lio.LioError(f"{engine} exports no LUN 0: nothing on user_{hba}")


def router_map() -> Path:
    """Return the multipath map of the first logical unit: both engines."""
    return Path("/dev/mapper") / ("3" + layout.LOGICAL_UNITS[0].naa)


def lio_file() -> Path:
    """Export a file on tmpfs by LIO's fileio; return its disk. A write is through, not cached."""
    with _FILE.open("wb") as stream:
        stream.truncate(SIZE_BYTES)
    control = f"fd_dev_name={_FILE},fd_dev_size={SIZE_BYTES}"
    return _exported("fileio_80", "bench_file", control, number=0)


def lio_raid() -> Path:
    """Export an MD RAID-1 by LIO's iblock; return its disk.

    Its members are disks of the arrays' kind, each behind a tcm_loop port of its own, as the
    router's legs are.
    """
    members = [_member(number) for number in range(len(layout.ARRAYS))]
    raid = _mirror(members)
    return _exported("iblock_81", "bench_raid", f"udev_path={raid}", number=1)


def _member(number: int) -> Path:
    """Make one more disk as arrays.create_array makes a leg's; return it."""
    name = f"bench-member-{number}"
    node = arrays.create_slow_device(name, arrays.SPARE_RAM_DISK + number, SIZE_BYTES)
    plugin, index = f"iblock_{82 + number}", 2 + number
    return _exported(plugin, f"bench_member{number}", f"udev_path={node}", number=index)


def _mirror(members: list[Path]) -> Path:
    """Build an MD RAID-1 of two clean members; return its node.

    As `mdadm --build --assume-clean` does, by the kernel's own files (Documentation/admin-guide/
    md.rst): no superblock and no bitmap, so the members hold a host's bytes only, as the router's
    legs do, and MD has nothing to write but the data.
    """
    subprocess.run(["modprobe", "raid1"], check=True, capture_output=True, timeout=30)
    _MD_NEW.write_text(_MD_NAME, encoding="ascii")
    folder = Path("/sys/block") / _MD_NAME / "md"
    for name, text in (
        ("metadata_version", "none"),
        ("level", "raid1"),
        ("raid_disks", str(len(members))),
        ("component_size", str(SIZE_BYTES // 1024)),
    ):
        _write(folder / name, text)
    for slot, member in enumerate(members):
        number = (Path("/sys/class/block") / member.name / "dev").read_text(encoding="ascii")
        _write(folder / "new_dev", number.strip())
        _write(folder / f"dev-{member.name}" / "slot", str(slot))
    _write(folder / "resync_start", "none")
    _write(folder / "array_state", "active")
    return _node(Path("/dev") / _MD_NAME)


def _exported(plugin: str, name: str, control: str, *, number: int) -> Path:
    serial = f"be{number:03d}a5a-0000-4000-8000-000000000000"
    backstore = lio.create_backstore(plugin, name, control, serial=serial, product="BENCH")
    adapter = lio.create_adapter(_ADAPTER.format(number=number * 2))
    return Path("/dev") / lio.wait_for_disk(lio.export(adapter, 0, backstore))


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
