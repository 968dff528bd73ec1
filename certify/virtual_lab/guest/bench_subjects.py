"""What the benchmark compares the router with, built in the guest beside the lab.

All of it is reached through tcm_loop, as the router is, and lies on RAM disks like the arrays'.
"""

from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import arrays, lio, md

SIZE_BYTES = layout.LOGICAL_UNITS[0].size_bytes
_ADAPTER = "naa.500140500000be{number:02x}"
_FILE = Path("/dev/shm/zerostall-bench")  # noqa: S108 - the guest's own, and empty
_MD_NAME = "md_zerostall"


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
    raid = md.mirror(_MD_NAME, members, SIZE_BYTES)
    return _exported("iblock_81", "bench_raid", f"udev_path={raid}", number=1)


def _member(number: int) -> Path:
    """Make one more disk as arrays.create_array makes a leg's; return it."""
    name = f"bench-member-{number}"
    node = arrays.create_slow_device(name, arrays.SPARE_RAM_DISK + number, SIZE_BYTES)
    plugin, index = f"iblock_{82 + number}", 2 + number
    return _exported(plugin, f"bench_member{number}", f"udev_path={node}", number=index)


def _exported(plugin: str, name: str, control: str, *, number: int) -> Path:
    serial = f"be{number:03d}a5a-0000-4000-8000-000000000000"
    backstore = lio.create_backstore(plugin, name, control, serial=serial, product="BENCH")
    adapter = lio.create_adapter(_ADAPTER.format(number=number * 2))
    return Path("/dev") / lio.wait_for_disk(lio.export(adapter, 0, backstore))
