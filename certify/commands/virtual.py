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
        kernel=getattr(arguments, "kernel", None),
        target=arguments.target,
        runs_dir=absolute(arguments.runs),
        writes=writes,
    )


def absolute(path: Path) -> Path:
    """Return a path that means the same in a guest."""
    return path.resolve()
