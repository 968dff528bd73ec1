"""What scenarios of paths need from the lab file, and the reasons why one lacks it."""

from certify.lab import Lab, PathEntry
from certify.load import load_unit
from certify.scenarios.base import NotApplicableError, Step, host_reach
from fault_injectors import PathPull


def load_host(lab: Lab) -> str:
    """Return the host whose application is watched."""
    name = load_unit(lab)
    return next(unit.host for unit in lab.logical_unit if unit.name == name)


def load_paths(lab: Lab, *, at_least: int = 2) -> list[PathEntry]:
    """Return the paths of that host; raise NotApplicableError for fewer than *at_least*."""
    host = load_host(lab)
    paths = [path for path in lab.path if path.host == host]
    if len(paths) < at_least:
        raise NotApplicableError(
            f"the lab file names {len(paths)} paths from {host}; {at_least} are needed"
        )
    return paths


def pull(lab: Lab, path: PathEntry, *, at_s: float = 0.0, mend_at_s: float | None = None) -> Step:
    """Return the step that pulls one path."""
    return Step(
        fault=PathPull(subject=path.name, hctl=(path.hctl,)),
        reach=host_reach(lab, path.host),
        at_s=at_s,
        mend_at_s=mend_at_s,
    )
