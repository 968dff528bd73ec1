"""What a unit is made of, and its waits. Pure values."""

from dataclasses import dataclass
from enum import StrEnum

from reference_router.service import ServiceState


class Phase(StrEnum):
    """Where an engine stands to a unit."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The waits of the core, in nanoseconds."""

    leg_deadline_ns: int
    command_deadline_ns: int
    peer_wait_ns: int
    """How long an engine that could start alone waits for a peer first."""
    ping_ns: int
    lease_ns: int
    """How long after a Ping that was answered an engine may read without another."""
    peer_timeout_ns: int
    """How long a peer may be silent; longer than a lease."""
    clock_lag_ns: int = 0
    """How far the time that the core is told may be behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSetup:
    """What a unit is made of.

    `preferred` is the engine that hosts should use first, 0 if none.
    `leg_slow_ns`, `leg_slow_s`: see `LatencyWatch`. `check` is what its keys carry. `persisted`
    are the hosts' persistent reservations that this engine kept in a file, by epoch.
    """

    name: str
    legs: tuple[str, ...]
    blocks: int
    region_blocks: int
    lease_limit: int
    rate_bytes_per_s: int
    check: int
    hosts: tuple[str, ...]
    engines: tuple[int, ...]
    leg_slow_ns: int = 0
    leg_slow_s: int = 5
    preferred: int = 0
    cold_start: bool = False
    force: bool = False
    persisted: tuple[tuple[int, ServiceState], ...] = ()
