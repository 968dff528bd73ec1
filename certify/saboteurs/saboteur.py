"""What a saboteur is: its defect, and what must catch it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from certify.saboteurs.defect import Defect
from certify.saboteurs.places import Places

CONFORMANCE = "conformance"
"""Stands for a scenario's id where the catch is an assertion."""


def flawless(places: Places) -> Defect:
    """Return no defect: commands pass as they are."""
    return Defect()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """A check that must fail: of which scenario, and a pattern for its name.

    Of an assertion, the name that is matched is "FAMILY: NAME".
    """

    where: str  # a scenario's id, or CONFORMANCE
    check: str  # a regular expression

    def matches(self, where: str, check: str) -> bool:
        """Tell whether a check that failed is the one that was meant."""
        return where == self.where and re.search(self.check, check) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is wrong around the handler, in the virtual lab.

    `flaky` are features of dm-flakey by the device-mapper name of a leg; `detached` is an array
    that is taken out before anything begins; `claims_redundancy` has the system always say so.
    """

    flaky: tuple[tuple[str, str], ...] = ()
    detached: str = ""
    claims_redundancy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Saboteur:
    """One system with one known defect; `caught_by` is any of which suffices.

    `scenarios` are those that a run needs to see it, each `repeat` times.
    """

    name: str
    family: str
    what: str
    defect: Callable[[Places], Defect] = flawless
    around: Around = Around()
    scenarios: tuple[str, ...] = ()
    repeat: int = 1
    caught_by: tuple[Catch, ...] = ()

    @property
    def conforms(self) -> bool:
        """Whether the run needs the conformance tests."""
        return not self.caught_by or any(one.where == CONFORMANCE for one in self.caught_by)

    @property
    def control(self) -> bool:
        """Whether it has no defect, and must pass."""
        return not self.caught_by
