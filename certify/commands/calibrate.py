"""Known pauses, and what the suite measures of them: `certify calibrate`."""

import argparse
import subprocess
import sys

from certify.calibrate import calibrate, slow_device, wait_whole
from certify.calibration import Place, Point, table_of
from certify.commands.output import say, say_json, tell
from certify.commands.virtual import in_lab
from certify.health import problems_of
from certify.lab import Lab, LabError, load_lab
from certify.preflight import preflight
from certify.verdict import ExitCode, merge
from reports.record import Verdict

PAUSES_MS = (50.0, 200.0, 1_000.0, 5_000.0, 40_000.0)
WHOLE_S = 120.0


def run(arguments: argparse.Namespace) -> int:
    """Make pauses of known length and print what was measured of each."""
    pauses = [str(one) for one in arguments.pauses]
    rest = ["--pauses", *pauses, *(["--json"] if arguments.json else [])]
    for place in arguments.place or ():
        rest += ["--place", place]
    if arguments.lab is None:
        return in_lab(arguments, ["calibrate", "--destroy", *rest], writes=False)
    if not arguments.destroy:
        raise LabError(
            "calibrating writes to the load's logical unit; say --destroy if it is meant"
        )
    if not arguments.here:
        # The measuring process is stopped for a while: a shell would take that for its own job's.
        argv = [sys.executable, "-m", "certify", "calibrate", "--lab", str(arguments.lab)]
        return subprocess.run([*argv, "--destroy", "--here", *rest], check=False).returncode
    return _calibrate(arguments)


def _calibrate(arguments: argparse.Namespace) -> int:
    lab = load_lab(arguments.lab)
    problems = preflight(lab).problems
    if problems:
        raise LabError("\n".join(problems))
    places = [Place(one) for one in arguments.place or _possible(lab)]
    pauses_s = [ms / 1e3 for ms in arguments.pauses]
    points = list(calibrate(lab, places, pauses_s, seed=arguments.seed, narrate=tell))
    _print(points, as_json=arguments.json)
    if wait_whole(lambda: problems_of(lab), WHOLE_S):
        return ExitCode.LAB
    verdict = merge(one.verdict for one in points)
    return {Verdict.PASS: ExitCode.CERTIFIED, Verdict.FAIL: ExitCode.FAILED}.get(
        verdict, ExitCode.INCONCLUSIVE
    )


def _possible(lab: Lab) -> list[Place]:
    """Return the places that this lab has, and tell of the one that it has not."""
    try:
        slow_device(lab)
    except LabError as reason:
        tell(f"array: left out: {reason}")
        return [Place.PATH, Place.MEASURER]
    return list(Place)


def _print(points: list[Point], *, as_json: bool) -> None:
    if as_json:
        say_json(points)
        return
    for line in table_of(points):
        say(line)
    say("Allowed: an error of 5 % or one interval of the probe, beside the doubt of the truth.")
