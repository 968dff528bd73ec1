"""The host of the lab: multipathd with the router's recommended settings, and nothing else."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from certify.virtual_lab import layout

MAPS_TIMEOUT_S = 60.0
ROUTER_WWIDS = tuple("3" + unit.naa for unit in layout.LOGICAL_UNITS)

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
    property "^ZEROSTALL_HIDDEN$"
}
blacklist_exceptions {
    device {
        vendor "VENDOR"
        product ".*"
    }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipath:
    """What multipath must know of a target: whose disks to take, and how to use them.

    `device` is the text of a file in multipath/conf.d.
    """

    vendor: str
    device: str


class HostError(Exception):
    """multipathd did not build its maps in time; the message says what it saw."""


def start_multipath(wanted: Multipath) -> None:
    """Start multipathd; it takes paths as they come."""
    conf = LAB_CONF.replace("VENDOR", wanted.vendor)
    Path("/etc/multipath.conf").write_text(conf, encoding="utf-8")
    Path("/etc/multipath/conf.d").mkdir(parents=True, exist_ok=True)
    Path("/etc/multipath/conf.d/target.conf").write_text(wanted.device, encoding="utf-8")
    with (layout.RUN / "multipathd.log").open("ab") as log:
        subprocess.Popen(
            ["/sbin/multipathd", "-d", "-s"], stdout=log, stderr=log, start_new_session=True
        )


def wait_for_maps(
    wanted: Sequence[str] = ROUTER_WWIDS, *, paths: int = len(layout.ENGINES)
) -> None:
    """Return once the map of every WWID has so many active *paths*; HostError after 60 s."""
    deadline = time.monotonic() + MAPS_TIMEOUT_S
    active: dict[str, int] = {}
    while time.monotonic() < deadline:
        active = _active_paths()
        whole = all(active.get(wwid, 0) == paths for wwid in wanted)
        # udev makes the map's link some time after multipathd has made the map.
        if whole and all((Path("/dev/mapper") / wwid).is_block_device() for wwid in wanted):
            return
        time.sleep(0.05)
    raise HostError(
        f"multipathd shows {active or 'no maps'} after {MAPS_TIMEOUT_S:.0f} s; expected "
        f"{paths} active paths for each of {sorted(wanted)}"
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
