"""Sealed run folders made of nothing: same variant, same bytes.

Times, latencies and identities are invented, in the shape that a quick run has. Nothing of the
suite is needed to make them.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from reports import folder as folder_of_run
from reports import record
from reports.record import EventKind, Grade, IoOutcome, Verdict
from tests.unit.reports import sample_lab
from tests.unit.reports import sample_parts as parts
from tests.unit.reports.sample_course import HEALTHY, Course, Variant, courses_of
from tests.unit.reports.sample_statistics import statistics_of

NS = 1_000_000_000
MS = 1_000_000


@dataclass(slots=True, kw_only=True)
class _Writer:
    """Rows and events of one repeat, on one invented clock."""

    scenario: str
    repeat: int
    course: Course
    steady_s: float
    recover_s: float
    start_ns: int
    random: random.Random
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[record.EventRecord] = field(default_factory=list)

    @property
    def injected_ns(self) -> int:
        return self.start_ns + int(self.steady_s * NS)

    @property
    def mended_ns(self) -> int:
        return self.injected_ns + int(self.course.fault_s * NS)

    @property
    def end_ns(self) -> int:
        return self.mended_ns + int(self.recover_s * NS)

    def event(
        self, ms: float, kind: EventKind, subject: str, detail: str = "", **data: Any
    ) -> None:
        self.events.append(
            record.EventRecord(
                t_ns=self.injected_ns + int(ms * MS),
                scenario=self.scenario,
                repeat=self.repeat,
                kind=kind,
                subject=subject,
                detail=detail,
                data=data,
            )
        )

    def latency(self) -> float:
        base = self.course.base_ms * self.random.lognormvariate(0, 0.32)
        return base * 4 if self.random.random() < 0.004 else base

    def stalls(self) -> list[tuple[float, float]]:
        """Return begin and end of both stalls in ms after the injection."""
        course = self.course
        mended = course.fault_s * 1000
        if not course.lost_paths and course.failover_ms < 10:
            return []
        first = course.detect_ms
        return [
            (first, first + course.failover_ms),
            (mended + 180.0, mended + 180.0 + course.failback_ms),
        ]

    def add(self, probe: str, k: int, due_ms: float, latency: float, outcome: IoOutcome) -> None:
        due = self.injected_ns + int(due_ms * MS)
        done = -1 if outcome is IoOutcome.NEVER else due + int(latency * MS)
        op = "read" if probe in {"app-read", "control"} else "write"
        if probe.startswith("path:"):
            op = "test_unit_ready"
        errno = 5 if outcome is IoOutcome.ERROR else 0
        scsi = probe.startswith("path:")
        failed = outcome is IoOutcome.CHECK_CONDITION
        self.rows.append(
            (
                probe,
                k,
                op,
                -1 if scsi else (k * 8) % 65536,
                0 if scsi else 8,
                due,
                due + 9000,
                done,
                str(outcome),
                errno,
                (2 if failed else 0) if scsi else -1,
                "2/04/0c" if failed else "",
                k,
                "",
            )
        )


def _io(writer: _Writer) -> None:
    course = writer.course
    begin, end = -writer.steady_s * 1000, (course.fault_s + writer.recover_s) * 1000
    stalls = writer.stalls()
    k = 0
    due = begin
    while due < end:
        for probe in ("app-write", "app-read"):
            latency, outcome = writer.latency(), IoOutcome.GOOD
            for index, (start, stop) in enumerate(stalls):
                if start <= due < stop:
                    latency += stop - due
                    nth = int((due - start) / 5)
                    if index == 0 and nth < course.errors and probe == "app-write":
                        outcome = IoOutcome.ERROR
                    if index == 0 and nth < course.never and probe == "app-write":
                        outcome = IoOutcome.NEVER
            writer.add(probe, k, due + (2.5 if probe == "app-read" else 0), latency, outcome)
        floor = course.floor_ms if k == 400 else writer.latency() * 0.6
        writer.add("control", k, due, min(floor, course.floor_ms), IoOutcome.GOOD)
        if k % 4 == 0:
            for path in ("host1-engine1", "host1-engine2"):
                down = path in course.lost_paths and 0 <= due < course.fault_s * 1000 + 180
                outcome = IoOutcome.CHECK_CONDITION if down else IoOutcome.GOOD
                writer.add(f"path:{path}", k // 4, due, writer.latency() * 0.3, outcome)
        k += 1
        due += 5.0


def _events(writer: _Writer, plan: record.ScenarioPlan) -> None:
    course, mended = writer.course, writer.course.fault_s * 1000
    back = mended + writer.recover_s * 1000
    writer.event(-writer.steady_s * 1000, EventKind.PHASE, "steady")
    writer.event(0, EventKind.PHASE, "fault")
    if plan.fault:
        writer.event(0, EventKind.INJECTED, plan.subject, parts.ACTION[plan.fault])
        kind = EventKind.PROVEN if course.proven else EventKind.NOT_PROVEN
        writer.event(4.1, kind, plan.subject, parts.PROOF[plan.fault])
    for path in course.lost_paths:
        detail = "multipathd: tur checker reports path is down"
        writer.event(38, EventKind.PATH_STATE, path, detail, state="failed", lu="lu0")
        writer.event(mended + 240, EventKind.PATH_STATE, path, state="active", lu="lu0")
    writer.event(course.detect_ms + 12, EventKind.TARGET, "engine1", "epoch 4: leg A out of sync")
    if plan.fault:
        writer.event(mended, EventKind.MENDED, plan.subject, "undone as journalled")
        writer.event(mended + 150, EventKind.MEND_PROVEN, plan.subject, "seen healthy again")
    restored = "redundant on both engines" if course.restored else "leg A still out of sync"
    writer.event(mended + 900, EventKind.REDUNDANCY, "lu0", restored, restored=course.restored)
    writer.event(back, EventKind.PHASE, "undo")
    writer.event(back + 60, EventKind.READBACK, "lu0", "12 288 sectors read", sectors=12288)
    equal = course.mismatches == 0
    first = None if equal else 4096
    writer.event(
        back + 400,
        EventKind.COMPARE,
        "lu0",
        "131 072 sectors on array A and array B",
        equal=equal,
        sectors=131072,
        first_difference_lba=first,
    )
    writer.event(back + 500, EventKind.PHASE, "done")


def _measured(writer: _Writer) -> Course:
    """Return the course with the stalls that are really in its rows."""
    mended = writer.mended_ns
    worst = {False: 0.0, True: 0.0}
    for row in writer.rows:
        if row[0].startswith("app-"):
            done = row[7] if row[7] >= 0 else writer.end_ns
            back = row[5] >= mended
            worst[back] = max(worst[back], (done - row[5]) / MS * (row[5] >= writer.injected_ns))
    values = {key: getattr(writer.course, key) for key in Course.__slots__}
    return Course(**{**values, "failover_ms": worst[False], "failback_ms": worst[True]})


def _judgement(writer: _Writer, plan: record.ScenarioPlan) -> record.ScenarioJudgement:
    course = _measured(writer)
    graded = course.verdict is not Verdict.INCONCLUSIVE and bool(plan.fault)
    return record.ScenarioJudgement(
        id=plan.id,
        repeat=writer.repeat,
        verdict=course.verdict,
        reason=course.reason or parts.passed(plan, course.failover_ms),
        grade=Grade.PLATINUM if graded and course.verdict is Verdict.PASS else None,
        stall_failover_ms=course.failover_ms,
        stall_failback_ms=course.failback_ms,
        noise_floor_ms=course.floor_ms,
        steady_ms_max=course.base_ms * 5.1,
        latency_ms_p50=course.base_ms,
        latency_ms_p99=course.base_ms * 2.4,
        io_count=sum(row[0].startswith("app-") for row in writer.rows),
        io_errors=course.errors,
        sectors_written=12288,
        sectors_verified=12288 - course.mismatches,
        mismatches=course.mismatches,
        redundancy_restored_ms=900.0 if course.restored else None,
        checks=parts.checks(plan, course),
        attribution=parts.attribution(plan, course),
        statistics=statistics_of(
            writer.rows,
            injected_ns=writer.injected_ns,
            mended_ns=writer.mended_ns,
            end_ns=writer.end_ns,
        ),
    )


def write_sample_run(
    folder: Path,
    variant: Variant = Variant.HEALTHY,
    *,
    repeats: int = 1,
    physical: bool = False,
    plans: list[record.ScenarioPlan] | None = None,
    run: record.RunRecord | None = None,
    conformance: record.ConformanceRecord | None = None,
) -> Path:
    """Write a sealed run folder of *variant* and return it."""
    courses = courses_of(variant)
    not_run = {"A3"} if variant is Variant.INCONCLUSIVE else set()
    plans = plans if plans is not None else parts.plans(repeats=repeats, not_run=not_run)
    (folder / "io").mkdir(parents=True)
    events: list[record.EventRecord] = []
    judgements: list[record.ScenarioJudgement] = []
    clock = 812 * NS
    for plan in plans:
        if plan.not_run:
            continue
        for repeat in range(1, plan.repeats + 1):
            course = courses.get(plan.id, HEALTHY["P1"])
            if plan.fault_s < 1:
                course = _shortened(course, plan.fault_s)
            writer = _Writer(
                scenario=plan.id,
                repeat=repeat,
                course=_varied(course, repeat),
                steady_s=plan.steady_s,
                recover_s=plan.recover_s,
                start_ns=clock,
                random=random.Random(f"{variant}{plan.id}{repeat}"),  # noqa: S311 - samples
            )
            _io(writer)
            _events(writer, plan)
            _write_rows(folder / "io" / f"{plan.id}-r{repeat}.parquet", writer.rows)
            events += writer.events
            judgements.append(_judgement(writer, plan))
            clock = writer.end_ns + 4 * NS
    events = [*parts.initial_states(812 * NS), *sorted(events, key=lambda e: e.t_ns)]
    conformance = conformance or sample_lab.conformance(failing=variant is Variant.FAILING)
    run = run or sample_lab.run(
        str(variant), physical=physical, emulated="INCONCLUSIVE" in variant.name
    )
    _seal(folder, run, plans, events, judgements, conformance)
    return folder


def _shortened(course: Course, fault_s: float) -> Course:
    values = {key: getattr(course, key) for key in Course.__slots__}
    return Course(**{**values, "fault_s": fault_s})


def _varied(course: Course, repeat: int) -> Course:
    values = {key: getattr(course, key) for key in Course.__slots__}
    values["failover_ms"] *= 1 - 0.06 * (repeat - 1)
    return Course(**values)


def _write_rows(path: Path, rows: list[tuple[Any, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=list(record.IO_COLUMNS), orient="row")
    frame.sort(["due_ns", "probe", "k"]).write_parquet(path, compression="zstd")


def _seal(
    folder: Path,
    run: record.RunRecord,
    plans: list[record.ScenarioPlan],
    events: list[record.EventRecord],
    judgements: list[record.ScenarioJudgement],
    conformance: record.ConformanceRecord,
) -> None:
    plan = record.PlanRecord(
        schema=record.SCHEMA, profile=run.profile, seed=run.seed, scenarios=plans
    )
    judgement = parts.judgement(plans, judgements, conformance)
    (folder / "run.json").write_bytes(record.encode(run))
    (folder / "plan.json").write_bytes(record.encode(plan))
    (folder / "conformance.json").write_bytes(record.encode(conformance))
    (folder / "verdict.json").write_bytes(record.encode(judgement))
    lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
    (folder / "events.jsonl").write_bytes(lines)
    (folder / "junit.xml").write_text("<testsuites/>\n", encoding="utf-8")
    (folder / "logs").mkdir()
    (folder / "logs" / "multipathd.log").write_text("multipathd: started\n", encoding="utf-8")
    manifest = folder_of_run.build_manifest(folder, run.run_id)
    (folder / "manifest.json").write_bytes(record.encode(manifest))
