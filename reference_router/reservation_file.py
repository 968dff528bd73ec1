"""The hosts' persistent reservations (APTPL) on this engine's disk. Shell.

The arrays hold nothing but the engines' own keys, so what outlives a loss of power is kept here:
one file a unit, with the epoch that it was agreed at. Before an engine agrees to a proposal, it
keeps that beside what holds: whichever of the two epochs the arrays tell afterwards, it knows what
was agreed at it. The file changes in one rename.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from reference_router.config import EngineTable, RouterConfig
from reference_router.durable import write_durably
from reference_router.service import ServiceFileError, from_file, to_file
from reference_router.service_state import ServiceState


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    epoch: int
    services: str


Persisted = tuple[tuple[int, ServiceState], ...]


class ReservationFiles:
    """The files of one engine. `say` gets what cannot be read or written."""

    def __init__(
        self, config: RouterConfig, table: EngineTable, *, say: Callable[[str], None]
    ) -> None:
        self._folder = Path(table.state)
        self._prefix = f"{config.cluster.name}-{table.name}"
        self._units = [unit.name for unit in config.logical_unit]
        self._say = say

    def load(self) -> dict[str, Persisted]:
        """Return the reservations, by epoch, of each unit that has a sound file."""
        found: dict[str, Persisted] = {}
        for unit in self._units:
            path = self._path(unit)
            try:
                kept = msgspec.json.decode(path.read_bytes(), type=tuple[_Kept, ...])
                found[unit] = tuple(
                    (each.epoch, from_file(each.services.encode())) for each in kept
                )
            except FileNotFoundError:
                continue
            except (OSError, msgspec.DecodeError, ServiceFileError) as error:
                self._say(f"{path}: not taken: {error}")
        return found

    def keep(self, unit: str, services: Persisted) -> None:
        """Write what is to be kept, see `Unit.kept_services`; if nothing is, remove the file."""
        path = self._path(unit)
        try:
            if not services:
                path.unlink(missing_ok=True)
                return
            kept = [
                _Kept(epoch=epoch, services=to_file(state).decode()) for epoch, state in services
            ]
            write_durably(path, msgspec.json.encode(kept))
        except OSError as error:
            self._say(f"{path}: persistent reservations are not kept: {error}")

    def _path(self, unit: str) -> Path:
        return self._folder / f"{self._prefix}-{unit}.reservations"
