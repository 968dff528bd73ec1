"""The records of what was measured; part of the contract in reports/record.py."""

from reports.record_base import Record


class AttributionPhase(Record, frozen=True, kw_only=True):
    """A part of a stall and how long it took."""

    name: str
    from_ms: float  # after the fault was injected
    to_ms: float
    evidence: str


class Statistic(Record, frozen=True, kw_only=True):
    """How one kind of I/O of one plane fared in one window. None where nothing was measured.

    Latencies are of the good I/Os that were due in the window, from when they were due.
    """

    window: str  # "before", "failover", "failback"
    plane: str  # "application", "path <name>", "array <name>", "control", a host's name
    op: str  # "write", "read", "test_unit_ready"
    count: int  # due in the window
    good: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    max_ms: float | None
    gap_ms: float | None  # longest time in the window without one success
    silent_ms: float | None  # tenths of a second without one success, together
    steady_after_ms: float | None = None  # from the window's begin until p99 < 2 x before, and on
    burst_per_s: float | None = None  # most successes in a tenth of a second, times ten


class Summary(Record, frozen=True, kw_only=True):
    """All repeats of one scenario together."""

    id: str
    repeats: int  # that were judged PASS or FAIL
    failed: int
    worst_failover_ms: float | None
    worst_failback_ms: float | None
    failure_share_max: float | None  # upper 95 % bound of the chance of a failure (exact, binomial)
