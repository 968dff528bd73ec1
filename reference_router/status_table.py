"""The status of an engine as a table for people. Pure."""

import math
from typing import Any

_MIB = 1 << 20
_GAP = "  "


def table_of(status: dict[str, Any]) -> str:
    """Return the text for a status as the control socket gives it."""
    units: dict[str, dict[str, Any]] = status.get("units") or {}
    lines = [_head(status)]
    if units:
        lines += _columns([_titles(units), *(_row(name, unit) for name, unit in units.items())])
    lines += [f"{name}: not started: {unit['why']}" for name, unit in units.items() if unit["why"]]
    if status.get("waits_for_operator"):
        lines.append("only an operator can decide what to do: see docs/runbook.md")
    lines += [f"refused: {refusal}" for refusal in status.get("refused", [])]
    return "\n".join(lines)


def _head(status: dict[str, Any]) -> str:
    pid = status["pid"]
    words = [f"pid {pid}" if pid else "not running"]
    words.append("ready" if status["ready"] else "not ready")
    if pid:
        words.append(f"role {status.get('role', 'none')}")
        words.append("peer joined" if status.get("peer_joined") else "peer not joined")
        if witness := status.get("witness"):
            words.append(f"witness {'in reach' if witness['in_reach'] else 'out of reach'}")
    words.append("exported" if status.get("exported") else "not exported")
    if status["tombstone"]:
        words.append("a tombstone answers")
    return f"engine {status['engine']}: {', '.join(words)}"


def _titles(units: dict[str, dict[str, Any]]) -> list[str]:
    legs = list(next(iter(units.values()))["legs"])
    return ["unit", "phase", "epoch", "members", *legs, "leases", "of peer", "repairs", "resync"]


def _row(name: str, unit: dict[str, Any]) -> list[str]:
    return [
        name,
        unit["phase"],
        str(unit["epoch"]),
        "+".join(map(str, unit["members"])) or "-",
        *unit["legs"].values(),
        str(unit["leases"]),
        str(unit["leases_of_peer"]),
        str(unit["repairs_left"]),
        _resync(unit),
    ]


def _resync(unit: dict[str, Any]) -> str:
    done = unit["resynced_regions"]
    if done is None:
        return "-"
    words = [f"{100 * done // max(unit['regions'], 1)} %"]
    left = unit.get("resync_left_bytes")
    if left is not None:
        words.append(f"{-(-left // _MIB)} MiB left")
    seconds = unit.get("resync_left_s")
    if seconds is not None:
        words.append(f"{_duration(seconds)} at {unit['resync_bytes_per_s'] / _MIB:.1f} MiB/s")
    return ", ".join(words)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
