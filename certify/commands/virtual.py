"""Running a command of ours inside a virtual lab, when no lab file was given."""

import argparse
from pathlib import Path

from certify.virtual_lab import session


def in_lab(arguments: argparse.Namespace, argv: list[str], *, writes: bool) -> int:
    """Run `certify ARGV` with the lab file of the virtual lab, inside it; return its status.

    A command that *writes* a run folder needs the lab to have that folder's parent.
    """
    name, *rest = argv
    return session.run_in_lab(
        [name, "--lab", str(session.LAB_FILE), *rest],
        wanted_of(arguments),
        writes=writes,
    )


def wanted_of(arguments: argparse.Namespace) -> session.Wanted:
    """Return the virtual lab that the options of a command want."""
    return session.Wanted(
        kernel=getattr(arguments, "kernel", None),
        target=arguments.target,
        topology=getattr(arguments, "topology", None),
        hosts=getattr(arguments, "hosts", None),
        runs_dir=absolute(arguments.runs),
    )


def absolute(path: Path) -> Path:
    """Return a path that means the same in a guest."""
    return path.resolve()
