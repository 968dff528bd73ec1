"""Break and mend by [[means]], [link] and [array.back] of a lab file, in turn, without any load.

    python docs/examples/lab/rehearse_means.py --lab lab.toml --run-dir DIR [--only P2] --destroy

Each is looked at, broken, proven, broken again, mended, proven whole, mended again: what a run
asks of it, and that twice does no harm. What is broken is in a journal in DIR, as in a run: if
this is killed, `certify heal --lab lab.toml --run-dir DIR` mends it. Exit status: 0 if all did
what they are for, 1 if not, 2 for a wrong command line or lab file, 4 if something could not be
mended.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from certify.commands.output import say, tell
from certify.lab import Lab, LabError
from certify.lab_names import load_lab_to_run
from certify.scenarios import MODULES
from certify.scenarios.arrays import offline
from certify.scenarios.base import Step, means_of
from fault_injectors import CommandFault, FaultError, Injection, Journal, shell_for

LINK = "L1"
MEND_S = 60.0
"""As long as a run waits for a thing to be whole once `heal` has ended."""


def steps(lab: Lab, only: str) -> Iterator[tuple[str, Step]]:
    """Yield what the lab file has commands for, with the id of the scenario or the array's name."""
    named = [means.scenario for means in lab.means]
    if lab.link is not None and lab.link.cut is not None and LINK not in named:
        named.insert(0, LINK)
    for scenario in named:
        if only in ("", scenario):
            broken = means_of(lab, scenario) or MODULES[scenario].SCENARIO.build(lab)
            for step in broken.steps:
                yield scenario, step
    for index, array in enumerate(lab.array):
        if array.back is not None and array.back.cut is not None and only in ("", array.name):
            yield array.name, offline(lab, index)


def rehearse(step: Step, journal: Journal) -> list[str]:
    """Break and mend once; return what was not as it should be. Raises FaultError if it stays."""
    shell = shell_for(step.reach)
    wrong: list[str] = []
    try:
        injection = Injection.prepared(step.fault, shell, journal)
    except FaultError as error:
        return [str(error)]
    try:
        wrong += _broken(injection)
    except FaultError as error:
        wrong.append(str(error))
    finally:
        injection.undo(timeout_s=MEND_S)
    try:
        if isinstance(step.fault, CommandFault):  # its own heal does nothing where all is whole
            shell.run(step.fault.heal_argv, timeout_s=step.fault.timeout_s)
    except FaultError as error:
        wrong.append(f"mended again: {error}")
    return wrong


def _broken(injection: Injection) -> list[str]:
    """Break it, twice, and look; then begin to mend."""
    began = time.monotonic()
    injection.inject()
    told = f"broken in {time.monotonic() - began:.1f} s"
    proof = injection.prove()
    say(f"     {told}; {proof.seen}")
    wrong = [] if proof.effective else [f"broken, and not seen to be: {proof.seen}"]
    injection.fault.apply(injection.shell)
    began = time.monotonic()
    injection.mend()
    whole = injection.prove_mended(timeout_s=MEND_S)
    say(f"     mended in {time.monotonic() - began:.1f} s; {whole.seen}")
    return wrong if whole.effective else [*wrong, f"not whole after {MEND_S:g} s: {whole.seen}"]


def main() -> int:
    """See the top of the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lab", type=Path, required=True, metavar="FILE")
    parser.add_argument("--run-dir", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", default="", metavar="ID", help="of a scenario; default: all")
    parser.add_argument("--destroy", action="store_true", help="needed: paths and boxes go down")
    arguments = parser.parse_args()
    if not arguments.destroy:
        parser.error("it takes paths, engines and arrays away; say --destroy if that is meant")
    try:
        lab = load_lab_to_run(arguments.lab)
    except LabError as error:
        tell(str(error))
        return 2
    arguments.run_dir.mkdir(parents=True, exist_ok=True)
    journal = Journal(arguments.run_dir / "journal.jsonl")
    failed = False
    for scenario, step in steps(lab, arguments.only):
        say(f"{scenario:<4} {step.fault.subject}")
        try:
            wrong = rehearse(step, journal)
        except FaultError as error:
            say(f"     NOT MENDED: {error}")
            return 4
        for line in wrong:
            say(f"     WRONG: {line}")
        failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
