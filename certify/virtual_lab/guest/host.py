"""The host of the lab: multipathd with the router's recommended settings, and nothing else."""

import json
import subprocess
import time
from importlib.resources import files
from pathlib import Path

from certify.virtual_lab import layout

MAPS_TIMEOUT_S = 60.0

LAB_CONF = """\
defaults {
    user_friendly_names no
    find_multipaths no
    verbosity 2
}
blacklist {
    device {
        vendor ".*"
        product ".*"
    }
}
blacklist_exceptions {
    device {
        vendor "ZEROSTAL"
        product ".*"
    }
}
"""


class HostError(Exception):
    """multipathd did not build its maps in time; the message says what it saw."""


def start_multipath() -> None:
    """Start multipathd; it takes paths as they come."""
    device = files("reference_router").joinpath("multipath.conf").read_text(encoding="utf-8")
    Path("/etc/multipath.conf").write_text(LAB_CONF, encoding="utf-8")
    Path("/etc/multipath/conf.d").mkdir(parents=True, exist_ok=True)
    Path("/etc/multipath/conf.d/router.conf").write_text(device, encoding="utf-8")
    with (layout.RUN / "multipathd.log").open("ab") as log:
        subprocess.Popen(
            ["/sbin/multipathd", "-d", "-s"], stdout=log, stderr=log, start_new_session=True
        )


def wait_for_maps() -> dict[str, str]:
    """Return the WWID of each logical unit's map once all its paths are active.

    Raises HostError after 60 s.
    """
    wanted = {"3" + unit.naa: unit.name for unit in layout.LOGICAL_UNITS}
    deadline = time.monotonic() + MAPS_TIMEOUT_S
    active: dict[str, int] = {}
    while time.monotonic() < deadline:
        active = _active_paths()
        whole = all(active.get(wwid, 0) == len(layout.ENGINES) for wwid in wanted)
        # udev makes the map's link some time after multipathd has made the map.
        if whole and all((Path("/dev/mapper") / wwid).is_block_device() for wwid in wanted):
            return {name: wwid for wwid, name in wanted.items()}
        time.sleep(0.05)
    raise HostError(
        f"multipathd shows {active or 'no maps'} after {MAPS_TIMEOUT_S:.0f} s; expected "
        f"{len(layout.ENGINES)} active paths for each of {sorted(wanted)}"
    )


def _active_paths() -> dict[str, int]:
    done = subprocess.run(
        ["/sbin/multipathd", "show", "maps", "json"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if done.returncode or not done.stdout.startswith("{"):
        return {}
    return {
        entry["uuid"]: sum(
            path["dm_st"] == "active" and path["chk_st"] == "ready"
            for group in entry["path_groups"]
            for path in group["paths"]
        )
        for entry in json.loads(done.stdout)["maps"]
    }
