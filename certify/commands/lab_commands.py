"""The virtual lab by hand: up, shell, down, bench."""

import argparse

from certify.commands.virtual import absolute
from certify.virtual_lab import session


def up(arguments: argparse.Namespace) -> int:
    """Start the standing lab."""
    return session.up(
        kernel=arguments.kernel, target=arguments.target, runs_dir=absolute(arguments.runs)
    )


def shell(arguments: argparse.Namespace) -> int:
    """Enter the standing lab, or run one command in it."""
    return session.shell(arguments.command)


def down(_arguments: argparse.Namespace) -> int:
    """End the standing lab."""
    return session.down()


def bench(arguments: argparse.Namespace) -> int:
    """Measure the router beside LIO."""
    return session.bench(
        ["--repeats", str(arguments.repeats), "--seconds", str(arguments.seconds)],
        kernel=arguments.kernel,
        target=arguments.target,
        runs_dir=absolute(arguments.runs),
        with_tcmu_runner=arguments.with_tcmu_runner,
    )
