"""`certify saboteurs`: the suite's own test."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from certify.commands.output import say, say_json, tell
from certify.credibility import credibility_of, write
from certify.lab import LabError
from certify.rundir import tool, utc_now
from certify.saboteurs.campaign import RUNS, Campaign, read_run, run_clean
from certify.saboteurs.catalogue import SABOTEURS, saboteur_named
from certify.saboteurs.result import (
    GOOD,
    CleanRuns,
    Matrix,
    Result,
    clean_runs_of,
    matrix_of,
    sum_of,
)
from certify.saboteurs.saboteur import Saboteur
from certify.verdict import ExitCode
from reports.record import RecordError, RunRecord, credibility_sentence

_WIDTH = 200


def list_them(arguments: argparse.Namespace) -> int:
    """List every saboteur, what is wrong with it and what must catch it."""
    if arguments.json:
        say_json(
            [
                {
                    "name": one.name,
                    "family": one.family,
                    "what": one.what,
                    "scenarios": one.scenarios,
                    "conformance": one.conforms,
                    "caught_by": [f"{catch.where}: {catch.check}" for catch in one.caught_by],
                }
                for one in SABOTEURS.values()
            ]
        )
        return ExitCode.CERTIFIED
    for one in SABOTEURS.values():
        say(f"{one.name:<28}{one.family:<14}{one.what}")
    return ExitCode.CERTIFIED


def matrix(arguments: argparse.Namespace) -> int:
    """Run the saboteurs and say which check caught which; 0 if all were found."""
    campaign = _campaign(arguments)
    results = campaign.run(_chosen(arguments.only), lambda text: tell(f"  {text}"))
    seen = matrix_of(_with_earlier(results, campaign))
    path = arguments.dir / "matrix.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(seen), indent=2))
    if arguments.json:
        say_json(seen)
    else:
        _show(seen)
        say(f"matrix  {path}")
    fine = all(one.outcome in GOOD for one in results)
    return ExitCode.CERTIFIED if fine else ExitCode.FAILED


def false_alarms(arguments: argparse.Namespace) -> int:
    """Run the good system again and again; 0 if it passed every time."""
    runs = run_clean(_campaign(arguments), arguments.repeat, lambda text: tell(f"  {text}"))
    seen = sum_of(counted for _, counted in runs)
    say(
        f"{seen.false_alarms} false alarms in {seen.judged} runs; "
        f"{seen.inconclusive} beside those were inconclusive"
    )
    return ExitCode.CERTIFIED if seen.clean == arguments.repeat else ExitCode.FAILED


def publish(arguments: argparse.Namespace) -> int:
    """Write the suite's figure from what was measured."""
    try:
        seen = msgspec.json.decode((arguments.dir / "matrix.json").read_bytes(), type=Matrix)
    except (OSError, msgspec.DecodeError) as error:
        raise RecordError(f"{arguments.dir / 'matrix.json'}: no matrix: {error}") from error
    missing = [name for name in SABOTEURS if name not in {one.saboteur for one in seen.results}]
    if missing:
        raise RecordError(f"the matrix lacks {', '.join(missing)}")
    runs = _clean_runs(arguments.dir, arguments.clean)
    counted = sum_of(one for _, one in runs)
    figure = credibility_of(seen, counted, [run for run, _ in runs], measured_utc=utc_now())
    write(figure)
    say(credibility_sentence(figure))
    return ExitCode.CERTIFIED


def _clean_runs(folder: Path, others: Sequence[Path]) -> list[tuple[RunRecord, CleanRuns]]:
    folders = [*sorted((folder / RUNS).glob("clean-[0-9]*")), *others]
    runs = []
    for one in folders:
        if (one / "verdict.json").exists():
            run, judgement, _ = read_run(one)
            if run.lab.target != "reference-router":
                raise RecordError(f"{one}: of {run.lab.target!r}, not of the reference router")
            runs.append((run, clean_runs_of(judgement)))
    return runs


def _campaign(arguments: argparse.Namespace) -> Campaign:
    return Campaign(
        folder=arguments.dir.resolve(),
        kernel=arguments.kernel,
        jobs=arguments.jobs,
        commit=tool().commit,
        again=arguments.again,
        keep=arguments.keep,
    )


def _chosen(names: Sequence[str]) -> list[Saboteur]:
    try:
        return [saboteur_named(name) for name in names] if names else list(SABOTEURS.values())
    except KeyError as error:
        raise LabError(str(error.args[0])) from error


def _with_earlier(results: Sequence[Result], campaign: Campaign) -> list[Result]:
    """Add what an earlier session found of the others, in the order of the catalogue."""
    new = {one.saboteur: one for one in results}
    every = (new.get(name) or campaign.stored(one) for name, one in SABOTEURS.items())
    return [one for one in every if one is not None]


def _show(seen: Matrix) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("saboteur", "family", "outcome", "caught by", "also failed"):
        table.add_column(title, overflow="fold")
    for one in seen.results:
        table.add_row(
            one.saboteur, one.family, one.outcome, "\n".join(one.caught_by) or _why(one), _also(one)
        )
    Console(width=_WIDTH, soft_wrap=True).print(table)
    say("\nby check:")
    for check, names in seen.checks.items():
        say(f"  {check}: {', '.join(names)}")
    say(f"\n{seen.found} of {seen.defects} defects found; the control: {seen.control}")


def _why(one: Result) -> str:
    return "" if one.outcome in GOOD else one.sentence


def _also(one: Result) -> str:
    return "\n".join(one.also_failed[:3])
