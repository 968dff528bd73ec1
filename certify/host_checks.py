"""The lines of 'expected and observed' about each host that is a machine of its own. Pure."""

from collections.abc import Iterator, Sequence

from certify.doubts import ENDED, NEVER_COMPARED_NS, ON, events_of
from certify.history import History
from certify.host_measures import HostMeasured
from certify.outage import RETURN
from certify.stall import NS_PER_MS, Stall
from certify.stall_checks import STALL, check_stall
from certify.verdict import show_ms
from reports.record import Check, EventKind, IoOutcome, Verdict

FINE = "as expected"


def check_hosts(history: History, hosts: Sequence[HostMeasured]) -> list[Check]:
    """Return the lines of all hosts; a host that was to take part and did not is INCONCLUSIVE."""
    return [check for host in hosts for check in _check_host(history, host)]


def _check_host(history: History, host: HostMeasured) -> Iterator[Check]:
    yield _check_presence(history, host)
    yield _check_clock(history, host)
    if host.goes_with_fault or (host.loss is not None and not host.judged):
        return
    yield from _check_stalls(history, host)


def _check_presence(history: History, host: HostMeasured) -> Check:
    name, expected = f"Probes of {host.name}", "on to the end, reads and writes seen to succeed"
    if host.goes_with_fault:
        expected = "gone with the fault, not before"
    states = [event.data.get("state") for event in events_of(history, EventKind.HOST, host.name)]
    verdict, observed = Verdict.INCONCLUSIVE, FINE
    if ON not in states:
        observed = "they never began"
    elif host.goes_with_fault:
        verdict, observed = _departure(history, host)
    elif host.loss is not None:
        observed = host.loss.detail
    elif ENDED not in states:
        observed = "nobody told how they ended"
    elif not {"read", "write"} <= {io.op for io in host.judged if io.outcome is IoOutcome.GOOD}:
        observed = "its reads or writes never succeeded"
    else:
        verdict = Verdict.PASS
    return Check(name=name, expected=expected, observed=observed, verdict=verdict)


def _departure(history: History, host: HostMeasured) -> tuple[Verdict, str]:
    """Say whether a host that the fault takes away went with it."""
    injected = history.first(EventKind.INJECTED)
    if host.loss is None:
        return Verdict.INCONCLUSIVE, "the fault did not take it away"
    if injected is None or host.loss.t_ns < injected.t_ns:
        return Verdict.INCONCLUSIVE, f"before the fault: {host.loss.detail}"
    return Verdict.PASS, host.loss.detail


def _check_clock(history: History, host: HostMeasured) -> Check:
    name, expected = f"Clock of {host.name}", "compared with that of the measuring host"
    if host.clock_error_ns >= NEVER_COMPARED_NS:
        verdict, observed = Verdict.INCONCLUSIVE, "never compared"
    else:
        within = show_ms(host.clock_error_ns / NS_PER_MS)
        times = len(events_of(history, EventKind.CLOCK, host.name))
        verdict, observed = Verdict.PASS, f"known within ±{within}, compared {times} times"
    return Check(name=name, expected=expected, observed=observed, verdict=verdict)


def _check_stalls(history: History, host: HostMeasured) -> Iterator[Check]:
    plan = history.plan

    def check(when: str, seen: Stall | None, certain_ms: float | None, limit_ms: float) -> Check:
        return check_stall(
            f"{when}, {host.name}",
            seen,
            limit_ms=limit_ms,
            certain_ms=certain_ms,
            standstill_ms=host.standstill_ms,
        )

    if not plan.fault:
        yield check(
            f"{STALL} without a fault", host.quiet, host.certain_quiet_ms, plan.limit_failover_ms
        )
        return
    if plan.outage is None or host.failover is not None:
        yield check(
            f"{STALL} after the fault",
            host.failover,
            host.certain_failover_ms,
            plan.limit_failover_ms,
        )
    limit_ms = plan.limit_failback_ms if plan.outage is None else plan.outage.return_ms
    yield check(
        f"{STALL} after mending" if plan.outage is None else RETURN,
        host.failback if plan.outage is None else host.outage_return,
        host.certain_failback_ms,
        limit_ms,
    )
