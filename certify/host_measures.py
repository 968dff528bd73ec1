"""What was measured on each host that is a machine of its own. Pure.

A wait is a difference of two times of one host, so its clock makes it neither longer nor shorter.
Whether it fell into a window is a matter of both clocks: windows are widened by what the host's may
be wrong, so an I/O may count in two of them and none is missed.
"""

from dataclasses import dataclass

from certify import stall
from certify.certain import Certain
from certify.doubts import clock_error_ns, loss_of, prefix
from certify.history import History, Window
from certify.outage import Outage, before_only
from certify.stall import Stall
from certify.standstill import standstills
from reports.record import EventKind, EventRecord, IoRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMeasured:
    """What was measured on one host; None where there was nothing to measure."""

    name: str
    judged: list[IoRecord]  # all its I/Os, or those before the fault that takes the host away
    failover: Stall | None = None
    failback: Stall | None = None
    quiet: Stall | None = None
    outage_return: Stall | None = None  # the longest wait after mending, where an outage is meant
    certain_failover_ms: float | None = None
    certain_failback_ms: float | None = None
    certain_quiet_ms: float | None = None
    standstill_ms: float = 0.0  # the longest of its prober
    clock_error_ns: int
    loss: EventRecord | None
    goes_with_fault: bool  # the fault is meant to take it away


def measure_hosts(history: History, outage: Outage | None) -> tuple[HostMeasured, ...]:
    """Take the numbers of every host that the plan names beside the measuring one."""
    return tuple(_measure(history, host, outage) for host in history.plan.hosts)


def _measure(history: History, host: str, outage: Outage | None) -> HostMeasured:
    error_ns, loss = clock_error_ns(history, host), loss_of(history, host)
    ios = history.of_probe(prefix(host))
    if host in history.plan.hosts_lost:
        return HostMeasured(
            name=host,
            judged=_before_fault(history, ios, error_ns),
            clock_error_ns=error_ns,
            loss=loss,
            goes_with_fault=True,
        )
    end = history.end_ns + error_ns
    failover = _wider(history.failover, error_ns)
    failback, quiet = _wider(history.failback, error_ns), history.steady
    meant = failback if outage is not None else None
    if outage is not None:
        failover, failback = _wider(outage.before, error_ns), None
    known = ios if loss is None else [io for io in ios if io.done_ns >= 0]
    judged = before_only(known, outage)
    seen = standstills(history, host)
    certain = Certain(judged, (), seen, end)
    after = Certain(known, (), seen, end)
    windows = (quiet, failover, failback or meant)
    return HostMeasured(
        name=host,
        judged=known,
        failover=stall.longest(judged, failover, end_ns=end) if failover else None,
        failback=stall.longest_from(judged, failback, end_ns=end) if failback else None,
        quiet=stall.longest(known, quiet, end_ns=end) if quiet else None,
        outage_return=stall.longest_from(known, meant, end_ns=end) if meant else None,
        certain_failover_ms=certain.longest_ms(failover, from_start=False),
        certain_failback_ms=after.longest_ms(failback or meant, from_start=True),
        certain_quiet_ms=after.longest_ms(quiet, from_start=False),
        standstill_ms=max((seen.longest_ms(one) for one in windows if one), default=0.0),
        clock_error_ns=error_ns,
        loss=loss,
        goes_with_fault=False,
    )


def _wider(window: Window | None, error_ns: int) -> Window | None:
    if window is None:
        return None
    return Window(start_ns=window.start_ns - error_ns, end_ns=window.end_ns + error_ns)


def _before_fault(history: History, ios: list[IoRecord], error_ns: int) -> list[IoRecord]:
    """Return the I/Os that surely ended before the fault took the host away."""
    injected = history.first(EventKind.INJECTED)
    until_ns = injected.t_ns - error_ns if injected else history.end_ns
    return [io for io in ios if 0 <= io.done_ns < until_ns]
