"""Each kind of violation comes with the fewest operations that show it, and a sentence.

Method: histories of a few I/Os by several writers, times in ms.
"""

from pathlib import Path
from typing import Any

import pytest

from certify.checker import judge
from certify.cli import main
from certify.commands.explain import explained
from certify.integrity import check
from certify.verdict import ExitCode
from reports.record import Counterexample, IoOutcome, IoRecord

from .conftest import Story, make_io


def write(tag: int, due: float, **rest: Any) -> IoRecord:
    return make_io(tag=tag, k=tag, due=due, **rest)


def read(tag: int, due: float, **rest: Any) -> IoRecord:
    return make_io(**({"probe": "app-read", "op": "read", "k": 90, "tag": tag, "due": due} | rest))


def mixed(*tags: int, lba: int = 0) -> str:
    return ",".join(f"{tag}@{lba + at}" for at, tag in enumerate(tags))


def only(ios: list[IoRecord]) -> Counterexample:
    """Return the counterexample of a history that has one."""
    (example,) = check(ios).violations
    return example


def told(example: Counterexample) -> list[tuple[str, str]]:
    return [(one.op, one.value) for one in example.operations]


def test_lost_write_is_shown_by_both_writes_and_the_read() -> None:
    noise = [write(tag, 1000 + 10 * tag, lba=64) for tag in range(10, 40)]
    example = only([write(1, 0), write(2, 10), *noise, read(1, 30)])

    assert (example.kind, example.lba, example.blocks) == ("lost", 0, 8)
    assert told(example) == [("write", "version 1"), ("write", "version 2"), ("read", "version 1")]
    assert [one.offending for one in example.operations] == [False, False, True]
    assert example.sentence == (
        "LBA 0: app-write #2 wrote version 2 and had ended 19.0 ms before app-read #90 was sent, "
        "which returned version 1; but version 2 is the newer: app-write #1 wrote version 1 and "
        "had ended 9.00 ms before app-write #2 was sent."
    )


def test_stale_read_of_concurrent_writes_is_shown_by_the_reads_that_order_them() -> None:
    """Neither write is the later one by itself: two hosts wrote at the same time."""
    example = only(
        [
            write(1, 0, done=50),
            write(2, 0, done=50, probe="host2-write"),
            read(1, 10, k=91, done=12),
            read(2, 20, k=92, done=22),
            read(1, 30, k=93, done=32),
            read(2, 60, k=94),
        ]
    )

    assert example.kind == "stale"
    assert [one.k for one in example.operations] == [1, 2, 91, 92, 93]


@pytest.mark.parametrize("last", [1, 2])
def test_either_of_two_concurrent_writes_may_be_the_last(last: int) -> None:
    ios = [write(1, 0, done=50), write(2, 0, done=50, probe="host2-write"), read(last, 60)]

    assert check(ios).violations == []


def test_readers_on_two_paths_that_see_two_orders_are_found() -> None:
    ios = [
        write(1, 0, done=100),
        write(2, 0, done=100, probe="host2-write"),
        read(1, 110, probe="readback:p1"),
        read(2, 120, probe="readback:p2"),
    ]

    assert only(ios).operations[-1].probe == "readback:p2"


def test_torn_write_is_shown_by_the_write_that_is_there_in_part() -> None:
    seen = read(-1, 30, blocks=8, sectors=mixed(2, 2, 2, 2, 1, 1, 1, 1))
    example = only([write(1, 0), write(2, 10), seen])

    assert (example.kind, example.lba, example.blocks) == ("torn", 4, 4)
    assert ("write", "version 2") in told(example)


def test_old_sectors_beside_those_of_another_write_are_not_torn() -> None:
    """The newer sectors are of a write that never covered the old ones."""
    seen = read(-1, 50, sectors=mixed(3, 3, 3, 3, 1, 1, 1, 1))
    ios = [write(1, 0), write(2, 10, lba=4, blocks=4), write(3, 20, blocks=4), seen]

    assert only(ios).kind == "lost"


def test_writes_that_overlap_are_judged_sector_by_sector() -> None:
    ios = [
        write(1, 0, lba=0, blocks=8),
        write(2, 10, lba=6, blocks=8),
        read(-1, 20, lba=4, blocks=4, sectors=mixed(1, 1, 2, 2, lba=4)),
        read(-1, 30, lba=4, blocks=4, sectors=mixed(1, 1, 1, 2, lba=4)),
    ]
    found = check(ios)

    assert [(one.lba, one.io.due_ns) for one in found.mismatches] == [(6, 30_000_000)]
    assert (found.sectors_written, found.sectors_verified) == (16, 8)


def test_version_that_was_read_before_it_was_sent_is_corrupt() -> None:
    example = only([write(1, 0), read(2, 10, done=11), write(2, 20)])

    assert example.kind == "corrupt"
    assert told(example) == [("read", "version 2"), ("write", "version 2")]
    assert "had ended 9.00 ms before app-write #2 was sent" in example.sentence


def test_two_versions_that_nobody_wrote_are_one_too_many() -> None:
    ios = [write(5, 40, done=90), read(2, 10, k=91), read(7, 20, k=92)]

    assert told(only(ios)) == [("read", "version 2"), ("read", "version 7")]
    assert only(ios).kind == "corrupt"


def test_what_another_run_left_is_right_until_it_is_overwritten() -> None:
    foreign = {"blocks": 1, "sectors": "foreign:9@0"}
    ios = [read(-1, 0, **foreign), write(1, 10, blocks=1), read(-1, 20, **foreign)]
    found = check(ios)

    assert [(one.violation.value, one.io.due_ns) for one in found.mismatches] == [
        ("lost", 20_000_000)
    ]


def test_damaged_sector_is_shown_by_its_read_alone() -> None:
    seen = read(-1, 20, blocks=2, sectors="2@0,misplaced:9@640")
    example = only([write(2, 0, blocks=2), seen])

    assert (example.kind, example.lba) == ("misplaced", 1)
    assert told(example) == [("read", "misplaced, version 9")]


def test_attempts_over_single_paths_are_no_operations() -> None:
    """As one, the attempt that failed would let version 2 land at any time: a legal ghost."""
    attempt = write(2, 10, probe="path:p1", outcome=IoOutcome.TRANSPORT)
    ios = [write(1, 0), attempt, write(2, 10, done=18), write(3, 20), read(3, 30), read(2, 40)]

    assert only(ios).kind == "lost"


def test_same_value_written_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="LBA 0: version 1 was written twice"):
        check([write(1, 0), write(1, 10)])


def test_first_violations_have_evidence_and_all_are_counted() -> None:
    ios = [write(1, 0), write(2, 10), *(read(1, 20 + 2 * k, k=100 + k) for k in range(100))]
    found = check(ios)

    assert found.sectors_wrong == 800
    assert len(found.mismatches) == 256
    assert [one.operations[-1].k for one in found.violations] == list(range(100, 108))


def test_every_kind_is_shown_however_late_it_comes() -> None:
    stale = [read(1, 20 + 2 * k, k=100 + k) for k in range(20)]
    late = read(-1, 900, blocks=1, sectors="corrupt:2@0", k=99)
    found = check([write(1, 0), write(2, 10), *stale, late])

    assert [one.kind for one in found.violations] == ["lost"] * 7 + ["corrupt"]


def test_judgement_carries_the_violations_and_explain_tells_them(story: Story) -> None:
    story.io(due=3041, tag=12, k=5, probe="readback:path1", op="read")

    lines = explained([judge(story.history())])

    assert "  LOST  LBA 0, 8 sectors" in lines
    (wrong,) = [line for line in lines if line.lstrip().startswith("->")]
    assert "readback:path1 #5  returned version 12" in wrong


def test_explaining_what_was_not_run_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(tmp_path), "E9"]) == ExitCode.USAGE
    assert "verdict.json: missing" in capsys.readouterr().err
