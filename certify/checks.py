"""The lines of 'expected and observed' of one repeat of one scenario. Pure."""

import re

from certify.asks import check_asks
from certify.exercise_checks import check_exercises
from certify.history import OTHER_HOST, READBACK, History
from certify.host_checks import check_hosts
from certify.measures import Measured
from certify.outage import check_outage
from certify.stall import Stall
from certify.stall_checks import NO_IO, STALL, check_stall
from certify.step_checks import check_steps
from certify.verdict import NOISE_SHARE, show_ms
from reports.record import Check, EventKind, IoOutcome, ScenarioJudgement, Verdict

FINE = "as expected"
NOISE = "Noise floor"
STANDSTILL = "Suite kept running"
NOT_MEASURED = "not measured"
_KERNEL_BROKEN = re.compile(r"\bBUG: |\bOops\b|Kernel panic|general protection fault")
"""How the kernel begins what it says of itself when it is broken (die(), panic(), bug.c)."""


def checks_of(history: History, measured: Measured) -> list[Check]:
    """Return the lines of 'expected and observed', failures first."""
    checks = [_check_suite(history, measured)]
    if history.plan.fault:
        checks += check_steps(history)
        checks += _check_stalls(history, measured)
    else:
        checks.append(_check_quiet(history, measured))
    checks += [
        _check_errors(measured),
        _check_never(measured),
        _check_data(measured),
        _check_readback(history),
        *_check_arrays(history),
        _check_redundancy(history),
        _check_kernel(history),
        *_check_noise(history, measured),
        *_check_standstill(history, measured),
        *check_hosts(history, measured.hosts),
        *check_exercises(history),
        *check_asks(history),
    ]
    order = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.PASS]
    return sorted(checks, key=lambda check: order.index(check.verdict))


def _check(name: str, expected: str, observed: str, verdict: Verdict) -> Check:
    return Check(name=name, expected=expected, observed=observed, verdict=verdict)


def _check_suite(history: History, measured: Measured) -> Check:
    name, expected = "Scenario ran to its end", "every phase, reads and writes seen to succeed"
    error = history.first(EventKind.ERROR)
    if error is not None:
        return _check(name, expected, error.detail or error.subject, Verdict.INCONCLUSIVE)
    if history.phase_ns("done") is None:
        observed = "the run ended in the middle of the scenario"
        return _check(name, expected, observed, Verdict.INCONCLUSIVE)
    if not measured.sound:
        observed = "the application's reads or writes never succeeded"
        return _check(name, expected, observed, Verdict.INCONCLUSIVE)
    return _check(name, expected, FINE, Verdict.PASS)


def _check_stalls(history: History, measured: Measured) -> list[Check]:
    plan = history.plan
    gap = "" if measured.gap_ms is None else f" (no I/O ended for {show_ms(measured.gap_ms)})"
    after_fault = check_stall(
        f"{STALL} after the fault",
        measured.failover,
        limit_ms=plan.limit_failover_ms,
        certain_ms=measured.certain_failover_ms,
        standstill_ms=measured.standstill_ms,
        note=gap,
    )
    if measured.outage is not None:
        before = [after_fault] if measured.outage.before else []
        return [*before, *check_outage(history, measured.outage)]
    return [
        after_fault,
        check_stall(
            f"{STALL} after mending",
            measured.failback,
            limit_ms=plan.limit_failback_ms,
            certain_ms=measured.certain_failback_ms,
            standstill_ms=measured.standstill_ms,
        ),
    ]


def _check_quiet(history: History, measured: Measured) -> Check:
    return check_stall(
        f"{STALL} without a fault",
        measured.quiet,
        limit_ms=history.plan.limit_failover_ms,
        certain_ms=measured.certain_quiet_ms,
        standstill_ms=measured.standstill_ms,
    )


def _check_errors(measured: Measured) -> Check:
    name, expected = "I/O errors at the application", "0"
    if not measured.errors:
        return _check(name, expected, "0", Verdict.PASS)
    first = measured.errors[0]
    observed = f"{len(measured.errors)}; first: {first.op} at LBA {first.lba}, errno {first.errno}"
    if first.probe.startswith(OTHER_HOST):
        observed += f", by {first.probe}"
    return _check(name, expected, observed, Verdict.FAIL)


def _check_never(measured: Measured) -> Check:
    name, expected = "I/Os that never ended", "0"
    verdict = Verdict.FAIL if measured.never else Verdict.PASS
    return _check(name, expected, str(measured.never), verdict)


def _check_data(measured: Measured) -> Check:
    name, expected = "Data read is the data written", "0 mismatches"
    found = measured.integrity
    if found.mismatches:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.counts().items()))
        first = found.mismatches[0]
        observed = (
            f"{kinds} of {found.sectors_verified:,} sectors; first: LBA {first.lba}, "
            f"expected {first.expected}, seen {first.seen}"
        )
        return _check(name, expected, observed, Verdict.FAIL)
    if not found.sectors_verified:
        return _check(name, expected, "no sector was read back", Verdict.INCONCLUSIVE)
    observed = f"0 of {found.sectors_verified:,} sectors"
    return _check(name, expected, observed, Verdict.PASS)


def _check_readback(history: History) -> Check:
    name, expected = "Read back through every path", "every sector written, by each path"
    rows = history.of_probe(READBACK)
    bad = [io for io in rows if io.outcome is not IoOutcome.GOOD]
    if bad:
        first = bad[0]
        observed = (
            f"{len(bad)} reads failed; first: {first.probe} at LBA {first.lba}, "
            f"{first.sense or first.outcome}"
        )
        return _check(name, expected, observed, Verdict.FAIL)
    events = history.of_kind(EventKind.READBACK)
    if not events or not rows:
        return _check(name, expected, "not done", Verdict.INCONCLUSIVE)
    return _check(name, expected, "; ".join(_told(event.detail) for event in events), Verdict.PASS)


def _told(detail: str) -> str:
    return detail or FINE


def _check_arrays(history: History) -> list[Check]:
    name, expected = "Arrays compared sector by sector", "equal"
    compared = history.of_kind(EventKind.COMPARE)
    differing = [event for event in compared if not event.data.get("equal")]
    if differing:
        return [_check(name, expected, differing[0].detail or "different", Verdict.FAIL)]
    if compared:
        sectors = sum(int(event.data.get("sectors", 0)) for event in compared)
        if not sectors:
            return [_check(name, expected, "nothing was compared", Verdict.INCONCLUSIVE)]
        return [_check(name, expected, f"equal, {sectors:,} sectors each", Verdict.PASS)]
    excused = any(note.subject == "compare" for note in history.of_kind(EventKind.NOTE))
    if excused:
        return []
    return [_check(name, expected, "not done", Verdict.INCONCLUSIVE)]


def _check_redundancy(history: History) -> Check:
    name, expected = "Redundancy at the end", "restored, and seen to be"
    told = history.of_kind(EventKind.REDUNDANCY)
    if not told:
        return _check(name, expected, "not looked at", Verdict.INCONCLUSIVE)
    # Where several faults follow each other, it is looked at before each of them.
    last = next((event for event in told if not event.data.get("restored")), told[-1])
    verdict = Verdict.PASS if last.data.get("restored") else Verdict.FAIL
    return _check(name, expected, _told(last.detail), verdict)


def _check_kernel(history: History) -> Check:
    """A host whose kernel is broken can prove nothing about anybody else."""
    name, expected = "Kernel log of the host", "no BUG, Oops or panic"
    for event in history.of_kind(EventKind.KERNEL):
        if _KERNEL_BROKEN.search(event.detail):
            return _check(name, expected, event.detail, Verdict.INCONCLUSIVE)
    return _check(name, expected, FINE, Verdict.PASS)


def _check_noise(history: History, measured: Measured) -> list[Check]:
    """One line per window that has a limit: what the measuring host itself adds to a stall."""
    plan = history.plan
    when = "after the fault" if plan.fault else "without a fault"
    stall = measured.failover or measured.quiet
    checks = [_noise_check(when, measured.noise_failover_ms, plan.limit_failover_ms, stall)]
    if history.failback is not None and measured.outage is None:
        checks.append(
            _noise_check(
                "after mending",
                measured.noise_failback_ms,
                plan.limit_failback_ms,
                measured.failback,
            )
        )
    return checks


def _noise_check(when: str, floor_ms: float | None, limit_ms: float, seen: Stall | None) -> Check:
    name = f"{NOISE} {when}"
    most = limit_ms * NOISE_SHARE
    expected = f"≤ {show_ms(most)}, or the stall within its limit all the same"
    if floor_ms is None:
        return _check(name, expected, NOT_MEASURED, Verdict.INCONCLUSIVE)
    if floor_ms <= most:
        return _check(name, expected, show_ms(floor_ms), Verdict.PASS)
    if seen is not None and seen.complete and seen.ms <= limit_ms:
        observed = f"{show_ms(floor_ms)}; the stall is at most what was measured"
        return _check(name, expected, observed, Verdict.PASS)
    return _check(name, expected, show_ms(floor_ms), Verdict.INCONCLUSIVE)


def _check_standstill(history: History, measured: Measured) -> list[Check]:
    """One line if the suite itself stood still for long enough to matter."""
    limit_ms = min(history.plan.limit_failover_ms, history.plan.limit_failback_ms)
    most = limit_ms * NOISE_SHARE
    if measured.standstill_ms <= most:
        return []
    expected = f"≤ {show_ms(most)}, or the stall within its limit all the same"
    observed = f"the measuring process stood still for {show_ms(measured.standstill_ms)}"
    stalls = (
        (measured.failover or measured.quiet, history.plan.limit_failover_ms),
        (measured.failback, history.plan.limit_failback_ms),
    )
    if all(one is None or (one.complete and one.ms <= most) for one, most in stalls):
        observed += "; the stall is at most what was measured"
        return [_check(STANDSTILL, expected, observed, Verdict.PASS)]
    return [_check(STANDSTILL, expected, observed, Verdict.INCONCLUSIVE)]


def untimed(seen: ScenarioJudgement) -> bool:
    """Say whether noise, and nothing else, kept a repeat from being judged."""
    open_lines = [check for check in seen.checks if check.verdict is not Verdict.PASS]
    return seen.verdict is Verdict.INCONCLUSIVE and all(
        check.verdict is Verdict.INCONCLUSIVE
        and check.name.startswith((STALL, NOISE, STANDSTILL))
        and check.observed not in (NOT_MEASURED, NO_IO)
        for check in open_lines
    )
