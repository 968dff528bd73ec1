"""The invented identities, texts and verdicts of the sample runs."""

from typing import Protocol

from msgspec.structs import replace

from reports.record import (
    SCHEMA,
    AttributionPhase,
    Check,
    ConformanceRecord,
    EventKind,
    EventRecord,
    Finding,
    Grade,
    JudgementRecord,
    ScenarioJudgement,
    ScenarioPlan,
    Verdict,
)
from tests.unit.reports.sample_lab import PATHS

ACTION = {
    "path_pull": "wrote offline to /sys/class/scsi_device/2:0:1:0/device/state",
    "engine_kill": "SIGKILL to process 412",
    "engine_hang": "SIGSTOP to process 418",
    "array_offline": "wrote offline to the state of 4 SCSI devices",
    "array_slow": "device-mapper table arrayB-lu0 reloaded: delay 800 ms",
}
PROOF = {
    "path_pull": "state of 2:0:1:0 reads offline",
    "engine_kill": "process 412 is gone",
    "engine_hang": "/proc/418/stat shows state T",
    "array_offline": "state of 4 SCSI devices reads offline",
    "array_slow": "table of arrayB-lu0 shows target delay 800",
}


class CourseLike(Protocol):
    """What the texts need to know of a course."""

    failover_ms: float
    failback_ms: float
    detect_ms: float
    errors: int
    mismatches: int
    restored: bool
    proven: bool
    floor_ms: float
    fault_s: float
    never: int


_PLANS = [
    ("B0", "Healthy baseline", "", "", 250.0, "Nothing is broken; I/O goes on undisturbed."),
    (
        "P1",
        "Path pull and return",
        "path_pull",
        "host1-engine1",
        250.0,
        "I/O continues through engine 2; no error reaches the application.",
    ),
    (
        "E1k",
        "Engine 1 kill and return",
        "engine_kill",
        "engine1",
        250.0,
        "Engine 2 serves alone; engine 1 joins again without replaying old commands.",
    ),
    (
        "E2h",
        "Engine 2 hang and return",
        "engine_hang",
        "engine2",
        1000.0,
        "The hung engine is found, cut off and buried; engine 1 serves alone.",
    ),
    (
        "A1",
        "Array A offline and resync",
        "array_offline",
        "A",
        1000.0,
        "The leg on array A is dropped; after its return it is made equal before it is read.",
    ),
    (
        "A3",
        "Array B slow",
        "array_slow",
        "B",
        1000.0,
        "A leg that passes its deadline is dropped; the application does not wait for it.",
    ),
]


def plans(*, repeats: int, not_run: set[str]) -> list[ScenarioPlan]:
    """Return the six scenarios of profile quick."""
    return [
        ScenarioPlan(
            id=row[0],
            title=row[1],
            fault=row[2],
            subject=row[3],
            description=f"{row[5]} Steady load before, during and after the fault.",
            expected=row[5],
            requirement=f"HA-{number:03d}",
            reference="SAM-6 5.3.1; Linux SCSI command timer 30 s",
            limit_failover_ms=row[4],
            limit_failback_ms=row[4],
            steady_s=3.0,
            fault_s=5.0,
            recover_s=6.0,
            repeats=repeats,
            not_run="The lab has no device that can be made slow." if row[0] in not_run else "",
        )
        for number, row in enumerate(_PLANS, start=1)
    ]


def passed(plan: ScenarioPlan, failover_ms: float) -> str:
    """Return the reason of a scenario that passed."""
    if not plan.fault:
        return f"Nothing was broken. The slowest I/O took {failover_ms:.1f} ms."
    return (
        f"I/O stopped for {failover_ms:.0f} ms, limit {plan.limit_failover_ms:.0f} ms. "
        "No error reached the application and no data was lost."
    )


def check(name: str, expected: str, observed: str, good: bool) -> Check:
    """Return one line of 'expected and observed'."""
    verdict = Verdict.PASS if good else Verdict.FAIL
    return Check(name=name, expected=expected, observed=observed, verdict=verdict)


def checks(plan: ScenarioPlan, course: CourseLike) -> list[Check]:
    """Return the lines of 'expected and observed', the gravest first."""
    rows = [*_time_checks(plan, course), *_data_checks(course)]
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    return sorted(rows, key=lambda row: order.index(row.verdict))


def _time_checks(plan: ScenarioPlan, course: CourseLike) -> list[Check]:
    limit = plan.limit_failover_ms
    floor = check(
        "Noise floor after the fault",
        f"≤ {limit / 10:.1f} ms",
        f"{course.floor_ms:.1f} ms",
        course.floor_ms <= limit / 10,
    )
    if floor.verdict is Verdict.FAIL:
        floor = replace(floor, verdict=Verdict.INCONCLUSIVE)
    proof = check("Fault injected and seen", "proof", PROOF.get(plan.fault, "as expected"), True)
    if not course.proven:
        proof = replace(proof, observed="still running", verdict=Verdict.INCONCLUSIVE)
    return [
        check(
            "Longest stall after the fault",
            f"≤ {limit:.0f} ms",
            f"{course.failover_ms:.1f} ms (no I/O ended for {course.failover_ms:.1f} ms)",
            course.failover_ms <= limit,
        ),
        check(
            "Longest stall after mending",
            f"≤ {limit:.0f} ms",
            f"{course.failback_ms:.1f} ms",
            course.failback_ms <= limit,
        ),
        floor,
        replace(floor, name="Noise floor after mending"),
        check(
            "Scenario ran to its end",
            "every phase, reads and writes seen to succeed",
            "as expected",
            True,
        ),
        proof,
        check("Fault mended and seen", "proof", "seen healthy again", True),
    ]


def _data_checks(course: CourseLike) -> list[Check]:
    mismatches = f"{course.mismatches} of 12,288 sectors"
    return [
        check("I/O errors at the application", "0", str(course.errors), not course.errors),
        check("I/Os that never ended", "0", str(course.never), not course.never),
        check("Data read is the data written", "0 mismatches", mismatches, not course.mismatches),
        check(
            "Read back through every path",
            "every sector written, by each path",
            "host1-engine1: 12,288 sectors; host1-engine2: 12,288 sectors",
            True,
        ),
        check(
            "Arrays compared sector by sector", "equal", "196,608 sectors", not course.mismatches
        ),
        check(
            "Redundancy at the end",
            "restored, and seen to be",
            "every path active, engines and arrays say redundant"
            if course.restored
            else "leg A is still out of sync after 60 s",
            course.restored,
        ),
    ]


def attribution(plan: ScenarioPlan, course: CourseLike) -> list[AttributionPhase]:
    """Return where the time of both stalls went."""
    if not plan.fault or course.failover_ms < 10:
        return []
    end, mended = course.detect_ms + course.failover_ms, course.fault_s * 1000
    back = mended + 180 + course.failback_ms
    milestones = [
        (course.detect_ms, "first error on a path", "path:host1-engine1: sense 2/04/0c"),
        (end * 0.62, "path marked failed", "multipathd: host1-engine1 failed"),
        (end, "last late I/O done", "app-write write at LBA 53280"),
        (mended, "fault mended", "mending began"),
        (back, "last late I/O after mending", "app-write write at LBA 9216"),
        (mended + 240, "last path usable again", "multipathd: host1-engine1 active"),
        (mended + 900, "redundancy restored", "every path active, engines and arrays redundant"),
    ]
    if not course.restored:
        milestones.pop()
    phases, before = [], 0.0
    for at, name, evidence in sorted(milestones):
        phases.append(AttributionPhase(name=name, from_ms=before, to_ms=at, evidence=evidence))
        before = at
    return phases


def initial_states(t_ns: int) -> list[EventRecord]:
    """Return the states that multipathd reports before the first scenario."""
    return [
        EventRecord(
            t_ns=t_ns,
            scenario="",
            repeat=0,
            kind=EventKind.PATH_STATE,
            subject=path,
            data={"state": "active", "lu": "lu0"},
        )
        for path in PATHS
    ]


def judgement(
    plans: list[ScenarioPlan], judged: list[ScenarioJudgement], conformance: ConformanceRecord
) -> JudgementRecord:
    """Merge the verdicts as the suite does."""
    verdicts = [j.verdict for j in judged] + [Verdict.NOT_RUN for plan in plans if plan.not_run]
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.PASS)
    verdict = min(verdicts, key=order.index, default=Verdict.NOT_RUN)
    marks = [assertion.verdict for assertion in conformance.assertions]
    failed = sum(v is Verdict.FAIL for v in verdicts)
    doubtful = sum(v is Verdict.INCONCLUSIVE for v in verdicts)
    sentences = {
        Verdict.PASS: "All faults stayed within their limits. No data was lost or corrupted.",
        Verdict.FAIL: f"{failed} of {len(verdicts)} scenarios failed.",
        Verdict.INCONCLUSIVE: f"{doubtful} of {len(verdicts)} scenarios could not be judged; "
        "none failed.",
        Verdict.NOT_RUN: "Nothing was run.",
    }
    findings = [
        Finding(severity="failure", scenario=j.id, text=j.reason)
        for j in judged
        if j.verdict is Verdict.FAIL
    ]
    findings.append(
        Finding(
            severity="note", scenario="", text="One repeat per fault: no statement on probability."
        )
    )
    good = verdict is Verdict.PASS
    return JudgementRecord(
        schema=SCHEMA,
        verdict=verdict,
        grade=Grade.PLATINUM if good else Grade.NOT_CERTIFIED,
        certified=good,
        sentence=sentences[verdict],
        decision_rule="Simple acceptance: a stall equal to its limit passes; the noise floor must "
        "be at most a tenth of the limit.",
        exit_code={Verdict.PASS: 0, Verdict.FAIL: 1}.get(verdict, 3),
        scenarios=judged,
        conformance_passed=marks.count(Verdict.PASS),
        conformance_failed=marks.count(Verdict.FAIL),
        conformance_not_run=marks.count(Verdict.NOT_RUN),
        findings=findings,
    )
