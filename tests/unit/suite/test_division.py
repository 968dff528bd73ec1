"""Every host makes the same division; what is a host's own is nobody else's."""

import random

import pytest

from certify.division import (
    COMMON_BLOCKS,
    COMMON_EVERY,
    Division,
    WithCommon,
    first_version,
    readable,
)

DIVISION = Division(size_bytes=64 << 20, seed=3, hosts=3, common=True)


def test_no_block_has_two_owners():
    ledgers = [*(DIVISION.own(host) for host in range(3)), DIVISION.shared(0)]
    blocks = [lba for ledger in ledgers for lba in ledger.lbas]

    assert len(blocks) == len(set(blocks))
    assert max(blocks) * 512 + 4096 <= DIVISION.size_bytes


def test_common_blocks_are_the_same_on_every_host():
    blocks = [set(DIVISION.shared(host).lbas) for host in range(3)]

    assert len(DIVISION.shared(0).hot) == COMMON_BLOCKS
    assert blocks[0] == blocks[1] == blocks[2]


def test_each_host_uses_them_in_an_order_of_its_own():
    assert DIVISION.shared(0).lbas != DIVISION.shared(1).lbas


def test_a_unit_of_one_host_is_not_divided():
    alone = Division(size_bytes=64 << 20, seed=3, hosts=1, common=False).own(0)

    assert alone.capacity == 256 + 3840


def test_a_part_of_the_writes_goes_to_common_blocks():
    own, common = DIVISION.own(1), DIVISION.shared(1)
    both = WithCommon(own, common)

    taken = [both.take() for _ in range(4 * COMMON_EVERY)]

    assert [lba in common.lbas for lba in taken] == 4 * [False, False, False, True]


def test_a_block_is_taken_again_only_when_it_was_given_back():
    both = WithCommon(DIVISION.own(1), DIVISION.shared(1))
    taken = [both.take() for _ in range(200)]
    assert len(set(taken)) == 200

    for lba in taken:
        both.give(lba, acknowledged=True)

    assert both.take() in taken


def test_where_every_common_block_is_out_a_host_goes_on_with_its_own():
    common = DIVISION.shared(1)
    both = WithCommon(DIVISION.own(1), common)

    taken = [both.take() for _ in range(COMMON_EVERY * (common.capacity + 4))]

    assert None not in taken
    assert sum(lba in common.lbas for lba in taken) == common.capacity


@pytest.mark.parametrize("host", [1, 2])
def test_a_host_reads_what_every_host_writes(host: int):
    own, common = DIVISION.own(host), DIVISION.shared(host)
    for ledger in (own, common):
        ledger.give(ledger.take(), acknowledged=True)
    rng = random.Random(1)  # noqa: S311 - the same choices each time
    seen = {readable(DIVISION, host, (own, common)).choose(rng) for _ in range(200)}

    assert seen & set(own.lbas)
    assert seen & set(common.lbas)
    for other in {0, 1, 2} - {host}:
        assert seen & set(DIVISION.own(other).hot)


def test_no_two_hosts_write_one_version():
    firsts = [first_version(ordinal, host) for ordinal in (1, 2) for host in range(12)]

    assert firsts == sorted(set(firsts))
    assert first_version(1, 12) <= first_version(2, 0)
