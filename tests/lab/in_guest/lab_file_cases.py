"""The commands that the lab file names for an operator, each run and undone as a fault would."""

import subprocess
from pathlib import Path
from typing import Any

from certify.virtual_lab.guest import host
from tests.lab.in_guest import storage
from tests.lab.in_guest.health import settle
from tests.lab.in_guest.router import redundant, wait_until


def operator() -> dict[str, Any]:
    """An engine leaves and rejoins; the link is cut and mended; a unit is unmapped and mapped."""
    lab = storage.lab()
    engine, link, unit = lab["engine"][0], lab["link"], lab["logical_unit"][2]
    seen = {
        "engine": _there_and_back(engine["leave"], engine["left"], engine["rejoin"]),
        "link": _there_and_back(link["cut"], link["is_cut"], link["mend"]),
    }
    hidden = {path.name for path in Path("/run/zerostall/hidden").iterdir()}
    seen["unit"] = _there_and_back(unit["unmap"], unit["is_unmapped"], unit["map"])
    host.wait_for_maps()
    paths = subprocess.run(
        ["multipathd", "show", "paths", "raw", "format", "%i"],
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    ).stdout.split()
    return {**seen, **settle(), "hidden": len(hidden), "taken": sorted(hidden & set(paths))}


def _there_and_back(
    there: dict[str, Any], asked: dict[str, Any], back: dict[str, Any]
) -> list[bool]:
    """Return what the question said before, between and after."""
    said = [_run(asked)]
    _run(there)
    said.append(_run(asked))
    _run(back)
    wait_until("redundant again", redundant)
    return [*said, _run(asked)]


def _run(command: dict[str, Any]) -> bool:
    done = subprocess.run(
        command["argv"],
        capture_output=True,
        timeout=command.get("timeout_s", 30),
        check=False,
    )
    return done.returncode == 0
