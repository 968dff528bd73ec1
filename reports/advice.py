"""What to do about what was found: rules over verdicts, parts of stalls and host settings. Pure.

Each recommendation rests on something that is in the evidence, and says on what.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports.model import Scenario
from reports.record import AttributionPhase, RunRecord, ScenarioJudgement, Setting, Verdict
from reports.words import count, duration, plural

MAKER = "maker of the system"
OPERATOR = "operator of the hosts"
TESTER = "test engineer"

_NAMED_MOST = 8
_ENOUGH_REPEATS = 59
"""Repeats that all pass leave a chance of failure below 5 % with 95 % confidence (exact)."""
_UNEXPLAINED = 0.1
_MENDED = "fault mended"
"""The name of the part between failover and failback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One recommendation."""

    severity: str  # "failure", "warning" or "note", as of a finding
    action: str  # what to do, in a sentence
    because: str  # what in the evidence it rests on
    owner: str
    until_then: str = ""  # what helps before it is done; "" for nothing


def advice_of(run: RunRecord, scenarios: Sequence[Scenario], failed: int) -> list[Advice]:
    """Return what to do, the gravest first; *failed* is the number of failed assertions."""
    found = [
        *_data(scenarios),
        *_errors(scenarios),
        *_slow(scenarios),
        *_redundancy(scenarios),
        *_standards(failed),
        *_open(scenarios),
        *_unexplained(scenarios),
        *_settings(run.host_timers),
        *_repeats(scenarios),
    ]
    order = ("failure", "warning", "note")
    return sorted(found, key=lambda one: order.index(one.severity))


def _names(scenarios: Sequence[Scenario]) -> str:
    ids = [one.plan.id for one in scenarios]
    more = f" and {len(ids) - _NAMED_MOST} more" if len(ids) > _NAMED_MOST else ""
    return ", ".join(ids[:_NAMED_MOST]) + more


def _data(scenarios: Sequence[Scenario]) -> Iterator[Advice]:
    wrong = [one for one in scenarios if one.mismatches]
    if wrong:
        number = sum(one.mismatches for one in wrong)
        yield Advice(
            severity="failure",
            action="Keep data that matters off this system until it is known why data was wrong.",
            because=f"{plural(number, 'wrong sector')} in {_names(wrong)}; the page “Data "
            "integrity” has the operations that show it.",
            owner=MAKER,
        )


def _errors(scenarios: Sequence[Scenario]) -> Iterator[Advice]:
    errors = [one for one in scenarios if one.io_errors]
    if errors:
        number = sum(one.io_errors for one in errors)
        yield Advice(
            severity="failure",
            action="Find what answered these I/Os with an error while another path could serve.",
            because=f"{plural(number, 'I/O error')} reached the application in {_names(errors)}.",
            owner=MAKER,
            until_then="let multipath hold I/O without a path (no_path_retry); it hides, and cures "
            "nothing",
        )


def _slow(scenarios: Sequence[Scenario]) -> Iterator[Advice]:
    for one in scenarios:
        if one.verdict is not Verdict.FAIL or one.worst is None:
            continue
        for name, stall in (("failover", one.failover), ("failback", one.failback)):
            if stall.within is False:
                yield _shorten(one, one.worst, name, stall.worst_ms or 0.0, stall.limit_ms)


def _shorten(
    one: Scenario, judgement: ScenarioJudgement, name: str, worst_ms: float, limit_ms: float
) -> Advice:
    because = f"{one.plan.id}: I/O stood still for {duration(worst_ms)}, limit {duration(limit_ms)}"
    part = _longest_part(_parts_of(judgement.attribution, name), worst_ms)
    owner, where = MAKER, "the stall"
    if part is not None:
        took = duration(part.to_ms - part.from_ms)
        because += f"; {took} of it until “{part.name}”"
        where = f"what comes before “{part.name}”"
        owner = OPERATOR if part.name.startswith("path marked") else MAKER
    return Advice(
        severity="failure",
        action=f"Shorten {where} at {name}.",
        because=f"{because}.",
        owner=owner,
    )


def _parts_of(parts: Sequence[AttributionPhase], name: str) -> list[AttributionPhase]:
    """Return the parts of one direction: those before or after the mend, which is no part."""
    mended = next((part.to_ms for part in parts if part.name == _MENDED), float("inf"))
    back = name == "failback"
    return [
        part for part in parts if part.name != _MENDED and (part.from_ms >= mended - 1e-6) is back
    ]


def _longest_part(parts: Sequence[AttributionPhase], worst_ms: float) -> AttributionPhase | None:
    """Return the part that makes most of a stall; None if none is half of it.

    What lasted longer than the stall is no part of it.
    """
    most = [p for p in parts if 0.5 * worst_ms <= p.to_ms - p.from_ms <= 1.05 * worst_ms]
    return max(most, key=lambda part: part.to_ms - part.from_ms, default=None)


def _redundancy(scenarios: Sequence[Scenario]) -> Iterator[Advice]:
    lost = [
        one
        for one in scenarios
        if one.verdict is Verdict.FAIL
        and any(
            check.name.startswith("Redundancy") and check.verdict is Verdict.FAIL
            for judgement in one.repeats
            for check in judgement.checks
        )
    ]
    if lost:
        yield Advice(
            severity="failure",
            action="Make redundancy come back by itself after the fault is mended.",
            because=f"Not restored in {_names(lost)}: the next fault would be an outage.",
            owner=MAKER,
            until_then="watch for lost redundancy and restore it by hand; compare both arrays then",
        )


def _standards(failed: int) -> Iterator[Advice]:
    if failed:
        yield Advice(
            severity="failure",
            action="Make the answers to SCSI commands conform.",
            because=f"{plural(failed, 'assertion')} failed; the page “Conformance” has each with "
            "a command that repeats it.",
            owner=MAKER,
        )


def _open(scenarios: Sequence[Scenario]) -> Iterator[Advice]:
    doubtful = [one for one in scenarios if one.verdict is Verdict.INCONCLUSIVE]
    noisy = [one for one in doubtful if _by_noise(one)]
    others = [one for one in doubtful if one not in noisy]
    absent = [one for one in scenarios if one.verdict is Verdict.NOT_RUN]
    if noisy:
        yield Advice(
            severity="warning",
            action="Run these again on a measuring host that does nothing else.",
            because=f"Noise of the host kept {_names(noisy)} from being judged.",
            owner=TESTER,
        )
    if others:
        yield Advice(
            severity="warning",
            action="Find why the fault could not be shown to be there, then run these again.",
            because=f"{_names(others)} came to no verdict; the page of each says why.",
            owner=TESTER,
        )
    if absent:
        needs = "; ".join(dict.fromkeys(one.plan.need for one in absent if one.plan.need))
        yield Advice(
            severity="warning",
            action="Extend the lab, or leave these out of the requirements.",
            because=f"Not tested: {_names(absent)}." + (f" Needed: {needs}." if needs else ""),
            owner=TESTER,
        )


def _by_noise(one: Scenario) -> bool:
    """Whether only figures of time kept a scenario from a verdict."""
    open_lines = [
        check
        for judgement in one.repeats
        for check in judgement.checks
        if check.verdict is Verdict.INCONCLUSIVE
    ]
    names = ("Longest stall", "Noise floor", "Suite kept running")
    return bool(open_lines) and all(check.name.startswith(names) for check in open_lines)


def _unexplained(scenarios: Sequence[Scenario]) -> Iterator[Advice]:
    for one in scenarios:
        worst = max(one.failover.worst_ms or 0.0, one.failback.worst_ms or 0.0)
        dark = max((judged.unattributed_ms or 0.0 for judged in one.repeats), default=0.0)
        beyond = one.failover.within is False or one.failback.within is False
        if beyond and dark > _UNEXPLAINED * worst:
            yield Advice(
                severity="note",
                action="Record more of what the system says of itself.",
                because=f"{one.plan.id}: nothing in the evidence explains {duration(dark)} of the "
                f"longest stall of {duration(worst)}.",
                owner=MAKER,
            )


def _repeats(scenarios: Sequence[Scenario]) -> Iterator[Advice]:
    most = max((one.plan.repeats for one in scenarios), default=0)
    if 0 < most < _ENOUGH_REPEATS:
        yield Advice(
            severity="note",
            action=f"Repeat each fault {_ENOUGH_REPEATS} times (--repeat) before relying on how "
            "often it passes.",
            because=f"{plural(most, 'repeat')} of each were planned; {_ENOUGH_REPEATS} that all "
            "pass leave a chance of failure below 5 % with 95 % confidence.",
            owner=TESTER,
        )


def _settings(timers: Sequence[Setting]) -> Iterator[Advice]:
    values = {one.name: one.value for one in timers}
    yield from _scsi(values)
    yield from _iscsi(values)
    yield from _fibre_channel(values)
    yield from _multipath(values)
    if _number(values, "TCMU cmd_time_out") == 0:
        yield Advice(
            severity="warning",
            action="Give TCMU a cmd_time_out: with 0 a process that hangs holds its commands for "
            "ever.",
            because="TCMU cmd_time_out is 0.",
            owner=MAKER,
        )


def _number(values: Mapping[str, str], name: str) -> float | None:
    """Return the number a setting begins with; None if there is none."""
    found = re.match(r"-?\d+(?:\.\d+)?", values.get(name, "").strip())
    return float(found.group()) if found else None


def _scsi(values: Mapping[str, str]) -> Iterator[Advice]:
    if values.get("SCSI eh_deadline") == "off":
        timer = values.get("SCSI command timer", "")
        after = f" after the command timer of {timer.removesuffix(' s')} s" if timer else ""
        yield Advice(
            severity="warning",
            action="Set eh_deadline of the SCSI hosts, so that error handling ends in a reset of "
            "the adapter.",
            because=f"eh_deadline is off: how long a path that does not answer holds I/O{after} "
            "has no bound.",
            owner=OPERATOR,
            until_then="rely on the system to answer on every path within its own limit",
        )


def _iscsi(values: Mapping[str, str]) -> Iterator[Advice]:
    recovery = _number(values, "iSCSI recovery_tmo")
    if recovery is not None and recovery >= 30:
        yield Advice(
            severity="warning",
            action="Lower the iSCSI replacement time-out beneath multipath, to 5 s say.",
            because=f"iSCSI recovery_tmo is {recovery:g} s: so long a lost session holds its I/O.",
            owner=OPERATOR,
        )
    if _number(values, "iSCSI NOP-Out interval") == 0:
        yield Advice(
            severity="warning",
            action="Switch on iSCSI NOP-Out, to notice a session that swallows everything.",
            because="The NOP-Out interval is 0.",
            owner=OPERATOR,
        )


def _fibre_channel(values: Mapping[str, str]) -> Iterator[Advice]:
    if values.get("FC fast_io_fail_tmo") == "off":
        yield Advice(
            severity="warning",
            action="Set fast_io_fail_tmo beneath multipath, to 5 s say.",
            because="FC fast_io_fail_tmo is off: a lost port holds its I/O until dev_loss_tmo.",
            owner=OPERATOR,
        )


def _multipath(values: Mapping[str, str]) -> Iterator[Advice]:
    maps = [name for name, value in values.items() if name.startswith("multipath map of")]
    queueing = [name for name in maps if "queue_if_no_path" in values[name]]
    if queueing:
        yield Advice(
            severity="note",
            action="Decide whether I/O may wait without end when every path is gone.",
            because=f"{count(len(queueing))} of {plural(len(maps), 'multipath map')} queue "
            "without a path: no error, but programs hang until a path returns.",
            owner=OPERATOR,
        )
    elif maps:
        yield Advice(
            severity="warning",
            action="Let multipath hold I/O for a while when every path is gone (no_path_retry).",
            because="No map queues: one moment without a path is an error of the application.",
            owner=OPERATOR,
        )
    longest = _number(values, "multipath max_polling_interval")
    if longest is not None and longest >= 10:
        yield Advice(
            severity="note",
            action="Lower max_polling_interval of multipath.",
            because=f"It is {longest:g} s: a path that is back is used that much later.",
            owner=OPERATOR,
        )
