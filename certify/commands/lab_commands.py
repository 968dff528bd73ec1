"""The virtual lab by hand: up, shell, down, bench."""

import argparse

from certify.commands.virtual import absolute
from certify.virtual_lab import session


def lab(arguments: argparse.Namespace) -> int:
    """Start, enter, measure or end the virtual lab."""
    if arguments.what == "shell":
        return session.shell(arguments.command)
    if arguments.what == "down":
        return session.down()
    start = session.up if arguments.what == "up" else session.bench
    return start(
        kernel=arguments.kernel, target=arguments.target, runs_dir=absolute(arguments.runs)
    )
