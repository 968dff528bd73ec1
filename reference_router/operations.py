"""What an operator does to legs: attach, detach, and release all of them for good. Shell.

Each waits until it is done, and says what was expected and what is seen if it is not.
"""

import contextlib
import time
from itertools import groupby
from pathlib import Path
from typing import Any

from reference_router.config import EngineTable, RouterConfig
from reference_router.control import ControlError, ask
from reference_router.keys import ControlOp, Key, Outcome
from reference_router.leg_keys import Place, places_of, send
from reference_router.messages import LegState
from reference_router.releasing import judge
from reference_router.status import DETACHED
from reference_router.supervisor import lock_engine

_POLL_S = 0.1
_USED = (LegState.RESYNCING, LegState.IN_SYNC)


class OperationError(Exception):
    """It was refused or is not done; each line says what, where, what was expected and seen."""


def detach(
    config: RouterConfig, table: EngineTable, *, array: str, unit: str, timeout_s: float
) -> tuple[dict[str, Any], str]:
    """Take an array out and wait until its legs are free of keys.

    Returns the last status and what was done. Raises OperationError, ControlError.
    """
    status = ask(Path(table.control), "status")
    names = _units(status, array, unit)
    for name in names:
        legs = status["units"][name]["legs"]
        others = [leg for leg, state in legs.items() if state == LegState.IN_SYNC and leg != array]
        if legs[array] == LegState.IN_SYNC and not others:
            seen = ", ".join(f"{leg} {state}" for leg, state in legs.items())
            raise OperationError(f"detach: {name}: expected another leg in sync, seen {seen}")
    ask(Path(table.control), "detach", array=array, unit=unit)
    deadline = time.monotonic() + timeout_s
    status = _await(table, names, array, (DETACHED,), deadline)
    for place in places_of(config, table):
        if place.unit in names and place.array == array:
            _await_no_keys(place, deadline)
    return status, f"array {array} detached from {', '.join(names)}: free of keys"


def attach(
    table: EngineTable, *, array: str, unit: str, whole: bool, timeout_s: float
) -> tuple[dict[str, Any], str]:
    """Take an array back and wait until it is copied to; or until it is in sync, if `whole`.

    Returns the last status and what was done. Raises OperationError, ControlError.
    """
    status = ask(Path(table.control), "status")
    names = _units(status, array, unit)
    for name in names:
        if status["units"][name]["legs"][array] not in _USED:
            ask(Path(table.control), "attach", array=array, unit=name)
    wanted = (LegState.IN_SYNC,) if whole else _USED
    status = _await(table, names, array, wanted, time.monotonic() + timeout_s)
    words = ", ".join(f"{name} {status['units'][name]['legs'][array]}" for name in names)
    return status, f"array {array} attached: {words}"


def release(config: RouterConfig, table: EngineTable, *, force: bool) -> list[str]:
    """Remove all keys and reservations of the router from all legs, with both engines stopped.

    Returns a line for each leg. Raises OperationError, ConfigError if the supervisor runs.
    """
    for engine in config.engine:
        with contextlib.suppress(ControlError):  # it has none here: the keys will tell
            pid = ask(Path(engine.control), "status")["pid"]
            if pid is not None:
                raise OperationError(
                    f"release: engine {engine.name}: expected it stopped, seen process {pid}"
                )
    lock_engine(Path(table.control))  # until this process ends, no supervisor starts here
    lines: list[str] = []
    objections: list[str] = []
    legs: list[tuple[Place, str]] = []
    for _, group in groupby(places_of(config, table), key=lambda place: place.unit):
        places = list(group)
        verdict = judge(places, [send(place, ControlOp.READ_KEYS) for place in places])
        objections += [f"release: {each}" for each in verdict.objections]
        legs += zip(places, verdict.worth, strict=True)
    if objections and not force:
        raise OperationError("\n".join([*objections, "release: nothing was changed; see --force"]))
    failures = []
    for place, worth in legs:
        why = _clear(place, table.id)
        lines.append(f"{place}: {'free of keys' if not why else f'NOT RELEASED: {why}'}; {worth}")
        failures += [why] if why else []
    if failures:
        raise OperationError("\n".join(lines))
    return lines


def _units(status: dict[str, Any], array: str, unit: str) -> list[str]:
    """Return the units that are meant, which must be served for anything to be decided."""
    units: dict[str, dict[str, Any]] = status.get("units") or {}
    if not units:
        raise OperationError(f"engine {status['engine']}: expected it running, seen no units")
    names = [unit] if unit else list(units)
    for name in names:
        if name not in units:
            raise OperationError(f"unit: expected one of {', '.join(units)}, seen {name!r}")
        if array not in units[name]["legs"]:
            known = ", ".join(units[name]["legs"])
            raise OperationError(f"array: expected one of {known}, seen {array!r}")
        if units[name]["phase"] != "serving":
            raise OperationError(f"{name}: expected phase serving, seen {units[name]['phase']}")
    return names


def _await(
    table: EngineTable, names: list[str], array: str, wanted: tuple[str, ...], deadline: float
) -> dict[str, Any]:
    while True:
        status = ask(Path(table.control), "status")
        units = status.get("units") or {}
        seen = {name: units[name]["legs"][array] if name in units else "-" for name in names}
        if all(state in wanted for state in seen.values()):
            return status
        if time.monotonic() > deadline:
            words = ", ".join(f"{name} {state}" for name, state in seen.items())
            raise OperationError(
                f"array {array}: expected {' or '.join(wanted)} in time, seen {words}; "
                f"{table.log} says why"
            )
        time.sleep(_POLL_S)


def _await_no_keys(place: Place, deadline: float) -> None:
    while True:
        result = send(place, ControlOp.READ_KEYS)
        if result.outcome is Outcome.GOOD and not result.keys:
            return
        if time.monotonic() > deadline:
            keys = " ".join(f"{key:#018x}" for key in result.keys)
            raise OperationError(
                f"{place}: detached, but expected no keys, seen {result.why or keys}"
            )
        time.sleep(_POLL_S)


def _clear(place: Place, engine_id: int) -> str:
    """Remove all keys from a leg; return why that failed, or ""."""
    before = send(place, ControlOp.READ_KEYS)
    if before.outcome is Outcome.GOOD and not before.keys:
        return ""
    key = Key(engine=engine_id, check=place.check, epoch=0).pack()
    for op, mine, other in (
        (ControlOp.REGISTER_AND_IGNORE, 0, key),
        (ControlOp.CLEAR, key, 0),
        (ControlOp.READ_KEYS, 0, 0),
    ):
        result = send(place, op, mine, other)
        if result.outcome is not Outcome.GOOD:
            return f"{op}: {result.why or result.outcome}"
    return f"{len(result.keys)} keys are still there" if result.keys else ""
