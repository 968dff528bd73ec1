"""Sample runs at the edge of what a page can hold: endless names, hostile text, 200 faults."""

from pathlib import Path

from msgspec.structs import replace

from reports.record import (
    SCHEMA,
    Acceptance,
    AssertionRecord,
    ConformanceRecord,
    LogicalUnitRecord,
    PathRecord,
    RunRecord,
    ScenarioPlan,
    Setting,
    SystemUnderTest,
    Verdict,
)
from tests.unit.reports import sample_lab
from tests.unit.reports import sample_parts as parts
from tests.unit.reports.sample_run import write_sample_run

ENDLESS = "Ein_unzertrennlicher_Bezeichner_ohne_Leerzeichen_" * 6
WORDY = "a long sentence that goes on and on about what is broken and what is expected; " * 12
HOSTILE = "<img src='file:///etc/passwd'/><b>&amp;</b>\x00\x1b[31m 医院 \u202e\U0001f600 %PDF (\\) "


def _plan(text: str, number: int, *, not_run: str = "") -> ScenarioPlan:
    plan = parts.plans(repeats=1, not_run=set())[1]
    return replace(
        plan,
        id=f"P{number}",
        title=text,
        subject=text[:120],
        description=text,
        expected=text,
        requirement=text,
        reference=text,
        steady_s=0.2,
        fault_s=0.3,
        recover_s=0.3,
        not_run=not_run,
    )


def _run(text: str, paths: int) -> RunRecord:
    run = sample_lab.run("stress", physical=False, emulated=True)
    names = [f"path{number}-{text[:90]}" for number in range(paths)]
    lab = replace(
        run.lab,
        name=text,
        topology=text,
        hosts=[f"host{number} {text[:60]}" for number in range(12)],
        engines=[f"engine{number} {text[:60]}" for number in range(9)],
        arrays=[text[:100], "B"],
        logical_units=[
            LogicalUnitRecord(
                name=text, wwid="3" + "6" * 90, size_bytes=1 << 60, block_bytes=4096, purpose="load"
            )
        ],
        paths=[
            PathRecord(
                name=name,
                host=f"host0 {text[:60]}",
                engine=f"engine0 {text[:60]}",
                logical_unit=text,
                hctl="1234:12:1234:12345",
                device="/dev/sdabcd",
            )
            for name in names
        ],
    )
    target = SystemUnderTest(
        name=text, vendor=text, product=text, revision=text, serials=[text] * 9, note=text
    )
    accepted = Acceptance(
        customer=text, contract=text, requirements=text, signatories=[text[:200]] * 9
    )
    return replace(
        run,
        run_id=f"run-{text[:200]}",
        lab=lab,
        system_under_test=target,
        acceptance=accepted,
        versions={text[:80]: text},
        host_timers=[Setting(name=text, value=text, source=text)],
        profile=text[:80],
        complete=False,
    )


def _conformance(text: str, paths: int) -> ConformanceRecord:
    verdicts = list(Verdict)
    return ConformanceRecord(
        schema=SCHEMA,
        assertions=[
            AssertionRecord(
                family=text[:60],
                name=f"{number} {text[:100]}",
                path=f"path{path}-{text[:40]}",
                clause=text[:80],
                cdb="00" * 16,
                expected=text,
                observed=text,
                repeat_with=text,
                verdict=verdicts[(number + path) % 4],
                reason=text,
            )
            for number in range(4)
            for path in range(paths)
        ],
    )


def write_stress_run(folder: Path, text: str, *, faults: int = 3, paths: int = 20) -> Path:
    """Write a run in which every name is *text*; of many faults all but three did not run."""
    plans = [
        _plan(text, number, not_run="" if number <= 3 else text) for number in range(1, faults + 1)
    ]
    run = _run(text, paths)
    conformance = _conformance(text, paths)
    return write_sample_run(folder, plans=plans, run=run, conformance=conformance)
