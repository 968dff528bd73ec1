"""A lab as a tree of text, each part with its health. Pure."""

from certify.lab import Lab
from reports.record import LabRecord

WELL = "healthy"


def topology_lines(lab: Lab, record: LabRecord, problems: list[str]) -> list[str]:
    """Return the tree: hosts with their logical units and paths, engines, arrays."""
    lines = [f"{record.name} ({record.kind}{', ' + record.kernel if record.kernel else ''})"]
    for host in lab.host:
        lines.append(f"├─ host {host.name}, reached by {host.reach}")
        for unit in record.logical_units:
            size = f"{unit.size_bytes / (1 << 20):,.0f} MiB" if unit.size_bytes else "not found"
            lines.append(f"│  ├─ {unit.purpose} {unit.name}  {unit.wwid}  {size}")
            for path in record.paths:
                if path.host == host.name and path.logical_unit == unit.name:
                    state = _health(problems, f"path {path.name}, {unit.name}")
                    where = f"{path.hctl}  {path.device}"
                    lines.append(f"│  │  ├─ {path.name} by {path.engine}  {where}  {state}")
    for engine in lab.engine:
        state = _health(problems, f"engine {engine.name} ")
        lines.append(f"├─ engine {engine.name}, reached by {engine.reach}  {state}")
    for array in lab.array:
        legs = ", ".join(leg.logical_unit for leg in array.leg)
        state = _health(problems, f"array {array.name}")
        lines.append(f"├─ array {array.name}, {len(array.hctl)} back paths, holds {legs}  {state}")
    lines.append(f"└─ {len(problems)} problems" if problems else f"└─ all of it is {WELL}")
    lines += [f"     {problem}" for problem in problems]
    return lines


def _health(problems: list[str], of: str) -> str:
    return next((problem for problem in problems if problem.startswith(of)), WELL)
