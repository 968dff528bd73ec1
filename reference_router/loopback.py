"""Hosts on the engine's own machine: per host a loopback target port (tcm_loop). Shell.

Through it the host sees the engine's devices as SCSI disks of an adapter of its own.
"""

import hashlib
from pathlib import Path

from reference_router.config import EngineTable, RouterConfig
from reference_router.configfs import TARGET, Device, link_lun, make_folder, unlink_lun, write


class Loopback:
    """See `transport.Transport`."""

    def __init__(self, config: RouterConfig, engine: EngineTable) -> None:
        self._config = config
        self._engine = engine

    def place(self, host: int, unit: int) -> tuple[Path, int]:
        """Return the host's own port, in which a LUN is what the host sees."""
        cluster, name = self._config.cluster.name, self._config.host[host].name
        return TARGET / "loopback" / _naa(f"{cluster} {self._engine.name} {name}") / "tpgt_1", unit

    def export(self, device: Device) -> None:
        """Link the device as a LUN of its host's port; the host scans at once."""
        if not device.port.exists():
            make_folder(device.port)
            write(device.port / "nexus", _naa(f"initiator of {device.port.parent.name}"))
        link_lun(device)

    def open(self) -> None:
        """Nothing is left to do: each host saw each device when it was linked."""

    def close(self) -> None:
        """Nothing: a host's disk goes with its LUN."""

    def remove(self, device: Device) -> None:
        """Unlink the LUN, and the port after its last LUN."""
        unlink_lun(device)
        luns = device.port / "lun"
        if luns.exists() and not any(luns.iterdir()):
            device.port.rmdir()
            device.port.parent.rmdir()


def _naa(what: str) -> str:
    """Return a stable port name: NAA 5 with LIO's company id, as targetcli makes them."""
    return f"naa.5001405{hashlib.sha256(what.encode()).hexdigest()[:9]}"
