"""Running the saboteurs: each in a guest of its own, some beside each other, one result each."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from certify.saboteurs.catalogue import PREFIX
from certify.saboteurs.result import GOOD, CleanRuns, Outcome, Result, clean_runs_of, result_of
from certify.saboteurs.result import without_run as no_result
from certify.saboteurs.saboteur import Saboteur
from certify.scenarios import MODULES, PROFILES
from reports.record import (
    ConformanceRecord,
    JudgementRecord,
    RecordError,
    RunRecord,
    load,
)

RUN_S = 1800.0
"""The longest that a run may take; the control runs the whole of `quick`."""
RESULTS, RUNS = "results", "runs"
NOTHING = "no_scenario_has_this_name"
PROFILE = "quick"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Where and how: a folder for everything, the kernel of the guests, how many at a time."""

    folder: Path
    kernel: str | None
    jobs: int
    commit: str
    again: bool = False
    keep: bool = False  # also results of another commit

    def run(self, saboteurs: Sequence[Saboteur], tell: Tell) -> list[Result]:
        """Run those that have no result yet; return the results of all, in order."""

        def one(saboteur: Saboteur) -> Result:
            kept = self.result(saboteur)
            if kept is not None:
                tell(f"{saboteur.name}: {kept.outcome} (kept)")
                return kept
            result = self._run(saboteur)
            path = self.folder / RESULTS / f"{saboteur.name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2))
            tell(f"{saboteur.name}: {result.outcome}, {result.took_s:.0f} s")
            return result

        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(one, saboteurs))

    def result(self, saboteur: Saboteur) -> Result | None:
        """Return a result that need not be got again: of this commit, and one that says much."""
        kept = None if self.again else self.stored(saboteur)
        return kept if kept is not None and (self.keep or kept.outcome in GOOD) else None

    def stored(self, saboteur: Saboteur) -> Result | None:
        """Return the result that is there, whatever it says, if it is of this commit."""
        path = self.folder / RESULTS / f"{saboteur.name}.json"
        if not path.exists():
            return None
        kept = read_result(path)
        return kept if self.keep or kept.commit == self.commit else None

    def _run(self, saboteur: Saboteur) -> Result:
        missing = [one for one in saboteur.scenarios if one not in MODULES]
        if missing:
            why = f"the suite has no scenario {', '.join(missing)}"
            return no_result(saboteur, why, took_s=0.0)
        began = time.monotonic()
        folder = self._new_folder(saboteur.name)
        argv = run_argv(saboteur, folder, self.kernel)
        ended = run_certify(argv, folder)
        took_s = time.monotonic() - began
        try:
            run, judgement, conformance = read_run(folder)
        except RecordError as error:
            why = f"{ended}; {error}; see {folder}.log"
            return no_result(saboteur, why, took_s=took_s)
        return result_of(saboteur, run, judgement, conformance, took_s=took_s)

    def _new_folder(self, name: str) -> Path:
        """Return a run folder that is not there yet; a run that was cut short is left alone."""
        for count in range(1, 1000):
            folder = self.folder / RUNS / (name if count == 1 else f"{name}-{count}")
            if not folder.exists():
                return folder
        raise RecordError(f"{self.folder / RUNS}: too many runs of {name}")


def run_argv(saboteur: Saboteur, folder: Path, kernel: str | None) -> list[str]:
    """Return the command line of the smallest run that shows the defect."""
    return [
        *("run", "--destroy", "--target", f"{PREFIX}{saboteur.name}"),
        *(("--kernel", kernel) if kernel else ()),
        *("--runs", str(folder.parent), "--run-dir", str(folder)),
        *("--profile", profile_of(saboteur.scenarios), "--repeat", str(saboteur.repeat)),
        *(() if saboteur.conforms else ("--no-conformance",)),
        *("--progress", "plain"),
        *([] if saboteur.control else scenario_words(saboteur.scenarios)),
    ]


def profile_of(scenarios: Sequence[str]) -> str:
    """Return `quick` if it has all the *scenarios*, else the smallest profile that does."""
    if all(one in PROFILES[PROFILE] for one in scenarios):
        return PROFILE
    fitting = [
        (len(ids), name) for name, ids in PROFILES.items() if all(one in ids for one in scenarios)
    ]
    if not fitting:
        raise RecordError(f"no profile has all of {', '.join(scenarios)}")
    return min(fitting)[1]


def scenario_words(scenarios: Sequence[str]) -> list[str]:
    """Return what selects the *scenarios* for pytest; none at all is said by a name without one."""
    if not scenarios:
        return ["-k", NOTHING]
    stems = [MODULES[one].__name__.rpartition(".")[2] for one in scenarios]
    return [f"certify/scenarios/{stem}.py" for stem in stems]


def run_certify(argv: Sequence[str], folder: Path) -> str:
    """Run `certify`, its words into a file beside *folder*; say how it ended.

    A name of its own for the standing lab keeps it from using one that is up.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = "matrix-" + re.sub(r"\W", "-", folder.name)
    with Path(f"{folder}.log").open("wb") as log:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "certify", *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=RUN_S,
                check=False,
                env={**os.environ, "ZEROSTALL_LAB": name},
            )
        except subprocess.TimeoutExpired:
            return f"did not end within {RUN_S:.0f} s"
    return f"exit status {done.returncode}"


def read_run(folder: Path) -> tuple[RunRecord, JudgementRecord, ConformanceRecord]:
    """Read what is needed of a sealed run; raises RecordError."""
    return (
        load(folder / "run.json", RunRecord),
        load(folder / "verdict.json", JudgementRecord),
        load(folder / "conformance.json", ConformanceRecord),
    )


def read_result(path: Path) -> Result:
    """Read a result; raises RecordError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError) as error:
        raise RecordError(f"{path}: not a saboteur's result: {error}") from error


def run_clean(campaign: Campaign, repeats: int, tell: Tell) -> list[tuple[RunRecord, CleanRuns]]:
    """Run `quick` against the reference router until *repeats* runs have a verdict; return them.

    Runs of this commit that are in the folder already count, so a cut session goes on. What was
    cut short is left alone and counts as nothing; after *repeats* of those RecordError is raised.
    """
    runs: list[tuple[RunRecord, CleanRuns]] = []
    for number in range(1, 2 * repeats + 1):
        if len(runs) == repeats:
            break
        folder = campaign.folder / RUNS / f"clean-{number:03d}"
        if not folder.exists():
            run_certify(clean_argv(folder, campaign.kernel), folder)
        if not (folder / "verdict.json").exists():
            tell(f"{folder.name}: no verdict; see {folder}.log")
            continue
        run, judgement, _ = read_run(folder)
        if run.tool.commit != campaign.commit and not campaign.keep:
            raise RecordError(f"{folder}: of commit {run.tool.commit[:12]}; --keep counts it too")
        runs.append((run, clean_runs_of(judgement)))
        tell(f"{folder.name}: {judgement.verdict}: {judgement.sentence}")
    if len(runs) < repeats:
        raise RecordError(f"{len(runs)} of {repeats} runs came to a verdict")
    return runs


def clean_argv(folder: Path, kernel: str | None) -> list[str]:
    """Return the command line of a run of the good system."""
    return [
        *("run", "--destroy", "--target", "reference-router", "--profile", PROFILE),
        *(("--kernel", kernel) if kernel else ()),
        *("--runs", str(folder.parent), "--run-dir", str(folder), "--progress", "plain"),
    ]


__all__ = ["Campaign", "CleanRuns", "Outcome", "read_result", "read_run", "run_clean"]
