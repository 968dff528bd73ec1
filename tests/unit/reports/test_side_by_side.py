"""Runs beside each other: order, obstacles, figures, and the page."""

import io
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as changed
from pypdf import PdfReader

from reports.build import render_comparison
from reports.folder import Run, load_run
from reports.record import Verdict
from reports.side_by_side import side_by_side


def _runs(samples: dict[str, Path], *names: str) -> list[Run]:
    return [load_run(samples[name]) for name in names]


def test_the_gravest_scenario_of_any_run_comes_first(samples: dict[str, Path]) -> None:
    seen = side_by_side(_runs(samples, "healthy", "failing"))
    verdicts = [{cell.verdict for cell in line.cells if cell} for line in seen.lines]
    failed = [Verdict.FAIL in one for one in verdicts]
    assert any(failed)
    assert failed == sorted(failed, reverse=True)


def test_each_run_keeps_its_own_figures(samples: dict[str, Path]) -> None:
    runs = _runs(samples, "healthy", "failing")
    seen = side_by_side(runs)
    line = next(line for line in seen.lines if line.id == "P1")
    for cell, run in zip(line.cells, runs, strict=True):
        worst = max(one.stall_failover_ms or 0 for one in run.judgement.scenarios if one.id == "P1")
        assert cell is not None
        assert cell.failover_ms == worst


def test_equal_runs_have_no_obstacle_and_no_difference(samples: dict[str, Path]) -> None:
    run = load_run(samples["healthy"])
    seen = side_by_side([run, run])
    assert seen.obstacles == ()
    assert seen.differences == ()


def test_an_emulated_lab_is_an_obstacle(samples: dict[str, Path]) -> None:
    seen = side_by_side(_runs(samples, "healthy", "inconclusive"))
    assert any("indicative" in text for text in seen.obstacles)


def test_a_scenario_that_one_run_does_not_have_is_said_to_be_missing(
    samples: dict[str, Path],
) -> None:
    run = load_run(samples["healthy"])
    plans = [plan for plan in run.plan.scenarios if plan.id != "A1"]
    fewer = replace(run, plan=changed(run.plan, scenarios=plans))
    seen = side_by_side([run, fewer])
    line = next(line for line in seen.lines if line.id == "A1")
    assert line.cells[1] is None
    assert any(text.startswith("A1 is in the plan of 1 of 2") for text in seen.obstacles)


def test_the_root_stands_for_all_runs_in_their_order(samples: dict[str, Path]) -> None:
    runs = _runs(samples, "healthy", "failing")
    assert side_by_side(runs).root != side_by_side(runs[::-1]).root
    assert side_by_side(runs).root == side_by_side(runs).root


def test_the_page_names_every_run_and_what_keeps_them_apart(samples: dict[str, Path]) -> None:
    names = ("healthy", "failing", "inconclusive", "physical", "unsupervised", "healthy")
    seen = side_by_side(_runs(samples, *names))
    pdf = render_comparison(seen)
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "must not be compared without care" in text
    assert text.count("System under test") == 2  # five runs in a table, then one
    assert pdf == render_comparison(seen)
