"""The page on real programs shows what they said, and is only there when one ran."""

from dataclasses import replace
from pathlib import Path

from reports.build import lay_out
from reports.folder import Run, load_run
from reports.record import EventKind, EventRecord
from tests.unit.reports.test_layout import collisions, outside, words_of

TITLE = "Real programs beside the faults"
RESULTS = (
    ("PostgreSQL: transactions", {"transactions": 1234, "failed": 0, "worst_ms": 213.4}),
    ("PostgreSQL: crash recovery", {"recovery_s": 1.5, "acknowledged": 1230, "present": 1230}),
    ("PostgreSQL: pg_amcheck", {}),
)
FIO = {"ios": 830, "errors": 0, "offered_per_s": 60, "achieved_per_s": 59.9, "worst_ms": 87.5}


def with_exercises(run: Run, *results: tuple[str, dict]) -> Run:
    scenario = next(one for one in run.judgement.scenarios if one.stall_failover_ms)
    told = [
        EventRecord(
            t_ns=run.events[-1].t_ns,
            scenario=scenario.id,
            repeat=scenario.repeat,
            kind=EventKind.EXERCISE,
            subject=subject,
            detail="told",
            data={"expected": "e", "good": True, **data},
        )
        for subject, data in results
    ]
    return replace(run, events=[*run.events, *told])


def page_of(run: Run) -> list[str]:
    """Return the words of the page on programs; [] if there is none."""
    pages = [page for page in lay_out(run) if TITLE in [text.text for text in words_of(page)]]
    assert all(outside(page) == [] and collisions(page) == [] for page in pages)
    return [text.text.replace("\u202f", " ") for page in pages for text in words_of(page)]


def test_no_page_where_nothing_ran(healthy: Path) -> None:
    assert page_of(load_run(healthy)) == []


def test_a_database_has_its_figures(healthy: Path) -> None:
    words = page_of(with_exercises(load_run(healthy), *RESULTS))

    assert {"1 234", "213 ms", "1.50 s", "1 230 of 1 230", "PASS"} <= set(words)


def test_a_lost_commit_is_a_failure(healthy: Path) -> None:
    lost = ("PostgreSQL: crash recovery", {"acknowledged": 9, "present": 8, "good": False})
    words = page_of(with_exercises(load_run(healthy), RESULTS[0], lost))

    assert {"8 of 9", "FAIL"} <= set(words)


def test_what_was_not_told_is_missing_and_not_zero(healthy: Path) -> None:
    words = page_of(with_exercises(load_run(healthy), ("PostgreSQL: pg_amcheck", {"good": None})))

    assert "–" in words
    assert "INCONCLUSIVE" in words


def test_fio_has_its_figures(healthy: Path) -> None:
    words = page_of(with_exercises(load_run(healthy), ("fio oltp", FIO)))

    assert {"oltp", "830", "60", "59.9", "87.5 ms"} <= set(words)
