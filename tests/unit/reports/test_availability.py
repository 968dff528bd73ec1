"""Availability: a slow I/O costs its tenth of a second, one that failed costs it at any time."""

from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from reports.availability import PHASES, THRESHOLDS_MS, axis_floor, tally_of, total_of
from reports.build import lay_out
from reports.courses import courses_of
from reports.folder import Run, load_run
from reports.record import IoOutcome
from reports.sections.availability import percent
from reports.series import IoTable
from reports.view import view_of
from tests.unit.reports.sample_run import write_sample_run
from tests.unit.reports.test_layout import collisions, outside, words_of


def table(*rows: tuple[float, float, IoOutcome]) -> IoTable:
    """Return a table of I/Os: due_ms, latency_ms, outcome."""
    frame = pl.DataFrame(
        [(due, took, str(outcome)) for due, took, outcome in rows],
        schema=["due_ms", "latency_ms", "outcome"],
        orient="row",
    )
    return IoTable(application=frame, paths=pl.DataFrame())


def test_one_slow_io_costs_its_slice() -> None:
    rows = [(ms * 10.0, 0.5, IoOutcome.GOOD) for ms in range(100)]
    rows[35] = (350.0, 400.0, IoOutcome.GOOD)
    seen = tally_of(table(*rows), 0.0, 1000.0)
    assert (seen.ios, seen.slices) == (100, 10)
    assert seen.share_of_time(250.0) == 0.9
    assert seen.share_of_ios(250.0) == 0.99
    assert seen.share_of_time(1000.0) == 1.0


def test_what_is_exactly_as_late_as_the_limit_is_within_it() -> None:
    seen = tally_of(table((0.0, 250.0, IoOutcome.GOOD)), 0.0, 1.0)
    assert seen.share_of_time(250.0) == 1.0
    assert seen.share_of_time(100.0) == 0.0


@pytest.mark.parametrize("outcome", [IoOutcome.ERROR, IoOutcome.NEVER, IoOutcome.NOT_SENT])
def test_what_did_not_end_well_is_never_served(outcome: IoOutcome) -> None:
    seen = tally_of(table((0.0, 0.1, outcome), (200.0, 0.1, IoOutcome.GOOD)), 0.0, 1000.0)
    assert max(seen.slices_within) == 1
    assert seen.slices == 2


def test_nothing_is_no_share() -> None:
    seen = tally_of(table((0.0, 0.1, IoOutcome.GOOD)), 500.0, 1000.0)
    assert seen.share_of_time(100.0) is None
    assert percent(seen.share_of_time(100.0)) == "–"


def test_shares_are_never_rounded_up_to_all() -> None:
    assert percent(0.9999999) == "99.999"
    assert percent(1.0) == "100"


def test_the_axis_begins_below_every_share() -> None:
    assert axis_floor([0.97, 0.999]) == 0.9
    assert axis_floor([1.0]) == 0.999
    assert axis_floor([0.9]) == 0.5
    assert axis_floor([]) == 0.0


def test_curves_of_a_run_add_up(samples: dict[str, Path]) -> None:
    courses = courses_of(view_of(load_run(samples["physical"])))
    assert len(courses) == 6 * 3
    whole = total_of(tally for one in courses for tally in one.tallies.values())
    assert whole.ios == sum(one.judgement.io_count for one in courses)
    assert list(whole.slices_within) == sorted(whole.slices_within)
    assert len(whole.slices_within) == len(THRESHOLDS_MS)


def test_a_baseline_has_only_the_time_before(samples: dict[str, Path]) -> None:
    courses = courses_of(view_of(load_run(samples["healthy"])))
    baseline = next(one for one in courses if not one.scenario.is_fault)
    assert list(baseline.tallies) == [PHASES[0]]


def pages_of(run: Run, title: str) -> list[list[str]]:
    pages = [page for page in lay_out(run) if title in [text.text for text in words_of(page)]]
    assert all(outside(page) == [] and collisions(page) == [] for page in pages)
    return [[text.text.replace("\u202f", " ") for text in words_of(page)] for page in pages]


def test_repeats_are_drawn_side_by_side(samples: dict[str, Path]) -> None:
    (words,) = pages_of(load_run(samples["physical"]), "Repeats")
    assert sum(word.startswith("repeat ") for word in words) == 6 * 3
    assert sum(", the worst" in word for word in words) == 6


def test_no_page_of_repeats_where_nothing_was_repeated(samples: dict[str, Path]) -> None:
    assert pages_of(load_run(samples["healthy"]), "Repeats") == []


def test_of_many_repeats_the_gravest_are_drawn(tmp_path: Path) -> None:
    plan = replace(
        load_run(write_sample_run(tmp_path / "one")).plan.scenarios[1],
        repeats=8,
        steady_s=0.5,
        fault_s=0.5,
        recover_s=0.5,
    )
    run = load_run(write_sample_run(tmp_path / "many", plans=[plan]))
    (words,) = pages_of(run, "Repeats")
    assert sum(word.startswith("repeat ") for word in words) == 6
    assert any("the 6 gravest shown" in word for word in words)
