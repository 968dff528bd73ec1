"""`certify heal`: undo what a run that died left broken, and say what is not whole."""

import argparse
import time
from pathlib import Path

from certify.commands.output import say
from certify.commands.virtual import absolute
from certify.deadline import Deadline
from certify.health import problems_of
from certify.lab import Lab, load_lab
from certify.rundir import LATEST
from certify.verdict import ExitCode
from certify.virtual_lab import session
from fault_injectors import heal_all
from reports.record import RecordError, RunRecord, load

WHOLE_S = 90.0
LOOK_S = 1.0


def heal(arguments: argparse.Namespace) -> int:
    """Heal by the journal of a run, wait for the lab to be whole; return 0 if it is, else 4."""
    folder = absolute(arguments.run_dir or arguments.runs / LATEST)
    if arguments.lab is None:
        return _heal_virtual(arguments, folder)
    return _heal_here(load_lab(arguments.lab), folder / "journal.jsonl")


def _heal_virtual(arguments: argparse.Namespace, folder: Path) -> int:
    if session.standing_lab_is_up():
        argv = ["heal", "--lab", str(session.LAB_FILE), "--run-dir", str(folder)]
        return session.run_in_lab(argv, session.Wanted(runs_dir=absolute(arguments.runs)))
    if not folder.exists():
        say(f"{folder}: no run, so nothing to heal")
        return ExitCode.CERTIFIED
    if _is_virtual(folder):
        say("the virtual lab of that run ended with it: nothing of it is left to heal")
        return ExitCode.CERTIFIED
    say(f"{folder.name} was run on a lab of your own: name it with --lab FILE")
    return ExitCode.USAGE


def _is_virtual(folder: Path) -> bool:
    """A folder without a record of its run was given up before anything was broken."""
    try:
        return load(folder / "run.json", RunRecord).lab.kind == "virtual"
    except RecordError:
        return True


def _heal_here(lab: Lab, journal: Path) -> int:
    for result in heal_all(journal):
        word = "healed" if result.healthy else "NOT healed"
        say(f"{result.kind} on {result.subject}: {word}: {result.detail}")
    problems = _wait_whole(lab)
    for problem in problems:
        say(problem)
    if problems:
        return ExitCode.LAB
    say(f"{lab.lab.name}: healthy")
    return ExitCode.CERTIFIED


def _wait_whole(lab: Lab) -> list[str]:
    """Give resynchronisation and path checkers their time; return what is not whole then."""
    deadline = Deadline.after(WHOLE_S)
    while True:
        problems = problems_of(lab)
        if not problems or deadline.passed:
            return problems
        time.sleep(LOOK_S)
