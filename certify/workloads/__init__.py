"""Load of real programs beside a scenario: fio as background, PostgreSQL as an application.

`certify run --workload NAME` and `--application NAME` put one of them beside every scenario of the
run; the plan holds the names, and the judge asks for their results.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from certify.exercise import ExerciseKind
from certify.lab import Lab, LabError
from certify.workloads.fio import FioLoad
from certify.workloads.fio_profiles import FIO_PROFILES, FioProfile
from certify.workloads.postgresql import PostgresqlUnderLoad
from certify.workloads.postgresql_cluster import make_template
from certify.workloads.unit import lacks_unit
from reports.record import PlanRecord, ScenarioPlan

__all__ = [
    "APPLICATIONS",
    "WORKLOADS",
    "Companion",
    "beside",
    "companions_of",
    "prepare",
    "with_companions",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A program that runs beside every scenario, and what must be done once before the first."""

    kind: ExerciseKind
    words: str
    prepare: Callable[[], object]  # raises LabError


def _fio(profile: FioProfile) -> Companion:
    return Companion(
        kind=ExerciseKind(
            name=f"fio {profile.name}",
            make=lambda stage: FioLoad(stage=stage, profile=profile),
            lacks=lacks_unit,
        ),
        words=profile.words,
        prepare=_need_fio,
    )


def _need_fio() -> None:
    if shutil.which("fio") is None:
        raise LabError("fio is not installed; it is in the Debian package fio")


WORKLOADS = {profile.name: _fio(profile) for profile in FIO_PROFILES.values()}
"""What `--workload` takes."""

APPLICATIONS = {
    "postgresql": Companion(
        kind=ExerciseKind(
            name="PostgreSQL",
            make=lambda stage: PostgresqlUnderLoad(stage=stage),
            lacks=lacks_unit,
        ),
        words="pgbench on ext4; then a crash of the host, recovery, pg_amcheck and checksums",
        prepare=make_template,
    )
}
"""What `--application` takes."""


def companions_of(plan: PlanRecord) -> list[Companion]:
    """Return what runs beside every scenario of *plan*; raise LabError for an unknown name."""
    found = []
    for name, known in ((plan.workload, WORKLOADS), (plan.application, APPLICATIONS)):
        if not name:
            continue
        if name not in known:
            raise LabError(f"plan.json: {name!r} is not one of {', '.join(known)}")
        found.append(known[name])
    return found


def beside(plan: PlanRecord, scenario: ScenarioPlan) -> list[ExerciseKind]:
    """Return what runs beside *scenario*: nothing where the application is to see an outage."""
    if scenario.outage is not None:
        return []
    return [one.kind for one in companions_of(plan)]


def with_companions(plan: PlanRecord) -> PlanRecord:
    """Return *plan* with what runs beside its scenarios among their exercises."""
    scenarios = [
        msgspec.structs.replace(
            one, exercises=[*one.exercises, *(kind.name for kind in beside(plan, one))]
        )
        for one in plan.scenarios
    ]
    return msgspec.structs.replace(plan, scenarios=scenarios)


def prepare(lab: Lab, plan: PlanRecord) -> None:
    """Do what must be done before the first scenario.

    Raises LabError saying what is missing: of the lab, of this host, or of the command line.
    """
    found = companions_of(plan)
    if len(found) > 1:
        raise LabError(
            "--workload and --application want the same logical unit (purpose application): "
            "give one of them"
        )
    for one in found:
        if lack := one.kind.lacks(lab):
            raise LabError(f"{one.kind.name}: {lack}")
        one.prepare()
