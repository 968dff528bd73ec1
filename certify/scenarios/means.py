"""Scenarios that the suite itself cannot express: the lab file has commands for them, or none."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, means_of

TAKES = "; it takes "
"""Between why a virtual lab cannot and what could."""


def by_means(lab: Lab, scenario: str, *, lacking: str) -> Break:
    """Return the break that the lab file's [[means]] for *scenario* describe.

    Raises NotApplicableError with *lacking*, which says why a virtual lab has none and, behind
    "it takes", what can; of a physical lab only the latter is known.
    """
    if (broken := means_of(lab, scenario)) is not None:
        return broken
    if lab.lab.kind == "physical":
        lacking = f"The lab file has no commands for it; it takes {lacking.partition(TAKES)[2]}"
    raise NotApplicableError(
        f'{lacking} A lab that can names its commands in [[means]] with scenario = "{scenario}".'
    )
