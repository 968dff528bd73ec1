"""A saboteur as a target of the virtual lab: the reference router, with the saboteur before it."""

import subprocess
import time
from pathlib import Path

import msgspec

from certify.lab import Command
from certify.saboteurs.__main__ import SERVING
from certify.saboteurs.catalogue import saboteur_named
from certify.saboteurs.places import Places
from certify.saboteurs.saboteur import Around, Saboteur
from certify.virtual_lab import layout
from certify.virtual_lab.guest import hidden, lio, router
from certify.virtual_lab.guest.arrays import SECTOR_BYTES, ArrayDisks
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets import reference_router
from certify.virtual_lab.guest.targets.base import Builder, Built, paths_of, unit_of

PLACES = layout.RUN / "saboteur.json"
LOG = layout.RUN / "saboteur.log"
SERVES_TIMEOUT_S = 60.0
TOOL_S = 30
DETACH_S = 60


def builder(name: str) -> Builder:
    """Return how the system with the saboteur *name* is built; raise LioError if there is none."""
    try:
        saboteur = saboteur_named(name)
    except KeyError as error:
        raise lio.LioError(str(error.args[0])) from error

    def bring_up(chosen: Settings, disks: list[ArrayDisks]) -> Built:
        reference_router.start(chosen, seen_by=())
        _arrange(saboteur.around, chosen)
        _stand_between(saboteur, chosen, disks)
        return _built(saboteur, chosen, disks)

    modules = ("dm_flakey",) if saboteur.around.flaky else ()
    return Builder(multipath=reference_router.multipath(), bring_up=bring_up, modules=modules)


def port(engine: str, host: str) -> Path:
    """Return the target port group at which the saboteur shows *engine*'s units to *host*."""
    return lio.TARGET / "loopback" / layout.front_adapter(engine, host) / "tpgt_1"


def _stand_between(saboteur: Saboteur, chosen: Settings, disks: list[ArrayDisks]) -> None:
    """Make the ports, start the handler and wait until it shows every disk."""
    luns = [unit.lun for unit in layout.LOGICAL_UNITS]
    for engine in layout.ENGINES:
        for host in layout.HOSTS:
            group = lio.create_adapter(layout.front_adapter(engine, host))
            if host != layout.HOST:
                hidden.hide(group, luns)
    PLACES.write_bytes(msgspec.json.encode(places_of(saboteur, chosen, disks)))
    with LOG.open("ab") as log:
        handler = subprocess.Popen(
            [chosen.python, "-m", "certify.saboteurs", str(PLACES)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    _wait_until_it_serves(handler)


def places_of(saboteur: Saboteur, chosen: Settings, disks: list[ArrayDisks]) -> Places:
    """Return what the handler must know of the lab."""
    first = layout.ENGINES[0]
    return Places(
        saboteur=saboteur.name,
        hba_of_engine={engine: layout.engine_hba(engine) for engine in layout.ENGINES},
        adapters={
            f"{engine} {host}": layout.front_adapter(engine, host)
            for engine in layout.ENGINES
            for host in layout.HOSTS
        },
        disks=len(layout.ENGINES) * len(layout.HOSTS) * len(layout.LOGICAL_UNITS),
        back_paths={
            array.name: f"/sys/class/scsi_device/{array.hctl[first, unit.name]}/device/state"
            for array in disks
            for unit in layout.LOGICAL_UNITS[:1]
        },
        legs={
            f"{array.name}-{unit.name}": f"/dev/{_disk(array, unit.name)}"
            for array in disks
            for unit in layout.LOGICAL_UNITS
        },
        detach={array.name: _detach(chosen, array.name) for array in disks},
    )


def _disk(array: ArrayDisks, unit: str) -> str:
    return lio.wait_for_disk(array.hctl[layout.INSPECTOR, unit])


def _wait_until_it_serves(handler: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SERVES_TIMEOUT_S
    while SERVING not in (words := LOG.read_text(errors="replace")).splitlines():
        if handler.poll() is not None or time.monotonic() > deadline:
            raise lio.LioError(
                f"the saboteur does not serve: {' / '.join(words.splitlines()[-5:])}"
            )
        time.sleep(0.02)


def _arrange(around: Around, chosen: Settings) -> None:
    """Put wrong what is wrong beside the handler, while no host has seen a disk yet."""
    for device, features in around.flaky:
        _make_flaky(device, features)
    if around.detached:
        argv = _detach(chosen, around.detached)
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=2 * DETACH_S)


def _detach(chosen: Settings, array: str) -> list[str]:
    words = ("--array", array, "--timeout", str(DETACH_S))
    return router.argv(chosen, "detach", layout.ENGINES[0], *words)


def _make_flaky(device: str, features: str) -> None:
    """Put dm-flakey over what *device* maps; always on: 0 s up, an hour down, and again."""
    unit, array = device.removeprefix("array")[2:], device.removeprefix("array")[:1]
    number = _ram_disk(array, unit)
    size = next(one.size_bytes for one in layout.LOGICAL_UNITS if one.name == unit)
    table = (
        f"0 {size // SECTOR_BYTES} flakey /dev/ram{number} 0 0 3600 "
        f"{len(features.split())} {features}"
    )
    for words in (("load", device, "--table", table), ("suspend", device), ("resume", device)):
        argv = ["dmsetup", "--noudevsync", *words]
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=TOOL_S)


def _ram_disk(array: str, unit: str) -> int:
    lun = next(one.lun for one in layout.LOGICAL_UNITS if one.name == unit)
    return layout.ARRAYS.index(array) * len(layout.LOGICAL_UNITS) + lun


def _built(saboteur: Saboteur, chosen: Settings, disks: list[ArrayDisks]) -> Built:
    beneath = reference_router.built(chosen, disks)
    groups = [port(engine, host) for engine in layout.ENGINES for host in layout.HOSTS]
    redundancy = beneath.redundancy
    if saboteur.around.claims_redundancy:
        redundancy = Command(argv=["true"])
    return Built(
        units=tuple(unit_of(unit, f"3{unit.naa}", groups) for unit in layout.LOGICAL_UNITS),
        paths=paths_of(port),
        engines=beneath.engines,
        arrays=beneath.arrays,
        link=beneath.link,
        redundancy=redundancy,
        logs=(*beneath.logs, str(LOG)),
    )
