"""The judge of one repeat of one scenario: history in, judgement out. Pure.

Nothing here knows how the history came about, so an old run can be judged again and a
hand-written history proves the judge.
"""

from certify import stall
from certify.attribution import attribute, unattributed_ms
from certify.checks import checks_of
from certify.doubts import NEVER_COMPARED_NS
from certify.history import APPLICATION, NOT_RUN, History
from certify.host_measures import HostMeasured
from certify.latency import statistics_of
from certify.measures import Measured, measure
from certify.stall import Stall
from certify.verdict import grade_of, merge, show_ms
from reports.record import (
    Check,
    EventKind,
    Grade,
    HostJudgement,
    IoOutcome,
    ScenarioJudgement,
    Verdict,
)


def judge(history: History) -> ScenarioJudgement:
    """Judge one repeat of one scenario.

    Never raises for what a system under test can do: what cannot be judged is INCONCLUSIVE.
    """
    plan = history.plan
    if plan.not_run:
        return _nothing(history, Verdict.NOT_RUN, plan.not_run)
    for note in history.of_kind(EventKind.NOTE):
        if note.subject == NOT_RUN:
            return _nothing(history, Verdict.NOT_RUN, note.detail)
    if not history.events:
        return _nothing(history, Verdict.NOT_RUN, "The run ended before this scenario began.")
    measured = measure(history)
    checks = checks_of(history, measured)
    verdict = merge(check.verdict for check in checks)
    late_ms = max(10.0, measured.quiet.ms if measured.quiet else 0.0)
    quiet = history.steady
    latencies = stall.latencies_ms(history.of_probe(APPLICATION), quiet) if quiet else []
    return ScenarioJudgement(
        id=plan.id,
        repeat=history.repeat,
        verdict=verdict,
        reason=_reason(history, verdict, checks, measured),
        grade=_grade(verdict, measured),
        stall_failover_ms=_longest_failover_ms(measured),
        stall_failback_ms=_longest_failback_ms(measured),
        noise_floor_ms=_worst(measured.noise_failover_ms, measured.noise_failback_ms),
        steady_ms_max=_ms(measured.quiet),
        latency_ms_p50=stall.percentile(latencies, 0.5),
        latency_ms_p99=stall.percentile(latencies, 0.99),
        io_count=sum(io.outcome is not IoOutcome.NOT_SENT for io in history.ios),
        io_errors=len(measured.errors),
        sectors_written=measured.integrity.sectors_written,
        sectors_verified=measured.integrity.sectors_verified,
        mismatches=measured.integrity.sectors_wrong,
        redundancy_restored_ms=_restored_ms(history),
        checks=checks,
        attribution=attribute(history, late_ms=late_ms),
        unattributed_ms=unattributed_ms(history, late_ms=late_ms),
        standstill_ms=measured.standstill_ms or None,
        statistics=statistics_of(history),
        violations=measured.integrity.violations,
        hosts=[_of_host(host) for host in measured.hosts],
    )


def _of_host(host: HostMeasured) -> HostJudgement:
    compared = host.clock_error_ns < NEVER_COMPARED_NS
    return HostJudgement(
        name=host.name,
        stall_failover_ms=_ms(host.failover),
        stall_failback_ms=_ms(host.failback),
        steady_ms_max=_ms(host.quiet),
        clock_error_ms=host.clock_error_ns / stall.NS_PER_MS if compared else None,
        lost=host.loss.detail if host.loss else "",
    )


def _longest_quiet_ms(measured: Measured) -> float | None:
    return _worst(_ms(measured.quiet), *(_ms(host.quiet) for host in measured.hosts))


def _longest_failover_ms(measured: Measured) -> float | None:
    return _worst(_ms(measured.failover), *(_ms(host.failover) for host in measured.hosts))


def _longest_failback_ms(measured: Measured) -> float | None:
    return _worst(_ms(measured.failback), *(_ms(host.failback) for host in measured.hosts))


def _nothing(history: History, verdict: Verdict, reason: str) -> ScenarioJudgement:
    return ScenarioJudgement(
        id=history.plan.id,
        repeat=history.repeat,
        verdict=verdict,
        reason=reason,
        grade=None,
        stall_failover_ms=None,
        stall_failback_ms=None,
        noise_floor_ms=None,
        steady_ms_max=None,
        latency_ms_p50=None,
        latency_ms_p99=None,
        io_count=0,
        io_errors=0,
        sectors_written=0,
        sectors_verified=0,
        mismatches=0,
        redundancy_restored_ms=None,
        checks=[],
        attribution=[],
    )


def unjudgeable(history: History, reason: str) -> ScenarioJudgement:
    """Return the judgement of a history that the judge itself failed on."""
    return _nothing(history, Verdict.INCONCLUSIVE, reason)


def _ms(one: Stall | None) -> float | None:
    return one.ms if one else None


def _worst(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _grade(verdict: Verdict, measured: Measured) -> Grade | None:
    if verdict is Verdict.FAIL:
        return Grade.NOT_CERTIFIED
    if verdict is not Verdict.PASS:
        return None
    quiet, failover = _longest_quiet_ms(measured), _longest_failover_ms(measured)
    return grade_of(quiet if failover is None else failover, _longest_failback_ms(measured))


def _restored_ms(history: History) -> float | None:
    mended = history.first(EventKind.MENDED)
    if mended is None:
        return None
    for event in history.of_kind(EventKind.REDUNDANCY):
        if event.data.get("restored") and event.t_ns >= mended.t_ns:
            return (event.t_ns - mended.t_ns) / stall.NS_PER_MS
    return None


def _reason(history: History, verdict: Verdict, checks: list[Check], measured: Measured) -> str:
    """Say in a sentence or two why, for a stranger."""
    if verdict is Verdict.PASS:
        return _reason_of_pass(measured)
    decisive = [check for check in checks if check.verdict is verdict]
    parts = [f"{check.name}: {check.observed} (expected {check.expected})" for check in decisive]
    return "; ".join(parts[:3]) + "."


def _reason_of_pass(measured: Measured) -> str:
    of_hosts = f", of {1 + len(measured.hosts)} hosts" if measured.hosts else ""
    sectors = f"0 I/O errors; {measured.integrity.sectors_verified:,} sectors right."
    if measured.failover is None or measured.failback is None:
        quiet = _longest_quiet_ms(measured)
        return f"Longest I/O {'–' if quiet is None else show_ms(quiet)}{of_hosts}; {sectors}"
    failover, failback = _longest_failover_ms(measured), _longest_failback_ms(measured)
    return (
        f"Longest stall {show_ms(failover or 0.0)} after the fault, "
        f"{show_ms(failback or 0.0)} after mending{of_hosts}; {sectors}"
    )
