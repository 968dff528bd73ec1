"""The reference router as a target: two engines, their supervisors, and what an operator does."""

import sys
from collections.abc import Callable
from importlib.resources import files

import msgspec

from certify.lab import Array, Command, Engine, Link, LogicalUnit, PathEntry
from certify.virtual_lab import layout
from certify.virtual_lab.guest import router
from certify.virtual_lab.guest.arrays import ArrayDisks
from certify.virtual_lab.guest.host import Multipath
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets.base import (
    Builder,
    Built,
    arrays_of,
    paths_of,
    unit_of,
)

STOP_S = 20
ATTACH_S = 60
SUPERVISOR = 'sed -n "s/^PPid:[[:space:]]*//p" "/proc/$(sed -n s/^pid=//p "$1")/status"'
"""Prints the process id of an engine's parent, the supervisor; its argument is a state file."""


def multipath() -> Multipath:
    """Return what the router recommends to its hosts."""
    text = files("reference_router").joinpath("multipath.conf").read_text(encoding="utf-8")
    return Multipath(vendor="ZEROSTAL", device=text)


def builder(supervision: str) -> Builder:
    """Return how the router is built with one kind of *supervision*."""

    def bring_up(chosen: Settings, disks: list[ArrayDisks]) -> Built:
        start(chosen, supervision)
        return built(chosen, disks)

    return Builder(multipath=multipath(), bring_up=bring_up)


def start(
    chosen: Settings, supervision: str = "tombstone", seen_by: tuple[str, ...] = (layout.HOST,)
) -> None:
    """Start the router; multipath sees its ports for the hosts *seen_by*, who may be nobody."""
    router.write_config(supervision)
    router.hide_ports(seen_by=seen_by)
    router.start(chosen)


def built(chosen: Settings, disks: list[ArrayDisks]) -> Built:
    """Say what of the router, which runs, a lab file names."""
    groups = [router.port(engine, host) for engine in layout.ENGINES for host in layout.HOSTS]
    units = tuple(unit_of(unit, f"3{unit.naa}", groups) for unit in layout.LOGICAL_UNITS)
    return told(chosen, disks, units=units, paths=paths_of(router.port))


def told(
    chosen: Settings,
    disks: list[ArrayDisks],
    *,
    units: tuple[LogicalUnit, ...],
    paths: tuple[PathEntry, ...],
) -> Built:
    """Say what does not depend on how hosts reach the router, beside *units* and *paths*."""
    # Questions are asked while stalls are measured, and to start a Python for one holds the only
    # processor of the guest for a quarter of a second. So the router's state files are read.
    redundant = ["grep", "-qx", "redundant=yes", router.state_file(layout.ENGINES[0])]
    return Built(
        units=units,
        paths=paths,
        engines=tuple(engine_of(chosen, engine) for engine in layout.ENGINES),
        arrays=tuple(_operated(chosen, one) for one in arrays_of(disks, layout.LOGICAL_UNITS)),
        link=_link(),
        redundancy=Command(argv=redundant),
        logs=tuple(
            f"{layout.RUN}/{engine}.{end}"
            for engine in layout.ENGINES
            for end in ("log", "console")
        ),
    )


def engine_of(
    chosen: Settings,
    engine: str,
    argv: Callable[..., list[str]] = router.argv,
    reach: str = "local",
) -> Engine:
    """Return an engine as a lab file has it; *argv* is `router.argv`, or what is it elsewhere."""
    state = router.state_file(engine)
    start_it = Command(argv=argv(chosen, "start", engine))
    leave = argv(chosen, "stop", engine, "--timeout", str(STOP_S))
    return Engine(
        name=engine,
        reach=reach,
        pid=Command(argv=["sed", "-n", "s/^pid=//p", state]),
        start=start_it,
        ready=Command(argv=["grep", "-qx", "ready=yes", state]),
        leave=Command(argv=leave, timeout_s=2.0 * STOP_S),
        left=Command(argv=["grep", "-qx", "pid=", state]),
        rejoin=start_it,
        manager=Command(argv=["sh", "-c", SUPERVISOR, "sh", state]),
    )


def _operated(chosen: Settings, array: Array) -> Array:
    """Return an array with the commands by which an operator takes it out and in."""
    words = ("--array", array.name, "--timeout", str(ATTACH_S))
    engine = layout.ENGINES[0]
    commands = {
        verb: Command(argv=router.argv(chosen, verb, engine, *words), timeout_s=2.0 * ATTACH_S)
        for verb in ("detach", "attach")
    }
    return msgspec.structs.replace(array, **commands)


def _link() -> Link:
    """Return how the link is cut; see `certify.virtual_lab.guest.link`."""
    module = [sys.executable, "-m", "certify.virtual_lab.guest.link"]
    return Link(
        cut=Command(argv=[*module, "cut"]),
        mend=Command(argv=[*module, "mend"]),
        is_cut=Command(argv=[*module, "is_cut"]),
    )
