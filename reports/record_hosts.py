"""What was judged of each host that is a machine of its own, as verdict.json holds it."""

from reports.record_base import Record


class HostJudgement(Record, frozen=True, kw_only=True):
    """One host beside the measuring one. Times are None where not measured."""

    name: str
    stall_failover_ms: float | None
    stall_failback_ms: float | None
    steady_ms_max: float | None  # its worst I/O before the fault
    clock_error_ms: float | None  # its times may be wrong by so much at most
    lost: str = ""  # why nothing more is known of it; "" if it told all
