"""A baseline: what a run once achieved, so that a later one can be seen to have become worse. Pure.

A stall that is merely longer is no regression, for two runs of one system are never equal. It has
become worse when it is longer by a factor *and* by more than the noise of both runs explains.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from certify.verdict import show_ms
from reports.folder import Run
from reports.model import GRAVITY, Scenario, scenarios_of
from reports.record import AssertionRecord, Record, RecordError, Verdict

SCHEMA = 1
FACTOR = 1.5
"""A stall may be this much longer. Repeats of one system in the virtual lab differ by less."""
SLACK_MS = 20.0
"""Two intervals of the probes: below it, a stall is a matter of when an I/O happened to be due."""


class ScenarioBaseline(Record, frozen=True, kw_only=True):
    """What one scenario achieved: the worst of its repeats. Times are None where not measured."""

    id: str
    verdict: Verdict
    stall_failover_ms: float | None
    stall_failback_ms: float | None
    noise_floor_ms: float


class Baseline(Record, frozen=True, kw_only=True):
    """The whole of a baseline file."""

    schema: int
    run_id: str
    evidence_root: str
    system_under_test: str
    profile: str
    kernel: str
    scenarios: list[ScenarioBaseline]
    conformance_passed: list[str]  # "family/name on path"


def baseline_of(run: Run) -> Baseline:
    """Return what *run* achieved."""
    return Baseline(
        schema=SCHEMA,
        run_id=run.run.run_id,
        evidence_root=run.root,
        system_under_test=run.run.system_under_test.name,
        profile=run.run.profile,
        kernel=run.run.lab.kernel,
        scenarios=[
            _scenario(one)
            for one in sorted(scenarios_of(run), key=lambda scenario: scenario.plan.id)
        ],
        conformance_passed=sorted(_passed(run)),
    )


def _scenario(one: Scenario) -> ScenarioBaseline:
    return ScenarioBaseline(
        id=one.plan.id,
        verdict=one.verdict,
        stall_failover_ms=one.failover.worst_ms,
        stall_failback_ms=one.failback.worst_ms,
        noise_floor_ms=max((repeat.noise_floor_ms or 0.0 for repeat in one.repeats), default=0.0),
    )


def _name(one: AssertionRecord) -> str:
    return f"{one.family}/{one.name}" + (f" on {one.path}" if one.path else "")


def _passed(run: Run) -> set[str]:
    """Return the assertions that passed and nowhere else failed under the same name."""
    verdicts: dict[str, list[Verdict]] = {}
    for one in run.conformance.assertions:
        verdicts.setdefault(_name(one), []).append(one.verdict)
    return {name for name, told in verdicts.items() if set(told) == {Verdict.PASS}}


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file; raise RecordError naming it and what is wrong."""
    try:
        baseline = msgspec.json.decode(path.read_bytes(), type=Baseline)
    except FileNotFoundError as error:
        raise RecordError(f"{path}: missing; certify baseline RUN -o {path} writes one") from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: not a baseline: {error}") from error
    if baseline.schema != SCHEMA:
        raise RecordError(f"{path}: schema: expected {SCHEMA}, seen {baseline.schema}")
    return baseline


def regressions(baseline: Baseline, run: Run) -> list[str]:
    """Return one sentence for each thing that has become worse, [] if nothing has.

    Raises RecordError when *run* cannot be held against *baseline*: another profile or kernel.
    """
    now = baseline_of(run)
    for what, then, seen in (
        ("profile", baseline.profile, now.profile),
        ("kernel", baseline.kernel, now.kernel),
    ):
        if then != seen:
            raise RecordError(
                f"run {now.run_id} has another {what} than the baseline: expected {then!r}, "
                f"seen {seen!r}"
            )
    seen_now = {one.id: one for one in now.scenarios}
    found = [text for then in baseline.scenarios for text in _worse(then, seen_now.get(then.id))]
    return found + _conformance_worse(baseline, now, run)


def _worse(then: ScenarioBaseline, now: ScenarioBaseline | None) -> Iterator[str]:
    if now is None:
        yield f"{then.id}: not in the plan any more; it was {then.verdict}"
        return
    if GRAVITY.index(now.verdict) < GRAVITY.index(then.verdict):
        yield f"{then.id}: {now.verdict}; it was {then.verdict}"
    noise_ms = then.noise_floor_ms + now.noise_floor_ms
    for name, before, after in (
        ("failover", then.stall_failover_ms, now.stall_failover_ms),
        ("failback", then.stall_failback_ms, now.stall_failback_ms),
    ):
        if before is not None and after is not None and _longer(before, after, noise_ms):
            yield (
                f"{then.id}: the stall at {name} is {show_ms(after)}; it was {show_ms(before)} "
                f"(noise of both runs {show_ms(noise_ms)})"
            )


def _longer(before_ms: float, after_ms: float, noise_ms: float) -> bool:
    return after_ms > before_ms * FACTOR and after_ms - before_ms > max(noise_ms, SLACK_MS)


def _conformance_worse(baseline: Baseline, now: Baseline, run: Run) -> list[str]:
    lost = sorted(set(baseline.conformance_passed) - set(now.conformance_passed))
    verdicts = {
        _name(one): one.verdict
        for one in run.conformance.assertions
        if one.verdict is not Verdict.PASS
    }
    return [f"conformance: {name}: {verdicts.get(name, 'not there')}; it was PASS" for name in lost]
