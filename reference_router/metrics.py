"""An engine's status as Prometheus metrics, text exposition format 0.0.4. Pure.

Every sample has the label `engine`. Counters of an engine begin anew with its process; those of
the supervisor (restarts, hang kills) with the supervisor.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LEG_STATES = ("in_sync", "resyncing", "stale", "absent", "detached", "blank")

_TCP = "tcp:"
_LOOPBACK = ("127.0.0.1", "::1")

_Sample = tuple[dict[str, str], float]
_Units = Iterable[tuple[str, dict[str, Any]]]


def parse_address(text: str) -> Path | tuple[str, int]:
    """Return the path, or the loopback address and port, of `engine.metrics`. Raises ValueError."""
    if not text.startswith(_TCP):
        if not text.startswith("/"):
            raise ValueError("expected an absolute path, or tcp:127.0.0.1:PORT or tcp:[::1]:PORT")
        return Path(text)
    host, _, port = text.removeprefix(_TCP).rpartition(":")
    host = host.strip("[]")
    if host not in _LOOPBACK:
        raise ValueError(f"expected a loopback address, 127.0.0.1 or [::1], seen {host!r}")
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"expected a port from 1 to 65535, seen {port!r}")
    return host, int(port)


def render(status: dict[str, Any]) -> str:
    """Return the metrics for a status as the control socket gives it."""
    engine = {"engine": status["engine"]}
    lines: list[str] = []
    for name, kind, text, value in _ENGINE:
        seen = value(status)
        if seen is not None:
            lines += _family(name, kind, text, [(engine, seen)])
    units = (status.get("units") or {}).items()
    for name, kind, text, samples in _UNIT:
        found = [({**engine, **labels}, value) for labels, value in samples(units)]
        lines += _family(name, kind, text, found)
    return "\n".join(lines) + "\n"


def _family(name: str, kind: str, text: str, samples: list[_Sample]) -> list[str]:
    if not samples:
        return []
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        words = ",".join(f'{label}="{_escaped(each)}"' for label, each in labels.items())
        lines.append(f"{name}{{{words}}} {_number(value)}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _optional(key: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda status: None if status.get(key) is None else float(status[key])


def _of_units(key: str) -> Callable[[_Units], Iterable[_Sample]]:
    return lambda units: [
        ({"unit": name}, float(unit[key])) for name, unit in units if unit.get(key) is not None
    ]


def _leases(units: _Units) -> Iterable[_Sample]:
    for name, unit in units:
        yield {"unit": name, "holder": "self"}, unit["leases"]
        yield {"unit": name, "holder": "peer"}, unit["leases_of_peer"]


def _leg_states(units: _Units) -> Iterable[_Sample]:
    for name, unit in units:
        for leg, seen in unit["legs"].items():
            for state in LEG_STATES:
                yield {"unit": name, "leg": leg, "state": state}, seen == state


def _dirty(units: _Units) -> Iterable[_Sample]:
    for name, unit in units:
        for leg, regions in unit["dirty_regions"].items():
            yield {"unit": name, "leg": leg}, regions


_ENGINE: tuple[tuple[str, str, str, Callable[[dict[str, Any]], float | None]], ...] = (
    (
        "zerostall_engine_up",
        "gauge",
        "Whether the engine's process runs.",
        lambda status: status["pid"] is not None,
    ),
    ("zerostall_engine_ready", "gauge", "Whether hosts can use every unit.", _optional("ready")),
    (
        "zerostall_engine_exported",
        "gauge",
        "Whether the units are exported to the hosts.",
        _optional("exported"),
    ),
    (
        "zerostall_engine_tombstone",
        "gauge",
        "Whether a tombstone answers for a dead engine.",
        _optional("tombstone"),
    ),
    (
        "zerostall_engine_waits_for_operator",
        "gauge",
        "Whether only an operator's word can let the engine serve.",
        _optional("waits_for_operator"),
    ),
    (
        "zerostall_engine_peer_joined",
        "gauge",
        "Whether the other engine serves every unit too.",
        _optional("peer_joined"),
    ),
    (
        "zerostall_engine_restarts_total",
        "counter",
        "Engine processes started after the first one.",
        _optional("restarts"),
    ),
    (
        "zerostall_engine_hang_kills_total",
        "counter",
        "Engines killed because they did not beat.",
        _optional("hang_kills"),
    ),
    (
        "zerostall_commands_total",
        "counter",
        "SCSI commands taken from hosts.",
        _optional("commands"),
    ),
    (
        "zerostall_command_errors_total",
        "counter",
        "SCSI commands answered with another status than GOOD.",
        _optional("command_errors"),
    ),
)
_UNIT: tuple[tuple[str, str, str, Callable[[_Units], Iterable[_Sample]]], ...] = (
    (
        "zerostall_unit_serves",
        "gauge",
        "Whether hosts can use the unit here.",
        _of_units("serves"),
    ),
    ("zerostall_unit_epoch", "gauge", "Epoch of the unit's agreed state.", _of_units("epoch")),
    (
        "zerostall_unit_members",
        "gauge",
        "Engines that serve the unit.",
        lambda units: [({"unit": name}, len(unit["members"])) for name, unit in units],
    ),
    ("zerostall_unit_leases", "gauge", "Leases of regions, by holder.", _leases),
    (
        "zerostall_unit_repairs_left_regions",
        "gauge",
        "Regions where legs in sync may differ.",
        _of_units("repairs_left"),
    ),
    (
        "zerostall_unit_read_repairs_total",
        "counter",
        "Regions written anew on a leg that could not read them.",
        _of_units("read_repairs"),
    ),
    (
        "zerostall_unit_resync_left_bytes",
        "gauge",
        "Bytes that a resync has still to copy; none while there is no resync.",
        _of_units("resync_left_bytes"),
    ),
    (
        "zerostall_unit_resync_bytes_per_second",
        "gauge",
        "Measured rate of the resync.",
        _of_units("resync_bytes_per_s"),
    ),
    ("zerostall_leg_state", "gauge", "State of a leg: 1 for the one it is in.", _leg_states),
    (
        "zerostall_leg_dirty_regions",
        "gauge",
        "Regions that a leg lacks, as far as known.",
        _dirty,
    ),
)
