"""`certify new scenario NAME`: a file to begin with, and what is left to do by hand."""

import argparse
from pathlib import Path

from certify.commands.output import say
from certify.extensions import SCENARIO_GROUP
from certify.lab import LabError
from certify.scenario_template import check_name, choose_id, scenario_text
from certify.scenarios import MODULES

OURS = Path(__file__).parents[1] / "scenarios"


def new_scenario(arguments: argparse.Namespace) -> int:
    """Write the file and say how it becomes part of a run; return 0.

    Raises LabError for a name or id that cannot be, and rather than overwrite anything.
    """
    check_name(arguments.name)
    chosen = choose_id(arguments.id, MODULES)
    folder: Path = arguments.into or OURS
    if not folder.is_dir():
        raise LabError(f"{folder} is not a folder; it is to hold {arguments.name}.py")
    path = folder / f"{arguments.name}.py"
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(scenario_text(arguments.name, chosen))
    except FileExistsError as error:
        raise LabError(f"{path} is there already; nothing was written") from error
    say(f"{path}")
    for line in _left_to_do(arguments.name, chosen, folder):
        say(line)
    return 0


def _left_to_do(name: str, scenario: str, folder: Path) -> list[str]:
    if folder.resolve() == OURS.resolve():
        return [
            f"1. In {OURS / '__init__.py'}: import {name}, and add it to MODULES.",
            "2. In tests/unit/suite/test_scenarios.py: what a lab lacks that cannot express it.",
            f"3. certify run --profile full -k {scenario}",
        ]
    return [
        "1. In the pyproject.toml of your package:",
        f'     [project.entry-points."{SCENARIO_GROUP}"]',
        f'     {scenario} = "{folder.resolve().name}.{name}"',
        "2. pip install -e the package into the environment of certify.",
        f"3. certify run --profile NAME-OF-THE-PACKAGE -k {scenario}",
    ]
