"""The hosts' persistent reservations (APTPL) on this engine's disk. Shell.

The arrays hold nothing but the engines' own keys, so what outlives a loss of power is kept here:
one file a unit, with the epoch that it was agreed at. It changes in one rename.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from reference_router.config import EngineTable, RouterConfig
from reference_router.messages import UnitState
from reference_router.service import ServiceFileError, from_file, to_file
from reference_router.service_state import ServiceState


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    epoch: int
    services: str


class ReservationFiles:
    """The files of one engine. `say` gets what cannot be read or written."""

    def __init__(
        self, config: RouterConfig, table: EngineTable, *, say: Callable[[str], None]
    ) -> None:
        self._folder = Path(table.state)
        self._prefix = f"{config.cluster.name}-{table.name}"
        self._units = [unit.name for unit in config.logical_unit]
        self._say = say

    def load(self) -> dict[str, tuple[int, ServiceState]]:
        """Return epoch and reservations of each unit that has a sound file."""
        found = {}
        for unit in self._units:
            path = self._path(unit)
            try:
                kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
                found[unit] = (kept.epoch, from_file(kept.services.encode()))
            except FileNotFoundError:
                continue
            except (OSError, msgspec.DecodeError, ServiceFileError) as error:
                self._say(f"{path}: not taken: {error}")
        return found

    def keep(self, unit: str, state: UnitState) -> None:
        """Write what was agreed, before any host is told; remove the file if there is nothing."""
        path = self._path(unit)
        try:
            if not state.services.persistent:
                path.unlink(missing_ok=True)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = _Kept(epoch=state.epoch, services=to_file(state.services).decode())
            unfinished = path.with_suffix(".new")
            with unfinished.open("wb") as file:
                file.write(msgspec.json.encode(kept))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            self._say(f"{path}: persistent reservations are not kept: {error}")

    def _path(self, unit: str) -> Path:
        return self._folder / f"{self._prefix}-{unit}.reservations"
