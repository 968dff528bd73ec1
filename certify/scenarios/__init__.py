"""The scenarios, and which of them make up a profile, in the order they are run."""

from certify.scenarios import (
    array_offline,
    array_slow,
    engine_hang,
    engine_kill,
    healthy_baseline,
    path_pull,
)
from certify.scenarios.base import Break, NotApplicableError, Scenario, Step

__all__ = ["MODULES", "PROFILES", "Break", "NotApplicableError", "Scenario", "Step", "scenarios_of"]

MODULES = {
    module.SCENARIO.id: module
    for module in (
        healthy_baseline,
        path_pull,
        engine_kill,
        engine_hang,
        array_offline,
        array_slow,
    )
}
"""Every scenario by its id. A new one is one file and one line here."""

PROFILES = {"quick": ("B0", "P1", "E1k", "E2h", "A1", "A3")}
"""The scenarios that must pass for a certificate of that profile."""


def scenarios_of(profile: str) -> list[Scenario]:
    """Return the scenarios of a profile, in order; raise KeyError for an unknown one."""
    return [MODULES[one].SCENARIO for one in PROFILES[profile]]
