"""The handler's process: `python -m certify.saboteurs PLACES` serves until it is killed.

It says "serving" on its standard output once every disk is shown to its host.
"""

import gc
import os
import sys
import threading
from pathlib import Path

from certify.saboteurs import kernel
from certify.saboteurs.catalogue import saboteur_named
from certify.saboteurs.kernel import Beneath
from certify.saboteurs.places import Places, load_places
from certify.saboteurs.stage import Port, Stage, map_bytes, serve

SERVING = "serving"
NICE = -10
"""A box of its own would have a processor of its own."""


def main() -> None:
    """Stand between the hosts and the engines."""
    places = load_places(Path(sys.argv[1]))
    disks = kernel.find_beneath(places.hba_of_engine, count=places.disks)
    stage = Stage(saboteur_named(places.saboteur).defect(places))
    for disk in disks:
        stage.ports[disk.front] = _open(disk)
    threading.Thread(target=_show, args=(disks, places), daemon=True).start()
    stage.defect.begin(stage)
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    gc.freeze()
    serve(stage)


def _open(disk: Beneath) -> Port:
    node = kernel.create(disk, size=kernel.size_bytes(disk))
    return Port.open(
        disk.front, uio_node=node, size_bytes=map_bytes(node), sg_node=kernel.sg_node(disk.hctl)
    )


def _show(disks: list[Beneath], places: Places) -> None:
    """Show every disk, beside the loop that serves them."""
    for disk in disks:
        kernel.export(disk, places.adapters[f"{disk.front.engine} {disk.front.host}"])
    sys.stdout.write(f"{SERVING}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
