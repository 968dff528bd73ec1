"""The examples for CI servers say commands that exist, in files that those servers can read."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from certify.cli import make_parser
from certify.verdict import ExitCode

DOCS = Path(__file__).resolve().parents[3] / "docs"
EXAMPLES = sorted((DOCS / "examples").glob("*.yml"))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [str(value)]


def _commands(path: Path) -> list[list[str]]:
    """Return what follows `certify` on every line of the file's scripts."""
    text = "\n".join(_texts(yaml.safe_load(path.read_text(encoding="utf-8"))))
    return [shlex.split(one) for one in re.findall(r"\bcertify ((?!RUN_ARGS)[^;\n]+)", text)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_command_of_an_example_is_one_of_ours(path: Path) -> None:
    commands = _commands(path)
    assert commands
    for words in commands:
        make_parser().parse_args(words)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_arguments_for_make_are_those_of_run(path: Path) -> None:
    found = re.findall(r'make certify RUN_ARGS="([^"]*)"', path.read_text(encoding="utf-8"))
    assert found
    for words in found:
        make_parser().parse_args(["run", "--destroy", *shlex.split(words)])


def test_the_table_of_exit_statuses_is_that_of_the_program() -> None:
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    told = {int(one) for one in re.findall(r"^\| (\d) \| ", text, re.MULTILINE)}
    assert told == {int(code) for code in ExitCode}
