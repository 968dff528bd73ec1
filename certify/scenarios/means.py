"""Scenarios that the suite itself cannot express: the lab file has commands for them, or none."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, means_of


def by_means(lab: Lab, scenario: str, *, lacking: str) -> Break:
    """Return the break that the lab file's [[means]] for *scenario* describe.

    Raises NotApplicableError with *lacking*, which names the topology that can, when it has none.
    """
    if (broken := means_of(lab, scenario)) is not None:
        return broken
    raise NotApplicableError(
        f'{lacking} A lab that can names its commands in [[means]] with scenario = "{scenario}".'
    )
