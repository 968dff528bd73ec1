"""`simulate` on the command line: digest, totals, stories, exit statuses."""

import pytest

from reference_router.cli import main
from reference_router.simulator.bugs import COMPILED
from reference_router.simulator.draw import draw
from reference_router.simulator.plan import load, save


def test_one_seed_prints_its_digest(capsys):
    assert main(["simulate", "--seed", "5"]) == 0
    first = capsys.readouterr().out
    assert main(["simulate", "--seed", "5"]) == 0

    assert first.startswith("seed 5: digest ")
    assert capsys.readouterr().out == first


def test_many_seeds_are_added_up(capsys):
    assert main(["simulate", "--count", "3", "--jobs", "1"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("3 schedules in ")
    assert "no invariant was broken" in out


@pytest.mark.skipif(COMPILED, reason="bugs are planted in pure Python only")
def test_a_bug_is_told_and_its_schedule_can_be_replayed(capsys, tmp_path):
    path = tmp_path / "plan.json"
    words = ["simulate", "--bug", "copy-shifted"]
    assert main([*words, "--count", "40", "--jobs", "1", "--save", str(path)]) == 1

    out = capsys.readouterr().out
    assert "bug copy-shifted: found after " in out
    assert "broken: native: " in out
    assert "!!! native: " in out
    assert len(load(path).operations) < len(draw(0).operations)

    assert main([*words, "--schedule", str(path), "--whole"]) == 1


def test_a_good_schedule_tells_its_story_if_asked(capsys, tmp_path):
    path = tmp_path / "plan.json"
    save(draw(5, ()), path)

    assert main(["simulate", "--schedule", str(path), "--story"]) == 0
    assert "is at epoch 2" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--faults", "flood"], ["--schedule", "/nowhere"]])
def test_wrong_arguments_are_told(words, capsys):
    assert main(["simulate", *words]) == 2
    assert "reference_router: simulate: " in capsys.readouterr().err
