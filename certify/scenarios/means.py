"""Scenarios that the suite itself cannot express: the lab file has commands for them, or none."""

from certify.lab import Command, Lab
from certify.scenarios.base import Break, NotApplicableError
from fault_injectors import CommandFault


def by_means(lab: Lab, scenario: str, *, lacking: str) -> Break:
    """Return the break that the lab file's [[means]] for *scenario* describe.

    Raises NotApplicableError with *lacking*, which names the topology that can, when it has none.
    """
    for means in lab.means:
        if means.scenario != scenario:
            continue
        commands = (means.apply, means.probe, means.heal, means.healed)
        fault = CommandFault(
            subject=means.subject,
            apply_argv=argv_of(means.apply),
            probe_argv=argv_of(means.probe),
            heal_argv=argv_of(means.heal),
            healed_argv=argv_of(means.healed),
            timeout_s=max(one.timeout_s for one in commands if one),
        )
        return Break.of(fault, means.reach)
    raise NotApplicableError(
        f'{lacking} A lab that can names its commands in [[means]] with scenario = "{scenario}".'
    )


def argv_of(command: Command | None) -> tuple[str, ...]:
    """Return the words of a command, none for none."""
    return tuple(command.argv) if command else ()
