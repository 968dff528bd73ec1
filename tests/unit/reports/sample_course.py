"""How the scenarios of the sample runs go: stalls, faults, verdicts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reports.record import Verdict


class Variant(StrEnum):
    """Kinds of runs that a report must show well."""

    HEALTHY = "healthy"
    FAILING = "failing"
    INCONCLUSIVE = "inconclusive"
    UNSUPERVISED = "unsupervised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one scenario goes: stalls, what they begin with, and what is wrong with it."""

    failover_ms: float = 3.1
    failback_ms: float = 2.4
    detect_ms: float = 1.2
    fault_s: float = 5.0
    base_ms: float = 0.42
    floor_ms: float = 2.2
    lost_paths: tuple[str, ...] = ()
    proven: bool = True
    errors: int = 0
    never: int = 0
    mismatches: int = 0
    restored: bool = True
    verdict: Verdict = Verdict.PASS
    reason: str = ""


HEALTHY = {
    "B0": Course(failover_ms=2.9, failback_ms=2.2),
    "P1": Course(failover_ms=41.3, failback_ms=6.8, lost_paths=("host1-engine1",)),
    "E1k": Course(failover_ms=84.2, failback_ms=31.6, lost_paths=("host1-engine1",)),
    "E2h": Course(failover_ms=612.4, failback_ms=44.1, detect_ms=90, lost_paths=("host1-engine2",)),
    "A1": Course(failover_ms=418.7, failback_ms=96.5, detect_ms=3.0),
    "A3": Course(failover_ms=431.0, failback_ms=71.2, detect_ms=8.0),
}


def courses_of(variant: Variant) -> dict[str, Course]:
    """Return how each scenario of *variant* goes."""
    replace: dict[str, dict[str, Any]] = {
        Variant.HEALTHY: {},
        Variant.FAILING: {
            "P1": {
                "errors": 5,
                "never": 2,
                "verdict": Verdict.FAIL,
                "reason": "3 I/Os returned an error to the application and 2 never came back; "
                "none may.",
            },
            "E2h": {
                "failover_ms": 4821.0,
                "fault_s": 8.0,
                "verdict": Verdict.FAIL,
                "reason": "Engine 2 hung for 8 s. I/O stopped for 4.82 s, limit 1.00 s.",
            },
            "A1": {
                "mismatches": 3,
                "restored": False,
                "failback_ms": 1310.0,
                "verdict": Verdict.FAIL,
                "reason": "3 sectors did not hold what was written, and redundancy was not "
                "restored within 60 s of the mend.",
            },
        },
        Variant.INCONCLUSIVE: {
            "P1": {
                "floor_ms": 61.0,
                "verdict": Verdict.INCONCLUSIVE,
                "reason": "The noise floor of 61.0 ms is above a tenth of the limit of 250 ms; "
                "the stall cannot be graded on this machine.",
            },
            "E1k": {
                "proven": False,
                "failover_ms": 3.0,
                "failback_ms": 2.8,
                "verdict": Verdict.INCONCLUSIVE,
                "reason": "The kill of engine1 could not be proven: its process was still seen.",
            },
        },
        Variant.UNSUPERVISED: {
            "E1k": {
                "failover_ms": 131_940.0,
                "failback_ms": 29.0,
                "fault_s": 140.0,
                "verdict": Verdict.FAIL,
                "reason": "Engine 1 was killed. I/O stopped for 132 s, limit 250 ms.",
            },
        },
    }[variant]
    slow = 14.0 if variant is Variant.INCONCLUSIVE else 1.0
    return {name: _changed(course, replace, name, slow) for name, course in HEALTHY.items()}


def _changed(course: Course, changes: dict[str, dict[str, Any]], name: str, slow: float) -> Course:
    values = {key: getattr(course, key) for key in Course.__slots__}
    values["base_ms"] *= slow
    return Course(**{**values, **changes.get(name, {})})
