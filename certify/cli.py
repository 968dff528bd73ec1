"""The command line: results on stdout, progress on stderr, one meaning per exit code.

0 certified or done; 1 failed; 2 the command line or the lab file is wrong; 3 inconclusive;
4 the lab could not be booted, or not be restored to health.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from certify import __version__
from certify.calibration import Place
from certify.commands import (
    calibrate,
    compare,
    conclude,
    explain,
    inspect,
    issue,
    lab_commands,
    mend,
    new,
    run,
    saboteurs,
    sign,
)
from certify.console import Progress
from certify.extensions import load_scenarios
from certify.lab import LabError
from certify.scenarios import PROFILES
from certify.verdict import ExitCode
from certify.virtual_lab import session
from certify.virtual_lab.boot import BootError
from certify.virtual_lab.cluster import console
from certify.virtual_lab.cluster.plan import HOSTS
from certify.virtual_lab.targets import DEFAULT_TARGET, TARGETS, target_named
from certify.workloads import APPLICATIONS, WORKLOADS
from fault_injectors import FaultError
from reports.record import RecordError

RUNS = Path("runs")
KERNELS = ("kvm", "uml", "tcg")
INTERRUPTED = (
    "interrupted; certify heal undoes what may be broken, certify seal judges what was recorded"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    for problem in load_scenarios():
        _fail(problem, ExitCode.USAGE)  # told, and left out: the rest works without it
    parser = make_parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.act is not run.run:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.pytest_args = [one for one in rest if one != "--"]
    act: Callable[[argparse.Namespace], int] = arguments.act
    try:
        return act(arguments)
    except LabError as error:
        return _fail(str(error), ExitCode.USAGE)
    except RecordError as error:
        return _fail(str(error), ExitCode.USAGE)
    except FaultError as error:
        return _fail(str(error), ExitCode.LAB)
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, ExitCode.INCONCLUSIVE)
    except BrokenPipeError:
        # Whoever read our results has gone; nothing more can be told. See the docs of `signal`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED


def _fail(text: str, code: ExitCode) -> int:
    for line in text.splitlines():
        sys.stderr.write(f"certify: {line}\n")
    return code


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="certify",
        description="Proves that highly available SAN storage has no downtime, or shows where.",
        epilog="Exit status: 0 certified or done, 1 failed, 2 usage or lab file, 3 inconclusive, "
        "4 the lab could not be booted or not be restored.",
    )
    parser.add_argument("--version", action="version", version=f"certify {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_looks(commands)
    _add_run(commands)
    _add_calibrate(commands)
    _add_results(commands)
    _add_lab(commands)
    _add_saboteurs(commands)
    _add_new(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(
    commands: Commands, name: str, act: Callable[[argparse.Namespace], int], words: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    parser.set_defaults(act=act)
    return parser


def _lab_option(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument(
        "--lab",
        type=Path,
        required=required,
        metavar="FILE",
        help="the lab's description (lab.toml)" + ("" if required else "; default: a virtual lab"),
    )


def _target(name: str) -> str:
    """Return the name of a target that there is; argparse wants its own error otherwise."""
    try:
        return target_named(name).name
    except BootError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _virtual_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kernel", choices=KERNELS, help="of the virtual lab; default: by probing")
    parser.add_argument(
        "--target",
        type=_target,
        metavar="NAME",
        help=f"what the virtual lab puts under test: {', '.join(sorted(TARGETS))} or "
        f"saboteur:NAME; default: what is up, else {DEFAULT_TARGET}",
    )
    parser.add_argument(
        "--topology",
        choices=(session.SINGLE, session.CLUSTER),
        help="one guest, or a guest for each box; default: what is up, else single",
    )
    parser.add_argument("--hosts", type=int, metavar="N", help=f"of a cluster; default: {HOSTS}")
    parser.add_argument(
        "--runs", type=Path, default=RUNS, metavar="DIR", help="folder of run folders"
    )


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def _profile_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="quick", choices=sorted(PROFILES))


def _length_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repeat", type=int, metavar="N", help="of each scenario; default: the profile's"
    )
    parser.add_argument("--hours", type=float, metavar="H", help="how long a soak goes on")


def _add_looks(commands: Commands) -> None:
    for name, act, words in (
        ("check", inspect.check, "say whether a lab is fit to be broken; changes nothing"),
        ("topology", inspect.topology, "show hosts, paths, engines and arrays as a tree"),
    ):
        parser = _command(commands, name, act, words)
        _lab_option(parser)
        _virtual_options(parser)
        _json_option(parser)
    parser = _command(commands, "list", inspect.list_scenarios, "list scenarios and profiles")
    _profile_option(parser)
    _json_option(parser)
    parser = _command(commands, "plan", inspect.plan, "show the protocol of a run, and its hash")
    _lab_option(parser, required=True)
    _profile_option(parser)
    parser.add_argument("--seed", type=int, default=1)
    _length_options(parser)
    _json_option(parser)


def _add_run(commands: Commands) -> None:
    parser = _command(
        commands,
        "run",
        run.run,
        "run a profile against a lab, judge it and write the report; "
        "further arguments go to pytest (-k, -m, -x, node ids)",
    )
    _lab_option(parser)
    _virtual_options(parser)
    _profile_option(parser)
    parser.add_argument("--seed", type=int, default=1, help="of what the probes choose at random")
    _length_options(parser)
    parser.add_argument(
        "--max-minutes",
        type=float,
        metavar="M",
        help="refuse to start what takes longer, by estimate",
    )
    parser.add_argument(
        "--destroy",
        action="store_true",
        help="needed with --lab: its logical units are overwritten and its parts broken",
    )
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="default: a new one in --runs")
    parser.add_argument("--no-conformance", action="store_true", help="leave out; never certifies")
    parser.add_argument(
        "--workload", default="", choices=sorted(WORKLOADS), help="fio beside every scenario"
    )
    parser.add_argument(
        "--application",
        default="",
        choices=sorted(APPLICATIONS),
        help="a real application beside every scenario: its transactions, then a crash of its host",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="of conformance")
    parser.add_argument("--no-seal", action="store_true", help="only act and record; seal later")
    parser.add_argument("--progress", default=Progress.AUTO, choices=list(Progress))
    _json_option(parser)
    parser = _command(commands, "heal", mend.heal, "undo what a run that died left broken")
    _lab_option(parser)
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="DIR")
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="default: the latest run")


def _add_calibrate(commands: Commands) -> None:
    words = "make pauses of known length and show what is measured of each"
    parser = _command(commands, "calibrate", calibrate.run, words)
    _lab_option(parser)
    _virtual_options(parser)
    _json_option(parser)
    parser.add_argument(
        "--pauses",
        type=float,
        nargs="+",
        default=list(calibrate.PAUSES_MS),
        metavar="MS",
        help="default: 50 ms to 40 s",
    )
    parser.add_argument(
        "--place", action="append", choices=list(Place), help="may be repeated; default: all"
    )
    parser.add_argument("--seed", type=int, default=1, help="of what the probes choose at random")
    words = "needed with --lab: the load's logical unit is written to"
    parser.add_argument("--destroy", action="store_true", help=words)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)


def _add_results(commands: Commands) -> None:
    parser = _command(commands, "seal", conclude.seal_run, "judge a run folder and seal it again")
    parser.add_argument("run", type=Path)
    _json_option(parser)
    parser = _command(commands, "report", conclude.report, "write the PDF report of a sealed run")
    parser.add_argument("run", type=Path)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    parser.add_argument("--html", action="store_true", help="the page for screens, report.html")
    words = "issue the report of a sealed run under [acceptance] of a lab file, or revise it"
    parser = _command(commands, "issue", issue.issue, words)
    parser.add_argument("run", type=Path)
    _lab_option(parser, required=True)
    parser.add_argument("-o", "--output", type=Path, metavar="PDF")
    words = "show the operations that prove that data of a sealed run was wrong"
    parser = _command(commands, "explain", explain.explain, words)
    parser.add_argument("run", type=Path)
    parser.add_argument("scenario", nargs="?", default="", help="default: all")
    _json_option(parser)
    parser = _command(commands, "verify", conclude.verify, "prove that a run or a PDF is intact")
    parser.add_argument("what", type=Path, metavar="RUN|PDF")
    parser.add_argument("--run", type=Path, help="the run folder that the PDF was made from")
    words = "certificate of an authority that vouches for signers; may be repeated"
    parser.add_argument(
        "--trust", type=Path, action="append", default=[], metavar="PEM", help=words
    )
    _json_option(parser)
    _add_sign(commands)
    _add_comparisons(commands)


def _add_sign(commands: Commands) -> None:
    words = "sign a report as one of the roles on its cover (needs zerostall[sign])"
    parser = _command(commands, "sign", sign.sign, words)
    parser.add_argument("report", type=Path, metavar="PDF")
    parser.add_argument("--as", dest="role", required=True, metavar="ROLE", help="as on the cover")
    parser.add_argument("--key", type=Path, required=True, help="private key, PEM or DER")
    parser.add_argument("--cert", type=Path, required=True, help="its certificate, PEM or DER")
    parser.add_argument("--chain", type=Path, action="append", default=[], metavar="PEM")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="of the key")
    parser.add_argument("--run", type=Path, help="the run folder, where the PDF does not carry it")
    parser.add_argument("-o", "--output", type=Path, metavar="PDF", help="default: in place")


def _add_comparisons(commands: Commands) -> None:
    words = "set sealed runs side by side, or hold one against a baseline (exit 1 if it is worse)"
    parser = _command(commands, "compare", compare.compare, words)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, metavar="PDF", help="write the page, too")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="of certify baseline")
    _json_option(parser)
    parser = _command(
        commands, "baseline", compare.baseline, "write what a sealed run achieved, for compare"
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True)


def _add_new(commands: Commands) -> None:
    words = "write a file to begin with"
    parser = commands.add_parser("new", help=words, description=f"{words[0].upper()}{words[1:]}.")
    what = parser.add_subparsers(required=True, metavar="WHAT")
    scenario = _command(what, "scenario", new.new_scenario, "a scenario to begin with")
    scenario.add_argument("name", metavar="NAME", help="of the file, as in path_pull")
    scenario.add_argument("--id", default="", help="as in E1k; default: the first free X1, X2, ...")
    scenario.add_argument("--into", type=Path, metavar="DIR", help="default: certify/scenarios")


def _add_lab(commands: Commands) -> None:
    words = "start, enter, measure or end a virtual lab"
    parser = commands.add_parser("lab", help=words, description=f"{words[0].upper()}{words[1:]}.")
    acts = parser.add_subparsers(required=True, metavar="ACT")
    _virtual_options(_command(acts, "up", lab_commands.up, "start a lab and leave it running"))
    shell = _command(acts, "shell", lab_commands.shell, "enter the lab, or run one command in it")
    shell.add_argument("--node", metavar="NAME", help="of a cluster; default: the first host")
    shell.add_argument("command", nargs=argparse.REMAINDER, help="default: a login shell")
    _command(acts, "down", lab_commands.down, "end the lab")
    _add_cluster_acts(acts)
    words = "measure the router's speed beside LIO and LIO over MD RAID-1, in one guest"
    bench = _command(acts, "bench", lab_commands.bench, words)
    _virtual_options(bench)
    bench.add_argument("--repeats", type=int, default=3, help="of each load (default: %(default)s)")
    bench.add_argument(
        "--seconds", type=float, default=0.7, help="of each repeat (default: %(default)s)"
    )
    words = "and with Debian's tcmu-runner, which must be installed, in a second guest"
    bench.add_argument("--with-tcmu-runner", action="store_true", help=words)


def _add_cluster_acts(acts: Commands) -> None:
    """Add what is done to a cluster from outside its nodes."""
    cable = _command(acts, "cable", lab_commands.cable, "pull or mend cables of a cluster")
    cable.add_argument("verb", choices=sorted(console.VERBS["cable"]))
    words = (
        "NODE:FABRIC, or NODE:FABRIC:from_node or :to_node for one way; a fabric is a, b or link"
    )
    cable.add_argument("port", nargs="+", help=words)
    power = _command(acts, "power", lab_commands.power, "switch the power of nodes of a cluster")
    power.add_argument("verb", choices=sorted(console.VERBS["power"]))
    power.add_argument("name", nargs="+", help="of a node: array-a, engine1, host1, ...")


def _add_saboteurs(commands: Commands) -> None:
    words = "test the suite itself by systems with one known defect each"
    parser = commands.add_parser(
        "saboteurs", help=words, description=f"{words[0].upper()}{words[1:]}."
    )
    acts = parser.add_subparsers(required=True, metavar="ACT")
    _json_option(_command(acts, "list", saboteurs.list_them, "list them and what must catch each"))
    words = "run each in a guest of its own; exit status 0 if every defect was found"
    matrix = _command(acts, "matrix", saboteurs.matrix, words)
    matrix.add_argument("--only", nargs="+", default=[], metavar="NAME", help="default: all")
    _json_option(matrix)
    words = "run the good system again and again; exit status 0 if it passed every time"
    alarms = _command(acts, "false-alarms", saboteurs.false_alarms, words)
    alarms.add_argument("--repeat", type=int, default=30, help="(default: %(default)s)")
    words = "write the suite's figure, which every report then quotes"
    publish = _command(acts, "publish", saboteurs.publish, words)
    publish.add_argument(
        "--clean",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="further run folders of the good system; each repeat counts as a run",
    )
    for one in (matrix, alarms, publish):
        one.add_argument(
            "--dir", type=Path, default=RUNS / "saboteurs", help="of results (default: %(default)s)"
        )
    for one in (matrix, alarms):
        one.add_argument("--kernel", choices=KERNELS, help="of the guests; default: by probing")
        one.add_argument("--jobs", type=int, default=1, metavar="N", help="guests at a time")
        one.add_argument("--again", action="store_true", help="also those that have a result")
        one.add_argument("--keep", action="store_true", help="also results of another commit")
