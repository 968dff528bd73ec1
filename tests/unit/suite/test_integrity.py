"""Every kind of wrong data is found and named; what a crash may legally leave is not.

Method: histories of a few I/Os, times in ms, versions as written in the tag of a sector.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.integrity import Integrity, Violation, check
from reports.record import IoOutcome, IoRecord

from .conftest import make_io


def write(tag: int, due: float, **rest: Any) -> IoRecord:
    return make_io(tag=tag, due=due, **rest)


def read(tag: int, due: float, **rest: Any) -> IoRecord:
    return make_io(**({"probe": "app-read", "op": "read", "tag": tag, "due": due} | rest))


def kinds(found: Integrity) -> set[Violation]:
    return {mismatch.violation for mismatch in found.mismatches}


def test_newest_version_is_right() -> None:
    found = check([write(1, 0), write(2, 10), read(2, 20)])

    assert found.mismatches == []
    assert (found.sectors_written, found.sectors_verified) == (16, 8)


def test_acknowledged_write_that_is_never_seen_is_lost() -> None:
    found = check([write(1, 0), write(2, 10), read(1, 20), read(1, 30, probe="readback:p1")])

    assert kinds(found) == {Violation.LOST}
    assert len(found.mismatches) == 16


def test_older_version_that_is_right_again_later_is_stale() -> None:
    found = check([write(1, 0), write(2, 10), read(1, 20), read(2, 30)])

    assert kinds(found) == {Violation.STALE}


def test_stale_through_one_path_only_is_found() -> None:
    found = check(
        [
            write(1, 0),
            write(2, 10),
            read(2, 20, probe="readback:p1"),
            read(1, 30, probe="readback:p2"),
        ]
    )

    assert {mismatch.io.probe for mismatch in found.mismatches} == {"readback:p2"}


@pytest.mark.parametrize("seen", [1, 2])
def test_read_beside_an_outstanding_write_may_see_either(seen: int) -> None:
    found = check([write(1, 0), write(2, 10, done=30), read(seen, 15)])

    assert found.mismatches == []


def test_once_seen_new_a_sector_may_not_be_old_again() -> None:
    found = check([write(1, 0), write(2, 10, done=100), read(2, 20), read(1, 30), read(2, 200)])

    assert kinds(found) == {Violation.STALE}


@pytest.mark.parametrize("seen", [1, 2])
@pytest.mark.parametrize(
    "ending",
    [{"done": -1}, {"outcome": IoOutcome.ERROR, "errno": 5}],
    ids=["never", "error"],
)
def test_write_without_acknowledgement_may_be_there_or_not(
    seen: int, ending: dict[str, Any]
) -> None:
    found = check([write(1, 0), write(2, 10, **ending), read(seen, 30)])

    assert found.mismatches == []


def test_ghost_write_that_lands_over_a_newer_one_is_found() -> None:
    """Engine 1 hangs with version 2; the host's retry and version 3 go through engine 2; then
    engine 1 wakes up. The operation on version 2 has ended, so it may not take effect again."""
    retried = write(2, 10, done=18)

    found = check([write(1, 0), retried, write(3, 20), read(3, 30), read(2, 40)])

    assert len(found.mismatches) == 8
    assert kinds(found) == {Violation.LOST}


def test_write_that_failed_may_land_later_than_a_newer_one_but_not_twice() -> None:
    """Nobody told the application that version 2 will not come."""
    failed = write(2, 10, outcome=IoOutcome.ERROR, errno=5)
    legal = [write(1, 0), failed, write(3, 20), read(3, 30), read(2, 40)]

    assert check(legal).mismatches == []
    assert kinds(check([*legal, read(3, 50)])) == {Violation.LOST}


def test_block_of_old_and_new_sectors_is_torn() -> None:
    mixed = read(-1, 20, sectors=",".join(f"{2 if lba < 4 else 1}@{lba}" for lba in range(8)))

    found = check([write(1, 0), write(2, 10), mixed])

    assert kinds(found) == {Violation.TORN}
    assert [mismatch.lba for mismatch in found.mismatches] == [4, 5, 6, 7]


def test_block_of_old_and_new_sectors_is_legal_while_the_write_is_outstanding() -> None:
    """SBC-4 4.10 orders nothing between the blocks of commands that overlap in time."""
    mixed = read(-1, 15, sectors=",".join(f"{2 if lba < 4 else 1}@{lba}" for lba in range(8)))

    assert check([write(1, 0), write(2, 10, done=30), mixed]).mismatches == []


@pytest.mark.parametrize(
    ("text", "violation"),
    [
        ("misplaced:9@640", Violation.MISPLACED),
        ("torn:2@0", Violation.TORN),
        ("corrupt", Violation.CORRUPT),
        ("corrupt:2@0", Violation.CORRUPT),
        ("foreign:2@0", Violation.CORRUPT),
        ("zero", Violation.LOST),
    ],
)
def test_damage_is_named(text: str, violation: Violation) -> None:
    found = check([write(2, 0, blocks=1), read(-1, 20, blocks=1, sectors=text)])

    assert kinds(found) == {violation}


def test_version_from_the_future_is_corrupt() -> None:
    found = check([write(1, 0), read(2, 10, done=11), write(2, 20)])

    assert kinds(found) == {Violation.CORRUPT}


def test_version_that_nobody_wrote_is_corrupt() -> None:
    found = check([write(5, 0), read(9, 10)])

    assert kinds(found) == {Violation.CORRUPT}


def test_what_a_sector_held_before_the_history_is_right_until_it_is_overwritten() -> None:
    earlier = read(3, 5, probe="readback:p1")
    later = read(3, 40, probe="readback:p1")

    found = check([write(7, 0, done=20), earlier, later])

    assert [mismatch.io for mismatch in found.mismatches] == [later] * 8


def test_sector_that_was_never_written_verifies_nothing() -> None:
    assert check([read(-1, 0, sectors=",".join(["zero"] * 8))]).sectors_verified == 0


def test_failed_read_verifies_nothing() -> None:
    found = check([write(1, 0), read(-1, 10, outcome=IoOutcome.ERROR)])

    assert (found.sectors_verified, found.mismatches) == (0, [])


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 50)), min_size=1, max_size=60
    )
)
def test_an_atomic_register_is_never_accused(steps: list[tuple[int, bool, int]]) -> None:
    """One operation at a time on real registers: whatever the order, nothing is wrong."""
    held: dict[int, int] = {}
    ios = []
    now = 0.0
    for version, (place, is_write, took) in enumerate(steps, start=1):
        lba = 8 * place
        if is_write:
            held[lba] = version
            ios.append(write(version, now, done=now + took, lba=lba))
        elif lba in held:
            ios.append(read(held[lba], now, done=now + took, lba=lba))
        now += took + 1

    assert check(ios).mismatches == []


@given(st.integers(1, 20), st.integers(1, 20))
def test_any_older_version_is_found(newer: int, behind: int) -> None:
    writes = [write(tag, 10.0 * tag) for tag in range(1, newer + behind + 1)]

    found = check([*writes, read(newer, 10.0 * (newer + behind) + 5)])

    assert len(found.mismatches) == 8
