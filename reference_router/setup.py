"""What the core is made of, from the router file. Pure."""

from reference_router.config import RouterConfig
from reference_router.scsi import BLOCK_BYTES
from reference_router.service_state import ServiceState
from reference_router.unit import Timing, UnitSetup

_MS = 1_000_000
TICK_NS = 20 * _MS
"""How often the engine looks at the clock, and at deadlines."""
_HELD_MARGIN_S = 1.0  # a held command is answered this long before the kernel's time-out


def timing_of(config: RouterConfig) -> Timing:
    """Return the waits of the core."""
    cluster = config.cluster
    held_s = max(config.command_timeout_s - _HELD_MARGIN_S, 1.0)
    return Timing(
        leg_deadline_ns=cluster.leg_deadline_ms * _MS,
        command_deadline_ns=int(held_s * 1e9),
        peer_wait_ns=cluster.peer_wait_ms * _MS,
        ping_ns=cluster.link_ping_ms * _MS,
        lease_ns=cluster.link_lease_ms * _MS,
        clock_lag_ns=TICK_NS,
        peer_timeout_ns=cluster.link_timeout_ms * _MS,
    )


def unit_setups(
    config: RouterConfig,
    sizes: dict[str, int],
    *,
    cold_start: bool,
    force: bool,
    persisted: dict[str, tuple[tuple[int, ServiceState], ...]],
) -> tuple[UnitSetup, ...]:
    """Return the setup of every unit. `sizes` is in bytes; `persisted`: see `UnitSetup`."""
    cluster = config.cluster
    return tuple(
        UnitSetup(
            name=unit.name,
            legs=config.arrays,
            blocks=sizes[unit.name] // BLOCK_BYTES,
            region_blocks=cluster.resync_region_bytes // BLOCK_BYTES,
            lease_limit=cluster.lease_limit,
            rate_bytes_per_s=cluster.resync_rate_bytes_per_s,
            leg_slow_ns=cluster.leg_slow_ms * _MS,
            leg_slow_s=cluster.leg_slow_s,
            preferred=unit.preferred,
            check=config.check_of(unit),
            hosts=tuple(host.name for host in config.host),
            engines=tuple(engine.id for engine in config.engine),
            cold_start=cold_start,
            force=force,
            persisted=persisted.get(unit.name, ()),
        )
        for unit in config.logical_unit
    )
