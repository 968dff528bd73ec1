"""Reservation commands to the legs of an engine's file, one after the other, for the CLI. Shell."""

import contextlib
import os
import select
from collections.abc import Iterator
from dataclasses import dataclass

from reference_router.config import EngineTable, RouterConfig
from reference_router.control_io import GIVE_UP_MS, Controls
from reference_router.keys import Control, ControlOp, ControlResult
from reference_router.reserve_codec import error_result

_POLL_MS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A leg: its unit's name and keys' check, its array and number, the device of this engine."""

    unit: str
    check: int
    array: str
    leg: int
    path: str

    def __str__(self) -> str:
        return f"{self.unit} on {self.array} ({self.path})"


@dataclass(frozen=True, slots=True)
class _Opened:
    fd: int


def places_of(config: RouterConfig, table: EngineTable) -> list[Place]:
    """Return all legs of an engine's file."""
    return [
        Place(
            unit=unit.name,
            check=config.check_of(unit),
            array=array,
            leg=leg,
            path=table.legs[unit.name][array],
        )
        for unit in config.logical_unit
        for leg, array in enumerate(config.arrays)
    ]


def send(place: Place, op: ControlOp, key: int = 0, other: int = 0) -> ControlResult:
    """Send a control command to a leg and wait for its end, some seconds at most."""
    with _opened(place) as fd:
        if isinstance(fd, str):
            return error_result(fd)
        controls = Controls({(place.unit, place.leg): _Opened(fd)})
        controls.submit([Control(place.unit, place.leg, op, key, other)])
        poll = select.poll()
        poll.register(controls.event_fd, select.POLLIN)
        try:
            for _ in range(2 * GIVE_UP_MS // _POLL_MS):
                poll.poll(_POLL_MS)
                for _, result in controls.ended():
                    return result
        finally:
            os.close(controls.event_fd)
    return error_result(f"no answer within {2 * GIVE_UP_MS} ms")


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[int | str]:
    """Open a leg's device; SG_IO needs no right to write. Yields the reason if that fails."""
    try:
        fd = os.open(place.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        yield str(error.strerror)
        return
    try:
        yield fd
    finally:
        os.close(fd)
