"""The folder of a run: its name, the two records that are written first, and `latest`."""

import os
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from certify import __version__
from certify.acceptance import record_of
from certify.credibility import published
from certify.lab import Lab
from certify.preflight import Preflight
from certify.scenarios import scenarios_of
from certify.scenarios.profiles import SOAK
from certify.scenarios.soak import segments
from certify.workloads import with_companions
from reports.record import (
    SCHEMA,
    PlanRecord,
    RunRecord,
    ScenarioPlan,
    Tool,
    encode,
    load,
)

LATEST = "latest"
GIT_S = 5.0


def utc_now() -> str:
    """Return the time as run folders hold it: "2026-11-23T19:00:00Z"."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_folder(runs: Path, lab_name: str) -> Path:
    """Make `runs/<utc>-<lab>`, point `runs/latest` to it, return it."""
    runs.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{lab_name}"
    folder = runs / stem
    for count in range(2, 100):
        try:
            folder.mkdir()
            break
        except FileExistsError:  # two runs in one second
            folder = runs / f"{stem}-{count}"
    point_latest(folder)
    return folder


def latest_of(runs: Path) -> Path | None:
    """Return the folder that `latest` points to, None if there is none."""
    link = runs / LATEST
    return link.resolve() if link.exists() else None


def discard_empty(folder: Path, latest: Path | None) -> None:
    """Remove a folder in which no run was begun; let `latest` be what it was before.

    A folder that holds anything stays: it may be evidence.
    """
    if any(folder.iterdir()):
        return
    folder.rmdir()
    if latest is not None:
        point_latest(latest)
    else:
        (folder.parent / LATEST).unlink(missing_ok=True)


def point_latest(folder: Path) -> None:
    """Let `latest` beside *folder* point to it, at once and whatever it pointed to before."""
    link = folder.parent / f".{LATEST}.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(folder.parent / LATEST)


def make_plan(
    lab: Lab,
    *,
    profile: str,
    seed: int,
    repeats: int,
    workload: str = "",
    application: str = "",
    hours: float | None = None,
) -> PlanRecord:
    """Return the protocol of a run: what is to be done on *lab* and what is expected.

    *hours* is how long a soak goes on; None for the length of one segment. *workload* and
    *application* name what runs beside every scenario, "" for nothing.
    """
    plan = PlanRecord(
        schema=SCHEMA,
        profile=profile,
        seed=seed,
        scenarios=[
            _lasting(one.plan(lab, repeats=repeats, seed=seed), hours)
            for one in scenarios_of(profile)
        ],
        workload=workload,
        application=application,
    )
    return with_companions(plan)


def _lasting(plan: ScenarioPlan, hours: float | None) -> ScenarioPlan:
    """Return the plan of a soak cut into segments that fill *hours*; any other as it is."""
    if hours is None or plan.id not in SOAK:
        return plan
    repeats, budget_s = segments(hours)
    return msgspec.structs.replace(plan, repeats=repeats, budget_s=budget_s)


class RunFolder:
    """A run folder that is being made."""

    def __init__(self, path: Path, record: RunRecord) -> None:
        self.path = path
        self.record = record

    @property
    def journal(self) -> Path:
        """Where injections are journalled before they are applied."""
        return self.path / "journal.jsonl"

    @classmethod
    def begin(cls, path: Path, *, lab: Lab, found: Preflight, plan: PlanRecord) -> "RunFolder":
        """Write run.json and plan.json into *path*, before anything is broken."""
        path.mkdir(parents=True, exist_ok=True)
        (path / "logs").mkdir(exist_ok=True)
        monotonic = time.monotonic_ns()
        record = RunRecord(
            schema=SCHEMA,
            run_id=path.name,
            tool=tool(),
            lab=found.lab,
            system_under_test=found.system_under_test,
            acceptance=record_of(lab.acceptance, path),
            versions=found.versions,
            host_timers=found.host_timers,
            profile=plan.profile,
            seed=plan.seed,
            started_utc=utc_now(),
            ended_utc="",
            anchor_utc_ns=time.time_ns(),
            anchor_monotonic_ns=monotonic,
            times_indicative=lab.lab.times_indicative,
            complete=False,
            credibility=published(),
        )
        (path / "plan.json").write_bytes(encode(plan))
        (path / "run.json").write_bytes(encode(record))
        return cls(path, record)

    @classmethod
    def existing(cls, path: Path) -> "RunFolder":
        """Take up a folder that was begun; raises RecordError when it was not."""
        return cls(path, load(path / "run.json", RunRecord))

    def plan(self) -> PlanRecord:
        """Return the protocol."""
        return load(self.path / "plan.json", PlanRecord)

    def finish(self, *, complete: bool) -> None:
        """Write when the run ended, and whether all of the plan was gone through."""
        self.record = msgspec.structs.replace(self.record, ended_utc=utc_now(), complete=complete)
        temporary = self.path / "run.json.new"
        temporary.write_bytes(encode(self.record))
        temporary.replace(self.path / "run.json")


def tool() -> Tool:
    """Return what is measuring: version, commit, and whether the checkout was changed."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return Tool(version=__version__, commit="", modified=False)
    commit = _git(root, ["rev-parse", "HEAD"])
    changes = _git(root, ["status", "--porcelain", "--untracked-files=no"])
    return Tool(version=__version__, commit=commit, modified=bool(changes))


def _git(root: Path, argv: Sequence[str]) -> str:
    # The checkout may belong to another user than the one who runs the suite, as in a guest.
    command = ["git", "-c", f"safe.directory={root}", "--no-optional-locks", "-C", str(root), *argv]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
