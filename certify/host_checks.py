"""The lines of 'expected and observed' about each host that is a machine of its own. Pure.

A page has room for few: of hosts that are as they should be only the worst has a line of each kind,
and so have at most BAD_MAX of those that are not. What each host had is in the judgement.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from msgspec.structs import replace

from certify.doubts import ENDED, NEVER_COMPARED_NS, ON, events_of
from certify.history import History
from certify.host_measures import HostMeasured
from certify.outage import RETURN
from certify.stall import NS_PER_MS, Stall
from certify.stall_checks import NO_IO, STALL, check_stall
from certify.verdict import show_ms
from reports.record import Check, EventKind, IoOutcome, Verdict

FINE = "as expected"
BAD_MAX = 3
_GRAVITY = {Verdict.PASS: 0, Verdict.NOT_RUN: 1, Verdict.INCONCLUSIVE: 2, Verdict.FAIL: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line about one host. Of two lines of a *kind*, the one with the larger *worth* is worse."""

    kind: str
    check: Check
    worth: float = 0.0


def check_hosts(history: History, hosts: Sequence[HostMeasured]) -> list[Check]:
    """Return the lines of all hosts; a host that was to take part and did not is INCONCLUSIVE."""
    lines = [line for host in hosts for line in _lines_of(history, host)]
    kinds = list(dict.fromkeys(line.kind for line in lines))
    lines.sort(key=lambda line: kinds.index(line.kind))
    return [
        check
        for _, group in groupby(lines, key=lambda line: line.kind)
        for check in _folded(sorted(group, key=_gravity, reverse=True))
    ]


def _gravity(line: _Line) -> tuple[int, float]:
    return _GRAVITY[line.check.verdict], line.worth


def _folded(lines: Sequence[_Line]) -> Iterator[Check]:
    """Yield what is told of lines of one kind, the worst first."""
    bad = [line.check for line in lines if line.check.verdict is not Verdict.PASS]
    good = [line.check for line in lines if line.check.verdict is Verdict.PASS]
    yield from _first(bad, BAD_MAX)
    if len(good) > 1:
        yield replace(good[0], name=f"{good[0].name}, the worst of {len(good)}")
    else:
        yield from good


def _first(checks: Sequence[Check], most: int) -> Iterator[Check]:
    """Yield the first ones; the last of these says how many more there are."""
    for place, check in enumerate(checks[:most], start=1):
        more = len(checks) - most
        if place == most and more > 0:
            yield replace(check, observed=f"{check.observed}; the same of {more} more")
        else:
            yield check


def _lines_of(history: History, host: HostMeasured) -> Iterable[_Line]:
    yield _Line(kind="presence", check=_check_presence(history, host))
    yield _Line(kind="clock", check=_check_clock(history, host), worth=host.clock_error_ns)
    if host.goes_with_fault:
        return
    yield from (
        line
        for line in _stalls_of(history, host)
        if host.loss is None or line.check.observed != NO_IO  # of a lost one, what was seen
    )


def _check_presence(history: History, host: HostMeasured) -> Check:
    name, expected = f"Probes of {host.name}", "on to the end, reads and writes seen to succeed"
    if host.goes_with_fault:
        expected = "gone with the fault, not before"
    states = [event.data.get("state") for event in events_of(history, EventKind.HOST, host.name)]
    good = {io.op for io in host.judged if io.outcome is IoOutcome.GOOD}
    verdict, observed = Verdict.INCONCLUSIVE, FINE
    if ON not in states:
        observed = "they never began"
    elif host.goes_with_fault:
        verdict, observed = _departure(history, host)
    elif host.loss is not None:
        observed = host.loss.detail
    elif ENDED not in states:
        observed = "nobody told how they ended"
    elif not {"read", "write"} <= good:
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


def _stalls_of(history: History, host: HostMeasured) -> Iterator[_Line]:
    plan = history.plan

    def line(when: str, seen: Stall | None, certain_ms: float | None, limit_ms: float) -> _Line:
        check = check_stall(
            f"{when}, {host.name}",
            seen,
            limit_ms=limit_ms,
            certain_ms=certain_ms,
            standstill_ms=host.standstill_ms,
        )
        return _Line(kind=when, check=check, worth=seen.ms if seen else 0.0)

    if not plan.fault:
        yield line(
            f"{STALL} without a fault", host.quiet, host.certain_quiet_ms, plan.limit_failover_ms
        )
        return
    if plan.outage is None or host.failover is not None:
        yield line(
            f"{STALL} after the fault",
            host.failover,
            host.certain_failover_ms,
            plan.limit_failover_ms,
        )
    limit_ms = plan.limit_failback_ms if plan.outage is None else plan.outage.return_ms
    yield line(
        f"{STALL} after mending" if plan.outage is None else RETURN,
        host.failback if plan.outage is None else host.outage_return,
        host.certain_failback_ms,
        limit_ms,
    )
