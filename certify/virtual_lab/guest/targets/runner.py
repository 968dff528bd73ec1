"""tcmu-runner as a target: one process in user space, one port per host, files on tmpfs, no copy.

A second engine there cannot be: it takes all TCMU devices of a kernel and one name on D-Bus.
"""

from certify.lab import Command, Engine
from certify.virtual_lab import layout
from certify.virtual_lab.guest import hidden, lio, tcmu_runner
from certify.virtual_lab.guest.arrays import ArrayDisks
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets.base import Builder, Built, paths_of, unit_of
from certify.virtual_lab.guest.targets.peers import MULTIPATH

TUNED = {"cmd_time_out": "2"}
"""Seconds, instead of the kernel's 30: what an engine that died held is failed after that."""


def defaults() -> Builder:
    """Return how it is built as Debian ships it: started by hand, the kernel's own time-outs."""
    return Builder(multipath=MULTIPATH, bring_up=lambda _chosen, _disks: _bring_up({}, "no"))


def tuned() -> Builder:
    """Return how it is built with a short time-out, started again at once when it has died."""
    return Builder(multipath=MULTIPATH, bring_up=_bring_up_tuned)


def _bring_up_tuned(_chosen: Settings, _disks: list[ArrayDisks]) -> Built:
    return _bring_up(TUNED, "yes")


def _bring_up(attributes: dict[str, str], restart: str) -> Built:
    engine = layout.ENGINES[0]
    disks = [
        tcmu_runner.RunnerDisk(
            name=unit.name,
            size_bytes=unit.size_bytes,
            serial=f"e1{unit.lun:03d}a5a-0000-4000-8000-000000000000",
        )
        for unit in layout.LOGICAL_UNITS
    ]
    backstores = tcmu_runner.serve(disks, attributes=attributes, restart=restart)
    groups = {host: lio.create_adapter(layout.front_adapter(engine, host)) for host in layout.HOSTS}
    for host in layout.HOSTS[1:]:
        hidden.hide(groups[host], [unit.lun for unit in layout.LOGICAL_UNITS])
    units = []
    for unit, backstore in zip(layout.LOGICAL_UNITS, backstores, strict=True):
        hctl = [lio.export(group, unit.lun, backstore) for group in groups.values()]
        for one in hctl:
            lio.wait_for_disk(one)
        units.append(unit_of(unit, lio.wwid(hctl[0]), list(groups.values())))
    return Built(
        units=tuple(units),
        paths=paths_of(lambda _engine, host: groups[host], engine),
        engines=(_engine(engine, len(disks), restart),),
        arrays=(),
        logs=(f"{layout.RUN}/tcmu-runner.log", f"{layout.RUN}/tcmu-runner.out"),
    )


def _engine(name: str, disks: int, restart: str) -> Engine:
    script = ["sh", str(tcmu_runner.SCRIPT)]
    return Engine(
        name=name,
        pid=Command(argv=["cat", f"{layout.RUN}/tcmu-runner.pid"]),
        start=Command(argv=[*script, "start", restart]),
        ready=Command(argv=[*script, "ready", str(disks)]),
    )
