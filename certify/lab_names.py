"""Names in a lab file that are only known once all scenarios are, those of packages too.

`certify heal` does not ask: what is broken must be mended even where a package is gone.
"""

from collections.abc import Iterator
from pathlib import Path

from certify.lab import Lab, LabError, load_lab
from certify.scenarios import MODULES
from certify.scenarios.base import DEFAULT_LIMIT


def load_lab_to_run(path: Path) -> Lab:
    """Read and check a lab file; raise LabError for means or limits of no scenario as well."""
    lab = load_lab(path)
    if problems := list(unknown_names(lab)):
        raise LabError("\n".join(f"{path}: {problem}" for problem in problems))
    return lab


def unknown_names(lab: Lab) -> Iterator[str]:
    """Yield a line per scenario of [[means]] and [limits] that there is not: it had no effect."""
    known = ", ".join(MODULES)
    for index, means in enumerate(lab.means):
        if means.scenario not in MODULES:
            yield f"means[{index}].scenario: expected one of {known}, seen {means.scenario!r}"
    for verb in ("failover_ms", "failback_ms"):
        for name in getattr(lab.limits, verb):
            if name not in (*MODULES, DEFAULT_LIMIT):
                yield f"limits.{verb}.{name}: expected {DEFAULT_LIMIT} or one of {known}"
