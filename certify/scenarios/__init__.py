"""The scenarios, and which of them make up a profile, in the order they are run."""

from certify.scenarios import (
    all_paths_gone,
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
    both_arrays,
    both_engines,
    compare_and_write_race,
    conformance_failover,
    engine_and_array,
    engine_and_path,
    engine_clock,
    engine_disk_full,
    engine_failback,
    engine_hang,
    engine_isolated,
    engine_kill,
    engine_leave,
    engine_panic,
    engine_power_loss,
    engine_restart,
    ghost_write,
    healthy_baseline,
    link_cut,
    link_one_way,
    link_split,
    long_writes_failover,
    management_lost,
    path_black_hole,
    path_flap,
    path_lossy,
    path_pull,
    power_loss,
    reservation_failover,
    reset_failover,
    resync_engine_lost,
    resync_source_lost,
    resync_under_load,
    site_failure,
    soak,
    tie_break_lost,
    unit_unmapped,
    wrong_order,
)
from certify.scenarios.base import Break, NotApplicableError, Scenario, Step
from certify.scenarios.profiles import CLUSTER, ONE_MACHINE_CANNOT, QUICK, SOAK

__all__ = [
    "MODULES",
    "PROFILES",
    "Break",
    "NotApplicableError",
    "Scenario",
    "Step",
    "scenarios_of",
]

MODULES = {
    module.SCENARIO.id: module
    for module in (
        healthy_baseline,
        # paths between host and engine
        path_pull,
        path_black_hole,
        engine_isolated,
        path_flap,
        path_lossy,
        all_paths_gone,
        unit_unmapped,
        # engines
        engine_kill,
        engine_hang,
        engine_power_loss,
        engine_panic,
        engine_restart,
        ghost_write,
        engine_leave,
        engine_failback,
        engine_clock,
        engine_disk_full,
        # the link between them, and who breaks ties
        link_cut,
        link_split,
        link_one_way,
        tie_break_lost,
        # arrays
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
        # resynchronisation
        resync_under_load,
        resync_source_lost,
        resync_engine_lost,
        wrong_order,
        # several at once
        engine_and_array,
        engine_and_path,
        both_engines,
        both_arrays,
        site_failure,
        power_loss,
        # hosts and management
        reservation_failover,
        compare_and_write_race,
        reset_failover,
        long_writes_failover,
        conformance_failover,
        management_lost,
        # for hours
        soak,
    )
}
"""Every scenario by its id. A new one is one file, one line here and one import."""

_ALL = tuple(one for one in MODULES if one not in SOAK)
_CI = tuple(one for one in _ALL if one not in ONE_MACHINE_CANNOT)

PROFILES = {
    "quick": QUICK,
    "ci": _CI,
    "acceptance": _CI,
    "cluster": CLUSTER,
    "full": _ALL,
    "soak": ("B0", *SOAK),
}
"""The scenarios that must pass for a certificate of that profile."""


def scenarios_of(profile: str) -> list[Scenario]:
    """Return the scenarios of a profile, in order; raise KeyError for an unknown one."""
    return [MODULES[one].SCENARIO for one in PROFILES[profile]]
