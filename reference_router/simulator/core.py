"""Makes the core of an engine as the simulator runs it: small, with short waits."""

from reference_router.cluster import Cluster
from reference_router.commands import Outbox
from reference_router.service import ServiceState
from reference_router.simulator.plan import BLOCKS, ENGINES, LEGS, REGION_BLOCKS
from reference_router.unit import Timing, Unit, UnitSetup

UNIT = "lu0"
_MS = 1_000_000
TICK_NS = 20 * _MS
TIMING = Timing(
    leg_deadline_ns=100 * _MS,
    command_deadline_ns=4000 * _MS,
    peer_wait_ns=60 * _MS,
    ping_ns=40 * _MS,
    lease_ns=150 * _MS,
    peer_timeout_ns=250 * _MS,
)
BOUND_NS = TIMING.command_deadline_ns + 500 * _MS
"""When a command that was not answered is a violation: its deadline, and some ticks."""
_LEG_SLOW_MS = 30
_LEASES_MAX = 3  # few, so that leases are given back too


def make_core(
    number: int,
    now_ns: int,
    *,
    cold_start: bool,
    persisted: tuple[tuple[int, ServiceState], ...],
    has_witness: bool,
) -> tuple[Cluster, Unit, Outbox]:
    """Return the core of one engine, its unit, and where it acts."""
    outbox = Outbox()
    setup = UnitSetup(
        name=UNIT,
        legs=LEGS,
        blocks=BLOCKS,
        region_blocks=REGION_BLOCKS,
        lease_limit=_LEASES_MAX,
        rate_bytes_per_s=4 << 20,
        check=0x5A,
        hosts=("h0", "h1", "h2"),
        engines=ENGINES,
        cold_start=cold_start,
        persisted=persisted,
        leg_slow_ns=_LEG_SLOW_MS * _MS,
        leg_slow_s=2,
    )
    cluster = Cluster(
        number,
        (setup,),
        timing=TIMING,
        config="simulated",
        outbox=outbox,
        now_ns=now_ns,
        has_witness=has_witness,
    )
    return cluster, cluster.units[UNIT], outbox
