"""A clock that is wrong, or a host that was lost, never makes right data look wrong.

Method: histories of a few I/Os, times in ms, of which some are of another host; and right histories
of two hosts of which one stamps with a clock that is wrong within what is told.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.integrity import Doubt, Integrity, Violation, check, check_tables
from certify.seal import write_table
from reports.record import IoRecord

from .conftest import MS, make_io

APART = Doubt(probes="host:host2-", error_ns=5 * MS)
LOST = Doubt(probes="host:host2-", error_ns=0, first=100, last=199)


def write(tag: int, due: float, **rest: Any) -> IoRecord:
    return make_io(tag=tag, due=due, **rest)


def read(tag: int, due: float, **rest: Any) -> IoRecord:
    return make_io(**({"probe": "app-read", "op": "read", "tag": tag, "due": due} | rest))


def there(io: IoRecord) -> IoRecord:
    """Return an I/O as one of the other host."""
    return make_io(
        probe=f"host:host2-{io.op}",
        op=io.op,
        tag=io.tag,
        lba=io.lba,
        sectors=io.sectors,
        due=io.due_ns / MS,
        done=io.done_ns / MS,
    )


def kinds(found: Integrity) -> set[Violation]:
    return {mismatch.violation for mismatch in found.mismatches}


def test_an_order_within_what_the_clock_may_be_wrong_is_no_order() -> None:
    ios = [write(1, 0), write(2, 10), there(read(1, 15)), read(2, 30)]

    assert kinds(check(ios)) == {Violation.STALE}
    assert check(ios, [APART]).mismatches == []


def test_an_order_beyond_it_is_one() -> None:
    ios = [write(1, 0), write(2, 10), there(read(1, 17)), read(2, 30)]

    assert kinds(check(ios, [APART])) == {Violation.STALE}


def test_a_write_there_may_have_ended_later_than_it_says() -> None:
    ios = [write(1, 0), there(write(2, 10)), read(1, 15), read(2, 30)]

    assert kinds(check(ios)) == {Violation.STALE}
    assert check(ios, [APART]).mismatches == []


def test_a_write_there_that_never_ended_still_may_take_effect_at_any_time() -> None:
    ios = [write(1, 0), make_io(probe="host:host2-write", tag=2, due=10, done=-1)]

    assert check([*ios, read(1, 500), read(2, 900)], [APART]).mismatches == []


def test_the_clock_of_one_host_is_no_excuse_for_another() -> None:
    ios = [write(1, 0), write(2, 10), read(1, 15), read(2, 30)]

    assert kinds(check(ios, [APART])) == {Violation.STALE}
    assert kinds(check(ios, [Doubt(probes="host:host21-", error_ns=MS * 50)])) == {Violation.STALE}


def test_what_a_lost_host_may_have_written_accuses_nobody() -> None:
    ios = [write(1, 0), read(100, 20), read(1, 30), write(2, 40), read(2, 50)]

    assert check(ios).mismatches != []
    assert check(ios, [LOST]).mismatches == []


def test_what_it_told_of_is_judged_as_ever() -> None:
    ios = [there(write(100, 0)), write(1, 10), read(100, 30)]

    assert kinds(check(ios, [LOST])) == {Violation.LOST}


def test_a_version_that_no_host_may_have_written_stays_corrupt() -> None:
    ios = [write(1, 0), read(200, 20)]

    assert kinds(check(ios, [LOST])) == {Violation.CORRUPT}


def test_only_the_sectors_that_it_may_have_written_say_nothing() -> None:
    text = ",".join(["100@0", *(f"1@{lba}" for lba in range(1, 8))])
    ios = [write(1, 0), write(2, 10), read(-1, 30, sectors=text)]

    assert {mismatch.lba for mismatch in check(ios, [LOST]).mismatches} == set(range(1, 8))


STEPS = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 8), st.integers(0, 8)),
    min_size=2,
    max_size=12,
)


def simulate(steps: list[tuple[bool, bool, int, int]], wrong_ms: int) -> list[IoRecord]:
    """Run the steps on one register, each at a moment of its own; one host's clock is wrong."""
    held, ios = 1, [write(1, -100)]
    for number, (is_write, is_there, before, after) in enumerate(steps, start=2):
        at = 10.0 * number
        held = number if is_write else held
        shift = wrong_ms if is_there else 0
        op = "write" if is_write else "read"
        ios.append(
            make_io(
                probe=f"host:host2-{op}" if is_there else f"app-{op}",
                op=op,
                tag=held,
                due=at - before + shift,
                done=at + after + shift,
            )
        )
    return ios


@given(steps=STEPS, wrong_ms=st.integers(-40, 40))
def test_a_right_history_is_right_by_any_clock_within_the_error(
    steps: list[tuple[bool, bool, int, int]], wrong_ms: int
) -> None:
    doubt = Doubt(probes="host:host2-", error_ns=abs(wrong_ms) * MS)

    assert check(simulate(steps, wrong_ms), [doubt]).mismatches == []


@pytest.mark.parametrize("doubt", [APART, LOST])
@pytest.mark.parametrize("late", [15, 17])
def test_tables_are_judged_alike(tmp_path: Path, doubt: Doubt, late: int) -> None:
    ios = [write(1, 0), write(2, 10), there(read(1, late)), read(100, 40), read(2, 60)]
    path = tmp_path / "ios.parquet"
    write_table(path, ios)

    seen, wanted = check_tables([path], [doubt]), check(ios, [doubt])

    assert (seen.wrong, seen.sectors_verified) == (wanted.wrong, wanted.sectors_verified)
