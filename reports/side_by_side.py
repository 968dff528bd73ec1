"""Two or more runs beside each other: what each says of the same scenarios, and whether they can be
compared at all. Pure: no layout, no files.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from reports.folder import Run
from reports.model import GRAVITY, Scenario, key_figures, scenarios_of
from reports.record import Grade, Setting, Verdict, encode
from reports.words import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One run: what was tested, and what came of it as a whole."""

    run_id: str
    name: str  # of the system under test
    target: str  # of a virtual lab; "" on real equipment
    started_utc: str
    profile: str
    verdict: Verdict
    grade: Grade
    certified: bool
    sentence: str
    longest_stall_ms: float | None
    io_errors: int
    mismatches: int
    conformance_passed: int
    conformance_failed: int
    conformance_not_run: int
    evidence_root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one run says of one scenario: the worst of its repeats. Times are None if not seen."""

    verdict: Verdict
    reason: str
    repeats: int
    failover_ms: float | None
    failback_ms: float | None
    io_errors: int
    mismatches: int
    redundancy_restored_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One scenario over all runs; a run whose plan does not have it has None."""

    id: str
    title: str
    limits: str  # "" where the runs do not agree on them
    cells: tuple[Cell | None, ...]

    @property
    def gravity(self) -> int:
        """0 where any run failed, more the better it is."""
        return min((GRAVITY.index(cell.verdict) for cell in self.cells if cell), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """The whole comparison. `obstacles` say why figures must not be compared, `differences` what
    else was not the same; one sentence each.
    """

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    obstacles: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def root(self) -> str:
        """SHA-256 of the evidence roots, one a line: it stands for all runs."""
        text = "".join(f"{column.evidence_root}\n" for column in self.columns)
        return hashlib.sha256(text.encode()).hexdigest()


def side_by_side(runs: Sequence[Run]) -> SideBySide:
    """Compare *runs* in their order; failures come before passes."""
    scenarios = [{one.plan.id: one for one in scenarios_of(run)} for run in runs]
    ids = list(dict.fromkeys(plan.id for run in runs for plan in run.plan.scenarios))
    lines = [_line(one, scenarios) for one in ids]
    return SideBySide(
        columns=tuple(
            _column(run, list(own.values())) for run, own in zip(runs, scenarios, strict=True)
        ),
        lines=tuple(sorted(lines, key=lambda line: line.gravity)),
        obstacles=tuple(_obstacles(runs, scenarios)),
        differences=tuple(_differences(runs)),
    )


def _column(run: Run, scenarios: list[Scenario]) -> Column:
    figures, judgement = key_figures(scenarios), run.judgement
    return Column(
        run_id=run.run.run_id,
        name=run.run.system_under_test.name,
        target=run.run.lab.target,
        started_utc=run.run.started_utc,
        profile=run.run.profile,
        verdict=judgement.verdict,
        grade=judgement.grade,
        certified=judgement.certified and run.run.complete,
        sentence=judgement.sentence,
        longest_stall_ms=figures.longest.ms if figures.longest else None,
        io_errors=figures.io_errors,
        mismatches=figures.mismatches,
        conformance_passed=judgement.conformance_passed,
        conformance_failed=judgement.conformance_failed,
        conformance_not_run=judgement.conformance_not_run,
        evidence_root=run.root,
    )


def _line(one: str, scenarios: list[dict[str, Scenario]]) -> Line:
    found = [own.get(one) for own in scenarios]
    some = [scenario for scenario in found if scenario is not None]
    limits = {_limits(scenario) for scenario in some}
    return Line(
        id=one,
        title=some[0].plan.title,
        limits=limits.pop() if len(limits) == 1 else "",
        cells=tuple(_cell(scenario) for scenario in found),
    )


def _limits(scenario: Scenario) -> str:
    return f"≤ {scenario.plan.limit_failover_ms:g} / {scenario.plan.limit_failback_ms:g} ms"


def _cell(scenario: Scenario | None) -> Cell | None:
    if scenario is None:
        return None
    restored = [one.redundancy_restored_ms for one in scenario.repeats]
    seen = [value for value in restored if value is not None]
    return Cell(
        verdict=scenario.verdict,
        reason=scenario.reason,
        repeats=len(scenario.repeats),
        failover_ms=scenario.failover.worst_ms,
        failback_ms=scenario.failback.worst_ms,
        io_errors=scenario.io_errors,
        mismatches=scenario.mismatches,
        # Not restored in one repeat is not restored.
        redundancy_restored_ms=max(seen) if seen and len(seen) == len(restored) else None,
    )


def _obstacles(runs: Sequence[Run], scenarios: list[dict[str, Scenario]]) -> list[str]:
    told = [
        _unequal("The profile", [run.run.profile for run in runs]),
        _unequal("The kernel of the lab", [run.run.lab.kernel or "real" for run in runs]),
        _unequal(
            "Whether times are indicative only",
            ["indicative" if run.run.times_indicative else "measured" for run in runs],
        ),
    ]
    ids = list(dict.fromkeys(plan.id for run in runs for plan in run.plan.scenarios))
    for one in ids:
        some = [own[one] for own in scenarios if one in own]
        told.append(_unequal(f"The limits of {one}", [_limits(scenario) for scenario in some]))
        if len(some) < len(runs):
            told.append(f"{one} is in the plan of {len(some)} of {plural(len(runs), 'run')} only.")
    told += [
        f"Run {run.run.run_id} was ended before it was complete."
        for run in runs
        if not run.run.complete
    ]
    return [text for text in told if text]


def _differences(runs: Sequence[Run]) -> list[str]:
    plans = [hashlib.sha256(encode(run.plan)).hexdigest()[:16] for run in runs]
    told = [
        _unequal("The protocol (SHA-256)", plans),
        _unequal("The seed", [str(run.run.seed) for run in runs]),
        _unequal("The version of the tool", [_tool(run) for run in runs]),
        _unequal(
            "The firmware revision", [run.run.system_under_test.revision or "–" for run in runs]
        ),
        _unequal("The number of paths", [str(len(run.run.lab.paths)) for run in runs]),
    ]
    settings = [_settings(run.run.host_timers) for run in runs]
    told += [
        _unequal(f"Host setting “{name}”", [own.get(name, "not there") for own in settings])
        for name in dict.fromkeys(name for own in settings for name in own)
    ]
    return [text for text in told if text]


def _settings(timers: list[Setting]) -> dict[str, str]:
    return {setting.name: setting.value for setting in timers}


def _tool(run: Run) -> str:
    tool = run.run.tool
    return " ".join(filter(None, (tool.version, tool.commit[:12], "modified" * tool.modified)))


def _unequal(what: str, values: list[str]) -> str:
    if len(set(values)) < 2:
        return ""
    return f"{what} is not the same: {', '.join(values)}."
