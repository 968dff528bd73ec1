"""The virtual lab by hand: up, shell, down, bench."""

import argparse

from certify.commands.virtual import wanted_of
from certify.virtual_lab import session


def up(arguments: argparse.Namespace) -> int:
    """Start the standing lab."""
    return session.up(wanted_of(arguments))


def shell(arguments: argparse.Namespace) -> int:
    """Enter the standing lab, or run one command in it."""
    return session.shell(arguments.command, arguments.node)


def cable(arguments: argparse.Namespace) -> int:
    """Pull or mend cables of the standing cluster, or say how they are."""
    return session.outside(["cable", arguments.verb, *arguments.port])


def power(arguments: argparse.Namespace) -> int:
    """Cut the power of nodes of the standing cluster, give it back, or say whether they have it."""
    return session.outside(["power", arguments.verb, *arguments.name])


def down(_arguments: argparse.Namespace) -> int:
    """End the standing lab."""
    return session.down()


def bench(arguments: argparse.Namespace) -> int:
    """Measure the router beside LIO."""
    return session.bench(
        ["--repeats", str(arguments.repeats), "--seconds", str(arguments.seconds)],
        wanted_of(arguments),
        with_tcmu_runner=arguments.with_tcmu_runner,
    )
