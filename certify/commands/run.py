"""`certify run`: a thin wrapper of pytest, inside a virtual lab when no lab file is given."""

import argparse
import contextlib
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from certify.budget import estimate, free_disk, free_memory, shortages
from certify.commands.conclude import conclude
from certify.commands.output import tell
from certify.commands.virtual import absolute, in_lab
from certify.console import Progress
from certify.lab import Lab, LabError
from certify.lab_names import load_lab_to_run
from certify.preflight import preflight
from certify.rundir import (
    RunFolder,
    discard_empty,
    latest_of,
    make_plan,
    new_folder,
    point_latest,
)
from certify.scenarios import MODULES, PROFILES
from certify.scenarios.profiles import REPEATS
from certify.seal import is_run
from certify.verdict import ExitCode
from certify.workloads import prepare
from reports.record import PlanRecord

ROOT = Path(__file__).resolve().parents[2]
"""Where the packages are; node ids are relative to it."""


def run(arguments: argparse.Namespace) -> int:
    """Run a profile, then seal, judge and report; return the verdict's exit code."""
    if arguments.hours is not None and (arguments.profile != "soak" or not arguments.hours > 0):
        raise LabError(
            f"--hours {arguments.hours:g}: expected more than 0 and the profile soak, "
            f"seen the profile {arguments.profile}"
        )
    if arguments.lab is None:
        return _run_virtual(arguments)
    lab = load_lab_to_run(arguments.lab)
    if not arguments.destroy:
        units = ", ".join(f"{unit.name} ({unit.wwid})" for unit in lab.logical_unit)
        raise LabError(
            f"a run overwrites {units} and breaks paths, engines and arrays of {lab.lab.name}; "
            "say --destroy if that is meant"
        )
    before = latest_of(arguments.runs)
    folder = _folder(arguments, lab.lab.name)
    try:
        status = _run_here(arguments, lab, folder)
    finally:
        if arguments.run_dir is None:  # else whoever made it may look into it
            discard_empty(folder, before)
    if arguments.no_seal or not is_run(folder):
        return status
    return conclude(folder, as_json=arguments.json)


def _run_virtual(arguments: argparse.Namespace) -> int:
    """Run in a guest, which writes to a folder of ours; judge here, whatever became of it."""
    before = latest_of(arguments.runs)
    folder = _folder(arguments, "virtual")
    progress = arguments.progress
    if progress == Progress.AUTO and sys.stderr.isatty():
        progress = Progress.LIVE
        os.environ.setdefault("COLUMNS", str(shutil.get_terminal_size().columns))
    argv = [
        *("run", "--run-dir", str(folder), "--destroy", "--no-seal"),
        *("--profile", arguments.profile, "--seed", str(arguments.seed)),
        *("--workers", str(arguments.workers), "--progress", str(progress)),
        *(("--repeat", str(arguments.repeat)) if arguments.repeat else ()),
        *(("--hours", str(arguments.hours)) if arguments.hours else ()),
        *(("--max-minutes", str(arguments.max_minutes)) if arguments.max_minutes else ()),
        *(("--workload", arguments.workload) if arguments.workload else ()),
        *(("--application", arguments.application) if arguments.application else ()),
        *(("--no-conformance",) if arguments.no_conformance else ()),
        *arguments.pytest_args,
    ]
    try:
        status = in_lab(arguments, argv, writes=True)
    finally:
        discard_empty(folder, before)
    if not is_run(folder):
        tell("certify: nothing was broken and nothing was recorded")
        return status or ExitCode.LAB
    if status == ExitCode.USAGE:
        return status
    return conclude(folder, as_json=arguments.json)


def _folder(arguments: argparse.Namespace, lab_name: str) -> Path:
    if arguments.run_dir is None:
        return absolute(new_folder(arguments.runs, lab_name))
    folder = absolute(arguments.run_dir)
    if is_run(folder):
        raise LabError(f"{folder} holds a run already; evidence is not overwritten")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run_here(arguments: argparse.Namespace, lab: Lab, folder: Path) -> int:
    """Begin the folder, then the two passes of pytest; return 0 if both came to their end."""
    found = preflight(lab)
    if found.problems:
        for problem in found.problems:
            tell(f"certify: {problem}")
        tell("certify: the lab is not fit to be broken; certify heal may help")
        return ExitCode.LAB
    protocol = make_plan(
        lab,
        profile=arguments.profile,
        seed=arguments.seed,
        repeats=arguments.repeat or REPEATS[arguments.profile],
        workload=arguments.workload,
        application=arguments.application,
        hours=arguments.hours,
    )
    _check_budget(arguments, lab, protocol, folder)
    prepare(lab, protocol)
    RunFolder.begin(folder, lab=lab, found=found, plan=protocol)
    point_latest_beside(folder, arguments.runs)
    if not arguments.no_conformance:
        _pytest(_conformance_args(arguments, folder))
    ended = _pytest(_scenario_args(arguments, folder))
    known = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
    if ended is pytest.ExitCode.USAGE_ERROR:
        return ExitCode.USAGE
    return ExitCode.CERTIFIED if ended in known else ExitCode.INCONCLUSIVE


def _check_budget(
    arguments: argparse.Namespace, lab: Lab, protocol: PlanRecord, folder: Path
) -> None:
    """Raise LabError before anything is broken, when the run cannot be brought to its end."""
    need = estimate(lab, protocol, conformance=not arguments.no_conformance)
    found = shortages(
        need,
        disk_bytes=free_disk(folder),
        memory_bytes=free_memory(),
        # What is chosen by hand, only pytest knows; the estimate is of the whole profile.
        max_minutes=None if arguments.pytest_args else arguments.max_minutes,
    )
    if found:
        raise LabError("\n".join(f"not begun for want of {line}" for line in found))
    tell(f"certify: all of profile {protocol.profile} takes about {need.seconds / 60:.0f} min")


def point_latest_beside(folder: Path, runs: Path) -> None:
    """Point `latest` to a folder that was named by hand, if it is one of *runs*."""
    if folder.parent == absolute(runs):
        point_latest(folder)


def _common_args(arguments: argparse.Namespace, folder: Path) -> list[str]:
    return [
        *("-c", "/dev/null", "--rootdir", str(ROOT), "-p", "certify.plugin"),
        *("-p", "no:cacheprovider", "--import-mode=importlib", "-q", "--no-header"),
        *("--lab", str(arguments.lab), "--run-dir", str(folder)),
    ]


def _conformance_args(arguments: argparse.Namespace, folder: Path) -> list[str]:
    parallel = ["-n", str(arguments.workers), "--max-worker-restart=0"]
    where = str(ROOT / "certify" / "conformance")
    profile = ["--profile", arguments.profile]
    return [*_common_args(arguments, folder), *parallel, *profile, "--tb=short", "--destroy", where]


def _scenario_args(arguments: argparse.Namespace, folder: Path) -> list[str]:
    chosen = [one for one in arguments.pytest_args if "::" in one or one.endswith(".py")]
    files = [str(MODULES[one].__file__) for one in _ids(arguments)]
    return [
        *_common_args(arguments, folder),
        *("-p", "no:xdist", "-s", "--tb=short", "--no-summary"),
        *("--profile", arguments.profile, "--seed", str(arguments.seed)),
        *("--progress", str(arguments.progress), "--destroy"),
        *(("--repeat", str(arguments.repeat)) if arguments.repeat else ()),
        *(_rooted(one) for one in arguments.pytest_args),
        *([] if chosen else files),
    ]


def _rooted(argument: str) -> str:
    """Return a node id or file of ours with its whole path: the lab has another working folder."""
    path, colons, name = argument.partition("::")
    return f"{ROOT / path}{colons}{name}" if path and (ROOT / path).is_file() else argument


def _ids(arguments: argparse.Namespace) -> tuple[str, ...]:
    return PROFILES[arguments.profile]


def _pytest(argv: list[str]) -> int | pytest.ExitCode:
    """Run pytest in this process, its words on stderr: stdout is for results."""
    tell(f"certify: pytest {shlex.join(argv)}")
    with contextlib.redirect_stdout(sys.stderr):
        return pytest.main(argv)
