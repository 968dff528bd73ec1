"""The page on the suite itself claims what was measured, of the code that was measured."""

from dataclasses import replace as with_fields
from pathlib import Path

from msgspec.structs import replace

from reports.build import lay_out
from reports.folder import Run, load_run
from reports.record import Credibility
from tests.unit.reports import sample_lab
from tests.unit.reports.test_layout import collisions, outside, words_of

TITLE = "How far this report can be believed"


def page_of(run: Run) -> str:
    (page,) = [page for page in lay_out(run) if TITLE in [text.text for text in words_of(page)]]
    assert outside(page) == []
    assert collisions(page) == []
    return " ".join(text.text for text in words_of(page)).replace("\u202f", " ")


def with_credibility(folder: Path, seen: Credibility) -> Run:
    run = load_run(folder)
    return with_fields(run, run=replace(run.run, credibility=seen))


def test_what_was_not_measured_is_said(healthy: Path) -> None:
    assert "Planted defects: not measured for this version" in page_of(load_run(healthy))


def test_all_found_and_no_alarm_is_a_pass_with_its_bound(samples: dict[str, Path]) -> None:
    text = page_of(load_run(samples["physical"]))
    assert "31 of 31 found PASS" in text
    assert "0 false alarms in 30 runs PASS" in text
    assert "below 9.5 % with 95 % confidence" in text
    assert "not the very code" not in text


def test_a_defect_that_was_missed_and_a_false_alarm_are_failures(healthy: Path) -> None:
    seen = replace(sample_lab.credibility(), defects_found=30, false_alarms=1)
    text = page_of(with_credibility(healthy, seen))
    assert "30 of 31 found FAIL" in text
    assert "1 false alarm in 30 runs FAIL" in text
    assert "95 % confidence" not in text


def test_figures_of_other_code_are_told_as_such(healthy: Path) -> None:
    seen = replace(sample_lab.credibility(), commit="0000000000")
    assert "not the very code that was measured" in page_of(with_credibility(healthy, seen))


def test_a_fault_that_nobody_saw_is_counted(samples: dict[str, Path]) -> None:
    assert "1 looked for and not seen" in page_of(load_run(samples["inconclusive"]))
