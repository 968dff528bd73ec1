"""The scenarios, and which of them make up a profile, in the order they are run."""

from certify.scenarios import (
    array_busy,
    array_corrupt,
    array_errors,
    array_hung,
    array_lagging,
    array_media_error,
    array_not_ready,
    array_offline,
    array_shrunk,
    array_slow,
    array_tail,
    array_write_errors,
    back_path_flap,
    back_path_lost,
    engine_hang,
    engine_kill,
    healthy_baseline,
    management_lost,
    path_pull,
    resync_engine_lost,
    resync_source_lost,
    resync_under_load,
    wrong_order,
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
        array_errors,
        array_hung,
        array_lagging,
        array_tail,
        back_path_lost,
        back_path_flap,
        array_media_error,
        array_write_errors,
        array_not_ready,
        array_busy,
        array_corrupt,
        array_shrunk,
        resync_under_load,
        resync_source_lost,
        resync_engine_lost,
        wrong_order,
        management_lost,
    )
}
"""Every scenario by its id. A new one is one file and one line here."""

PROFILES = {"quick": ("B0", "P1", "E1k", "E2h", "A1", "A3")}
"""The scenarios that must pass for a certificate of that profile."""


def scenarios_of(profile: str) -> list[Scenario]:
    """Return the scenarios of a profile, in order; raise KeyError for an unknown one."""
    return [MODULES[one].SCENARIO for one in PROFILES[profile]]
