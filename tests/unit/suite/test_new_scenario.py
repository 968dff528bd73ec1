"""`certify new scenario`: what it writes works, and it never overwrites."""

import importlib.util

import pytest

from certify.cli import main
from certify.lab import LabError
from certify.scenario_template import check_name, choose_id, scenario_text
from certify.scenarios import MODULES
from tests.unit.suite.test_scenarios import make_lab


def loaded(path):
    """Import a file that is no part of a package."""
    spec = importlib.util.spec_from_file_location("written", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_written_is_a_scenario_that_any_lab_with_two_paths_can_express(tmp_path, capsys):
    assert main(["new", "scenario", "cable_swapped", "--into", str(tmp_path)]) == 0

    plan = loaded(tmp_path / "cable_swapped.py").SCENARIO.plan(make_lab(), repeats=1)
    assert (plan.id, plan.title, plan.not_run) == ("X1", "Cable swapped", "")
    assert [step.fault for step in plan.steps] == ["path_pull"]
    assert "zerostall.scenarios" in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path, capsys):
    path = tmp_path / "cable_swapped.py"
    path.write_text("mine")

    assert main(["new", "scenario", "cable_swapped", "--into", str(tmp_path)]) == 2
    assert path.read_text() == "mine"
    assert f"{path} is there already" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_an_error(tmp_path, capsys):
    assert main(["new", "scenario", "cable_swapped", "--into", str(tmp_path / "no")]) == 2
    assert "is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "ab", "Path", "1st", "a-b", "../x", "class", "x" * 41])
def test_a_name_that_cannot_be_a_file_is_refused(name):
    with pytest.raises(LabError, match="as in path_pull"):
        check_name(name)


@pytest.mark.parametrize("wanted", ["e1", "E", "E123", "EX1", "E1kk", "E 1"])
def test_an_id_of_another_form_is_refused(wanted):
    with pytest.raises(LabError, match="as in E1k"):
        choose_id(wanted, ())


def test_an_id_is_given_once():
    with pytest.raises(LabError, match="a scenario E1k already"):
        choose_id("E1k", MODULES)
    assert choose_id("", {"X1", "X2"}) == "X3"


def test_the_guide_is_in_the_comments():
    """Every field that a newcomer must fill in is explained above it."""
    lines = scenario_text("a_case", "X1").splitlines()
    for name in ("id", "title", "description", "expected", "requirement", "need", "limit_failover"):
        at = next(n for n, line in enumerate(lines) if line.startswith(f"    {name}"))
        assert lines[at - 1].startswith("    # ")
