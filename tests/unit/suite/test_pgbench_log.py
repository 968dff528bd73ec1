"""What pgbench logged, and what of it must be there after a crash."""

import pytest

from certify.workloads.pgbench_log import (
    PgbenchLogError,
    acknowledged,
    compare,
    parse,
    show_ms,
    summarize,
)

LOG = [
    "0 1 1523 0 100 466861 73\n",
    "1 1 823 0 100 470235 82\n",
    "0 2 60862 0 103 562498 115\n",
    "1 2 serialization 0 103 603548 70\n",
]


def test_figures_of_a_log():
    seen = summarize(parse(LOG))

    assert (seen.count, seen.failed, seen.worst_ms) == (4, 1, 60.862)
    assert seen.worst_end_ns == 103_562_498_000
    assert seen.per_second == [2, 0, 0, 1]
    assert seen.longest_gap_s == 2


def test_an_empty_log_has_no_worst():
    seen = summarize([])

    assert (seen.count, seen.worst_ms, seen.per_second) == (0, None, [])
    assert show_ms(seen.worst_ms) == "–"


def test_a_line_that_was_cut_off_is_passed_over():
    assert len(parse([*LOG, "1 3 8"])) == 4


@pytest.mark.parametrize("line", ["rubbish\n", "a 1 2 3 4 5\n", "1 2 3\n"])
def test_another_line_is_an_error_that_shows_it(line):
    with pytest.raises(PgbenchLogError, match=line.split()[0]):
        parse([line])


def test_only_answered_transactions_are_acknowledged():
    assert acknowledged(parse(LOG)) == {(0, 1), (1, 1), (0, 2)}


TOLD = {(0, 1), (0, 2), (1, 1)}


def test_all_there():
    seen = compare(TOLD, TOLD, imbalance=0)

    assert seen.whole
    assert (seen.acknowledged, seen.present) == (3, 3)


def test_a_commit_whose_answer_was_cut_off_may_be_there():
    assert compare(TOLD, TOLD | {(0, 3), (1, 2)}, imbalance=0).whole


@pytest.mark.parametrize(
    ("found", "imbalance"),
    [
        (TOLD - {(0, 1)}, 0),  # lost
        (TOLD - {(0, 2)}, 0),  # the last one lost
        (TOLD | {(0, 4)}, 0),  # nobody made it
        (TOLD | {(7, 2)}, 0),  # by a client that was told of none
        (TOLD, 17),  # half a transaction
    ],
)
def test_not_whole(found, imbalance):
    assert not compare(TOLD, found, imbalance=imbalance).whole
