"""The command line of the router: the daemons, and the questions to a supervisor."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_router.config import ConfigError, EngineTable, RouterConfig, load_config
from reference_router.control import ControlError, ask
from reference_router.state_file import is_redundant
from reference_router.status_table import table_of

_POLL_S = 0.05
_EXIT_NO = 1
_EXIT_USAGE = 2


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit status: 0 yes or done, 1 no or failed, 2 usage."""
    words = sys.argv[1:] if argv is None else argv
    # These are of no engine, and the other commands do not need their modules.
    if words[:1] == ["simulate"]:
        from reference_router.simulator.command import simulate

        return simulate(words[1:])
    if words[:1] == ["witness"]:
        from reference_router.witness import witness

        return witness(words[1:])
    arguments = _parser().parse_args(words)
    try:
        config = load_config(arguments.config)
        table = config.engine_named(arguments.engine)
    except ConfigError as error:
        return _complain(str(error), _EXIT_USAGE)
    if arguments.command in ("supervise", "engine"):
        return _daemon(arguments, config, table)
    try:
        if arguments.command in ("attach", "detach", "release"):
            return _operate(arguments, config, table)
        return _QUESTIONS[arguments.command](arguments, table)
    except ControlError as error:
        return _complain(str(error), _EXIT_NO)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reference_router", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("simulate", help="run the core in a simulated world, with faults")
    text = "run the witness, which decides between engines that lost each other"
    commands.add_parser("witness", help=text)
    for name, text in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, help="router.toml")
        command.add_argument("--engine", required=True, help="name of the engine in the file")
        if name == "engine":
            command.add_argument("--supervisor-fd", type=int, required=True)
            command.add_argument("--sizes", type=json.loads, required=True)
        if name in ("engine", "start"):
            text = "take the operator's word that all legs are equal"
            command.add_argument("--cold-start", action="store_true", help=text)
            text = "serve from the newest legs in reach, whatever others may hold"
            command.add_argument("--force", action="store_true", help=text)
        if name in ("attach", "detach"):
            command.add_argument("--array", required=True, help="name of the array in the file")
            command.add_argument("--unit", default="", help="one logical unit; default: all")
        if name == "attach":
            text = "wait until the copy is complete, not only until it has begun"
            command.add_argument("--whole", action="store_true", help=text)
        if name == "release":
            text = "release what can be reached, whatever its keys say"
            command.add_argument("--force", action="store_true", help=text)
        if name in ("stop", "wait", "attach", "detach"):
            command.add_argument("--timeout", type=float, default=10.0, help="seconds")
        if name in _QUESTIONS or name in ("attach", "detach"):
            command.add_argument("--json", action="store_true", help="print the status as JSON")
    return parser


def _daemon(arguments: argparse.Namespace, config: RouterConfig, table: EngineTable) -> int:
    # The other commands are asked often, and start faster without these.
    from reference_router.configfs import ConfigfsError
    from reference_router.engine import run_engine
    from reference_router.supervisor import run_supervisor

    try:
        if arguments.command == "supervise":
            return run_supervisor(config, arguments.config, table)
        return run_engine(
            config,
            table,
            sizes=arguments.sizes,
            cold_start=arguments.cold_start,
            force=arguments.force,
            supervisor_fd=arguments.supervisor_fd,
        )
    except ConfigError as error:
        return _complain(str(error), _EXIT_USAGE)
    except (ConfigfsError, OSError) as error:
        return _complain(f"{arguments.command}: {error}", _EXIT_NO)


def _start(arguments: argparse.Namespace, table: EngineTable) -> int:
    words = {"cold_start": arguments.cold_start, "force": arguments.force}
    status = ask(Path(table.control), "start", **words)
    return _tell(arguments, status, f"process {status['pid']}")


def _stop(arguments: argparse.Namespace, table: EngineTable) -> int:
    status = ask(Path(table.control), "stop")
    deadline = time.monotonic() + arguments.timeout
    while status["pid"] is not None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        status = ask(Path(table.control), "status")
    stopped = status["pid"] is None
    return _verdict(arguments, status, stopped, "stopped", "still running")


def _status(arguments: argparse.Namespace, table: EngineTable) -> int:
    status = ask(Path(table.control), "status")
    return _tell(arguments, status, table_of(status))


def _pid(arguments: argparse.Namespace, table: EngineTable) -> int:
    status = ask(Path(table.control), "status")
    if status["pid"] is None:
        return _complain(f"engine {table.name} is not running", _EXIT_NO)
    return _tell(arguments, status, str(status["pid"]))


def _ready(arguments: argparse.Namespace, table: EngineTable) -> int:
    status = ask(Path(table.control), "status")
    return _verdict(arguments, status, bool(status["ready"]), "ready", "not ready")


def _wait(arguments: argparse.Namespace, table: EngineTable) -> int:
    deadline = time.monotonic() + arguments.timeout
    while True:
        try:
            status = ask(Path(table.control), "status")
        except ControlError:
            if time.monotonic() > deadline:
                raise
            status = {"ready": False}
        if status["ready"] or time.monotonic() > deadline:
            return _verdict(arguments, status, bool(status["ready"]), "ready", "not ready")
        time.sleep(_POLL_S)


def _operate(arguments: argparse.Namespace, config: RouterConfig, table: EngineTable) -> int:
    # The other commands are asked often, and start faster without these.
    from reference_router.operations import OperationError, attach, detach, release

    try:
        if arguments.command == "release":
            sys.stdout.write("\n".join(release(config, table, force=arguments.force)) + "\n")
            return 0
        if arguments.array not in config.arrays:
            known = ", ".join(config.arrays)
            return _complain(f"array: expected one of {known}, seen {arguments.array!r}", 2)
        common = {"array": arguments.array, "unit": arguments.unit, "timeout_s": arguments.timeout}
        if arguments.command == "attach":
            status, text = attach(table, whole=arguments.whole, **common)
        else:
            status, text = detach(config, table, **common)
    except (OperationError, ConfigError) as error:
        return _complain(str(error), _EXIT_NO)
    return _tell(arguments, status, text)


def _redundant(arguments: argparse.Namespace, table: EngineTable) -> int:
    status = ask(Path(table.control), "status")
    redundant = is_redundant(status)
    return _verdict(arguments, status, redundant, "redundant", "not redundant")


def _verdict(
    arguments: argparse.Namespace, status: dict[str, Any], yes: bool, good: str, bad: str
) -> int:
    _tell(arguments, status, good if yes else bad)
    return 0 if yes else _EXIT_NO


def _tell(arguments: argparse.Namespace, status: dict[str, Any], text: str) -> int:
    sys.stdout.write((json.dumps(status) if arguments.json else text) + "\n")
    return 0


def _complain(text: str, status: int) -> int:
    sys.stderr.write(f"reference_router: {text}\n")
    return status


_QUESTIONS: dict[str, Callable[[argparse.Namespace, EngineTable], int]] = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "pid": _pid,
    "ready": _ready,
    "wait": _wait,
    "redundant": _redundant,
}
_COMMANDS = {
    "supervise": "run the supervisor of an engine, in the foreground",
    "start": "start a dead engine (failback); returns at once",
    "stop": "drain the engine and stop it as planned, and wait until it has stopped",
    "status": "print what the engine is doing",
    "pid": "print the process id of the engine",
    "ready": "exit with 0 if the engine serves",
    "wait": "wait until the engine serves",
    "redundant": "exit with 0 if both engines serve and all legs are in sync",
    "detach": "take an array out for good: its data is as it is, its keys are removed",
    "attach": "take a detached or blank array in: its data is overwritten by a full copy",
    "release": "remove the router for good: with both engines stopped, free all legs of its keys",
    "engine": "run an engine (the supervisor does this)",
}
