"""Other ways to build the same thing from parts of the kernel: LIO over MD RAID-1, LIO alone.

What is called an engine here is a target port of the one kernel, not a process: nothing can be
killed, and the lab file names no commands for that.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

from certify.lab import Command, Engine, PathEntry
from certify.virtual_lab import layout
from certify.virtual_lab.guest import hidden, lio, md
from certify.virtual_lab.guest.arrays import ArrayDisks
from certify.virtual_lab.guest.host import Multipath
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets.base import Builder, Built, arrays_of, paths_of, unit_of

VENDOR = "LIO-ORG"
MULTIPATH = Multipath(
    vendor=VENDOR,
    device="""\
defaults {
    polling_interval 1
    max_polling_interval 1
    checker_timeout 2
}
devices {
    device {
        vendor "LIO-ORG"
        product ".*"
        path_grouping_policy multibus
        path_selector "service-time 0"
        rr_min_io_rq 1
        path_checker tur
        prio const
        detect_prio no
        detect_checker no
        hardware_handler "0"
        failback immediate
        no_path_retry queue
    }
}
""",
)
"""The host's timers are those that the reference router recommends, so that like meets like."""

READD_EVERY_S = 1
RESYNC_KIB_PER_S = 32 << 10
"""As the router's in this lab; MD's own minimum of 1 MB/s applies whenever the host does I/O."""
READD_SCRIPT = Path(__file__).parents[1] / "readd.sh"


def md_raid1() -> Builder:
    """Return how LIO over MD RAID-1 on both arrays is built: two ports of one kernel."""
    return Builder(multipath=MULTIPATH, bring_up=_bring_up_md, modules=("md_mod", "raid1"))


def lio_single() -> Builder:
    """Return how LIO alone is built: one port, array A, no copy."""
    return Builder(multipath=MULTIPATH, bring_up=_bring_up_single)


def _bring_up_md(_chosen: Settings, disks: list[ArrayDisks]) -> Built:
    entries = []
    for unit in layout.LOGICAL_UNITS:
        links = [layout.leg_device(layout.ENGINES[0], one.name, unit.name) for one in disks]
        md.mirror(_md_name(unit), [link.resolve() for link in links], unit.size_bytes)
        md.tune(_md_name(unit), RESYNC_KIB_PER_S)
        entries += [f"{_md_name(unit)}:{link}:{slot}" for slot, link in enumerate(links)]
    _start_readding(entries)
    built = _exported(lambda unit: Path("/dev") / _md_name(unit), layout.ENGINES)
    degraded = [str(md.folder(_md_name(unit)) / "degraded") for unit in layout.LOGICAL_UNITS]
    return Built(
        units=built.units,
        paths=built.paths,
        engines=built.engines,
        arrays=arrays_of(disks, layout.LOGICAL_UNITS, initiators=layout.ENGINES[:1]),
        redundancy=Command(argv=["sh", "-c", f"! grep -vx 0 {' '.join(degraded)}"]),
        logs=(f"{layout.RUN}/readd.log",),
    )


def _bring_up_single(_chosen: Settings, disks: list[ArrayDisks]) -> Built:
    array, engine = disks[0], layout.ENGINES[0]
    built = _exported(
        lambda unit: layout.leg_device(engine, array.name, unit.name).resolve(), (engine,)
    )
    return Built(
        units=built.units,
        paths=built.paths,
        engines=built.engines,
        arrays=arrays_of([array], layout.LOGICAL_UNITS, initiators=(engine,)),
    )


def _md_name(unit: layout.LogicalUnit) -> str:
    return f"md_{unit.name}"


def _start_readding(entries: list[str]) -> None:
    """Start the script that puts members back: without a superblock nothing else would."""
    with (layout.RUN / "readd.log").open("ab") as log:
        subprocess.Popen(
            ["sh", str(READD_SCRIPT), str(READD_EVERY_S), *entries],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _exported(device: Callable[[layout.LogicalUnit], Path], engines: tuple[str, ...]) -> Built:
    """Export a block device per unit through a port per engine and host."""
    groups = {
        (engine, host): lio.create_adapter(layout.front_adapter(engine, host))
        for engine in engines
        for host in layout.HOSTS
    }
    luns = [unit.lun for unit in layout.LOGICAL_UNITS]
    for (_, host), group in groups.items():
        if host != layout.HOST:
            hidden.hide(group, luns)
    units = []
    for unit in layout.LOGICAL_UNITS:
        backstore = _backstore(unit, device(unit))
        hctl = [lio.export(group, unit.lun, backstore) for group in groups.values()]
        for one in hctl:
            lio.wait_for_disk(one)
        units.append(unit_of(unit, lio.wwid(hctl[0]), list(groups.values())))
    paths: tuple[PathEntry, ...] = paths_of(lambda engine, host: groups[engine, host], *engines)
    return Built(
        units=tuple(units),
        paths=paths,
        engines=tuple(Engine(name=name) for name in engines),
        arrays=(),
    )


def _backstore(unit: layout.LogicalUnit, device: Path) -> Path:
    """Return one backstore: LIO claims its device, so both ports share it, as they must."""
    return lio.create_backstore(
        f"iblock_{70 + unit.lun}",
        unit.name,
        f"udev_path={device}",
        serial=f"e0{unit.lun:03d}a5a-0000-4000-8000-000000000000",
        product="peer",
        vendor=VENDOR,
    )
