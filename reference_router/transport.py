"""How hosts reach an engine's devices."""

from pathlib import Path
from typing import Protocol

from reference_router.config import EngineTable, RouterConfig
from reference_router.configfs import Device
from reference_router.iscsi import Iscsi
from reference_router.loopback import Loopback


class Transport(Protocol):
    """Shows devices to hosts. Everything raises ConfigfsError or OSError.

    The handlers of all devices must run from before `export` until after `remove`.
    """

    def place(self, host: int, unit: int) -> tuple[Path, int]:
        """Return the target port group and the LUN in it, for places of host and unit."""

    def export(self, device: Device) -> None:
        """Make the device a LUN of its host."""

    def open(self) -> None:
        """All devices are exported: hosts may come."""

    def close(self) -> None:
        """All devices are to be removed: hosts are to go."""

    def remove(self, device: Device) -> None:
        """Undo `export`, and with the last device all that was made."""


def transport_of(config: RouterConfig, engine: EngineTable) -> Transport:
    """Return the transport that the router file chooses."""
    return (Iscsi if config.cluster.transport == "iscsi" else Loopback)(config, engine)
