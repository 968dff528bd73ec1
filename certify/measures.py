"""The numbers that a judgement is made of, taken from a history. Pure."""

from dataclasses import dataclass

from certify import stall
from certify.certain import Certain
from certify.doubts import doubts_of, loss_of, prefix
from certify.history import APPLICATION, CONTROL, OTHER_HOST, History, Window
from certify.host_measures import HostMeasured, measure_hosts
from certify.integrity import Integrity, check, check_tables
from certify.outage import Outage, before_only, outage_of
from certify.stall import Stall
from certify.standstill import late_waits, standstills
from reports.record import IoOutcome, IoRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured in one repeat of one scenario; None where there was nothing to measure."""

    failover: Stall | None
    failback: Stall | None
    quiet: Stall | None
    noise_failover_ms: float | None
    noise_failback_ms: float | None
    gap_ms: float | None
    errors: list[IoRecord]
    never: int
    integrity: Integrity
    sound: bool  # reads and writes were seen to succeed
    certain_failover_ms: float | None = None  # of the longest stall, whatever the suite missed
    certain_failback_ms: float | None = None
    certain_quiet_ms: float | None = None
    standstill_ms: float = 0.0  # the longest of the suite itself while probes were on
    outage: Outage | None = None  # that the plan means the application to see
    hosts: tuple[HostMeasured, ...] = ()  # that are machines of their own


def measure(history: History) -> Measured:
    """Take the numbers of one repeat of one scenario."""
    application = history.of_probe(APPLICATION)
    control = history.of_probe(CONTROL)
    end = history.end_ns
    failover, failback, quiet = history.failover, history.failback, history.steady
    outage = outage_of(history)
    if outage is not None:  # what may happen in it is no stall; what must, checks of its own say
        failover, failback = outage.before, None
    judged = before_only(application, outage)
    good = {io.op for io in application if io.outcome is IoOutcome.GOOD}
    seen = standstills(history)
    hosts = measure_hosts(history, outage)
    certain = Certain(judged, late_waits(control, end_ns=end), seen, end)
    return Measured(
        failover=stall.longest(judged, failover, end_ns=end) if failover else None,
        failback=stall.longest_from(judged, failback, end_ns=end) if failback else None,
        quiet=_quiet(application, quiet),
        noise_failover_ms=_noise(control, failover or quiet, end),
        noise_failback_ms=_noise(control, failback, end),
        gap_ms=stall.longest_gap_ms(judged, failover) if failover else None,
        errors=[
            io
            for io in (*application, *(io for host in hosts for io in host.judged))
            if io.outcome in _ERRORS and not (outage and outage.excuses(io))
        ],
        never=sum(io.done_ns < 0 for io in (*application, *_of_present_hosts(history))),
        integrity=_integrity(history),
        sound={"read", "write"} <= good,
        certain_failover_ms=certain.longest_ms(failover, from_start=False),
        certain_failback_ms=certain.longest_ms(failback, from_start=True),
        certain_quiet_ms=certain.longest_ms(quiet, from_start=False),
        standstill_ms=max(
            (seen.longest_ms(one) for one in (quiet, failover, failback) if one), default=0.0
        ),
        outage=outage,
        hosts=hosts,
    )


def _of_present_hosts(history: History) -> list[IoRecord]:
    """Return the I/Os of other hosts; what became of those of one that was lost nobody knows."""
    lost = tuple(prefix(host) for host in history.plan.hosts if loss_of(history, host))
    return [io for io in history.of_probe(OTHER_HOST) if not io.probe.startswith(lost)]


def _integrity(history: History) -> Integrity:
    """Judge the data from columns where there are some: a long history fits no list."""
    doubts = doubts_of(history)
    return check_tables(history.tables, doubts) if history.tables else check(history.ios, doubts)


_ERRORS = frozenset(
    {IoOutcome.ERROR, IoOutcome.CHECK_CONDITION, IoOutcome.STATUS, IoOutcome.TRANSPORT}
)


def _quiet(application: list[IoRecord], window: Window | None) -> Stall | None:
    """The longest wait before the fault, of I/Os that ended before it."""
    if window is None:
        return None
    ended = [io for io in application if 0 <= io.done_ns < window.end_ns]
    return stall.longest(ended, window, end_ns=window.end_ns)


def _noise(control: list[IoRecord], window: Window | None, end: int) -> float | None:
    if window is None or not control:
        return None
    worst = stall.longest(control, window, end_ns=end)
    return worst.ms if worst else None
