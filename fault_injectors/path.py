"""Faults between host and engine."""

from dataclasses import dataclass
from typing import ClassVar

from fault_injectors.scsi_state import ScsiOffline


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPull(ScsiOffline):
    """One path is pulled: all its SCSI devices on the host are offline."""

    kind: ClassVar[str] = "path_pull"
    label: ClassVar[str] = "Path pull"
    colour: ClassVar[str] = "#0072B2"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIsolate(ScsiOffline):
    """All paths from a host to one engine are pulled; the engine itself lives on."""

    kind: ClassVar[str] = "engine_isolate"
    label: ClassVar[str] = "All paths to an engine"
    colour: ClassVar[str] = "#56B4E9"
