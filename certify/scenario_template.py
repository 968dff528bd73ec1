"""What `certify new scenario` writes: a scenario that works, whose comments are the guide."""

import keyword
import re
from collections.abc import Iterable
from string import Template

from certify.lab import LabError

_NAME = re.compile(r"[a-z][a-z0-9_]{2,39}")
_ID = re.compile(r"[A-Z][0-9]{1,2}[a-z]?")

_TEXT = '''\
"""$id: what happens, in one line."""

# A scenario says what is broken, when, what is expected, and within which limits. It holds no code
# that acts: the runner does that, the same way for all, and the judge knows nothing of this file.

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, host_reach
from fault_injectors import PathPull

# Other faults: `fault_injectors/kinds.py`. A fault that nobody saw makes the run INCONCLUSIVE.


def build(lab: Lab) -> Break:
    """Pull the last path of the lab file."""
    # Make the fault from the lab file and nothing else. Raise NotApplicableError with what the file
    # lacks: the scenario is then NOT RUN for that reason, which is never a pass.
    if len(lab.path) < 2:
        raise NotApplicableError(f"the lab file names {len(lab.path)} paths; two are needed")
    path = lab.path[-1]
    fault = PathPull(subject=path.name, hctl=(path.hctl,))
    # One fault at once, mended when the fault phase is over. For several, or for a flap, return
    # Break(steps=(Step(fault=..., reach=..., at_s=1.0, mend_at_s=2.5), ...)).
    return Break.of(fault, host_reach(lab, path.host))


SCENARIO = Scenario(
    # How plans, reports and `-k` call it. Never given to another scenario later.
    id="$id",
    # A few words, as in a failure matrix.
    title="$title",
    kind=PathPull.kind,
    # For a reader of the report who was not there: what is broken, and what stays whole.
    description="The last path of the lab file is taken away, and later given back.",
    # The behaviour that passes, in a sentence.
    expected="I/O goes on over the other paths; the returned path is used again.",
    # Which requirement of the customer it shows, and who publishes such a case.
    requirement="HA-000",
    reference="Where this case is published",
    # What the lab must have, for `certify list`.
    need="2 paths from one host",
    build=build,
    # The longest that an I/O may be late after the fault, and after the mend. [limits] of a lab
    # file overrides them. Take them from what an application survives, not from what was measured.
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
    # Where it is needed: steady_s, fault_s, recover_s (the least that is observed), vary (another
    # schedule per seed), outage (what the application is meant to see), exercises (what runs
    # beside the load), asks (questions of this scenario alone). See certify/scenarios/base.py.
)
'''


def check_name(name: str) -> None:
    """Raise LabError unless *name* can be the name of a scenario's file."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise LabError(
            f"{name!r} cannot be the name of a scenario: expected 3 to 40 small letters, digits "
            "and underscores, a letter first, as in path_pull"
        )


def choose_id(wanted: str, taken: Iterable[str]) -> str:
    """Return *wanted*, or the first free of X1, X2, ... for ""; raise LabError if it is taken."""
    known = set(taken)
    if not wanted:
        return next(free for number in range(1, 100) if (free := f"X{number}") not in known)
    if not _ID.fullmatch(wanted):
        raise LabError(
            f"{wanted!r} cannot be the id of a scenario: expected a capital, one or two digits and "
            "perhaps a small letter, as in E1k"
        )
    if wanted in known:
        raise LabError(f"there is a scenario {wanted} already; certify list shows all")
    return wanted


def scenario_text(name: str, scenario: str) -> str:
    """Return the text of the file for the scenario with the id *scenario*."""
    title = name.replace("_", " ").capitalize()
    return Template(_TEXT).substitute(id=scenario, title=title)
