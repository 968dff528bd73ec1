"""docs/real-lab.md and its examples: no key of a lab file is forgotten, nothing is out of date."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from certify.cli import main, make_parser
from certify.commands import run as run_command
from certify.lab import Command, Lab
from certify.lab_names import load_lab_to_run
from certify.preflight import Preflight
from certify.scenarios import MODULES
from certify.verdict import ExitCode
from reports.record import LabRecord, SystemUnderTest

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "real-lab.md").read_text(encoding="utf-8")
EXAMPLES = [DOCS / "examples" / name for name in ("lab-fc.toml", "lab-iscsi.toml")]
INSTALLED = re.compile(r"/opt/zerostall-lab/([\w.-]+)")


def _struct_of(hint: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """Return the table of a type like `list[Host]` or `Link | None`, and whether it is a list."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint, False
    for one in get_args(hint) if get_origin(hint) in (list, Union, UnionType) else ():
        table, many = _struct_of(one)
        if table is not None:
            return table, many or get_origin(hint) is list
    return None, False


def _tables(root: type[msgspec.Struct], where: str) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Yield every table of a lab file by the heading that describes it, commands once."""
    for name, hint in get_type_hints(root).items():
        table, many = _struct_of(hint)
        if table is None or table is Command:
            continue
        path = f"{where}.{name}" if where else name
        yield f"[[{path}]]" if many else f"[{path}]", table
        yield from _tables(table, path)


TABLES = {"Top level": Lab, "Commands": Command, **dict(_tables(Lab, ""))}


def _keys_told(heading: str) -> set[str]:
    """Return the keys that the table below a heading of the page describes."""
    found = re.search(rf"^### `?{re.escape(heading)}`?$(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    assert found, f"docs/real-lab.md has no heading ### {heading}"
    return set(re.findall(r"^\| `(\w+)` \|", found[1], re.M))


@pytest.mark.parametrize("heading", list(TABLES))
def test_every_key_of_a_lab_file_is_described(heading: str) -> None:
    assert _keys_told(heading) == set(TABLES[heading].__struct_fields__)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_scenario_that_an_example_has_means_for_can_be_run(path: Path) -> None:
    lab = load_lab_to_run(path)
    wanted = {means.scenario: means.subject for means in lab.means}
    plans = {name: MODULES[name].SCENARIO.plan(lab, repeats=1) for name in (*wanted, "P1", "L1")}

    assert {name: plan.not_run for name, plan in plans.items() if plan.not_run} == {}
    assert {name: plans[name].subject for name in wanted} == wanted
    assert {plans[name].fault for name in wanted} == {"command"}
    assert plans["L1"].fault == "link_cut"


def test_an_example_whose_engines_can_be_logged_in_to_runs_what_takes_their_processes() -> None:
    lab = load_lab_to_run(DOCS / "examples/lab-iscsi.toml")
    wanted = ("P7", "E1k", "E2h", "E5", "E6", "E7", "E8", "A2", "A3", "A8", "S1", "S2", "S3", "S5")

    lacking = {name: MODULES[name].SCENARIO.plan(lab, repeats=1).not_run for name in wanted}

    assert lacking == dict.fromkeys(wanted, "")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_what_an_example_says_is_not_run_is_not(path: Path) -> None:
    """The comment that lists it begins with these words and ends with an empty line."""
    text = path.read_text(encoding="utf-8")
    told = re.search(r"^# What this lab has no means for is NOT RUN.*?\n\n", text, re.M | re.S)
    assert told
    lab = load_lab_to_run(path)
    for name in re.findall(r"\b[A-Z]\d\w?\b", told[0]):
        assert MODULES[name].SCENARIO.plan(lab, repeats=1).not_run, name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_commands_of_an_example_are_there(path: Path) -> None:
    for name in set(INSTALLED.findall(path.read_text(encoding="utf-8"))):
        assert (DOCS / "examples/lab" / name).stat().st_mode & 0o111, name


def test_every_command_of_the_page_is_one_of_ours() -> None:
    commands = re.findall(r"^ *certify ((?!$)[^#\n]+)", PAGE, re.M)
    assert len(commands) > 5
    for words in commands:
        arguments, rest = make_parser().parse_known_args(words.split())
        assert not rest or arguments.act is run_command.run, words


def test_the_pages_link_to_each_other() -> None:
    assert all(path.name in PAGE for path in EXAMPLES)
    for page in ("README.md", "docs/adding-a-target.md", "docs/virtual-lab.md"):
        assert "real-lab.md" in (DOCS.parent / page).read_text(encoding="utf-8"), page


def test_a_lab_that_is_not_fit_leaves_no_run_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unfit = Preflight(
        problems=["control disk: no disk of 36c"],
        lab=LabRecord(
            name="l",
            kind="physical",
            kernel="",
            topology="single",
            hosts=[],
            engines=[],
            arrays=[],
            logical_units=[],
            paths=[],
        ),
        system_under_test=SystemUnderTest(name="", vendor="", product="", revision="", serials=[]),
        host_timers=[],
        versions={},
    )
    monkeypatch.setattr(run_command, "preflight", lambda lab: unfit)
    monkeypatch.chdir(tmp_path)

    assert main(["run", "--lab", str(EXAMPLES[0]), "--destroy"]) == ExitCode.LAB

    said = capsys.readouterr().err.splitlines()
    assert said == [
        "certify: control disk: no disk of 36c",
        "certify: the lab is not fit to be broken; certify heal may help",
    ]
    assert list((tmp_path / "runs").iterdir()) == []
