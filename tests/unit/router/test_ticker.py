"""A ticker wakes whoever polls it, again and again, and is quiet in between."""

import select

import pytest

from reference_router.ticker import Ticker

SOON_NS = 1_000_000
NEVER_NS = 3_600_000_000_000


@pytest.fixture
def make():
    made: list[Ticker] = []

    def ticker(interval_ns: int) -> Ticker:
        made.append(Ticker(interval_ns))
        return made[-1]

    yield ticker
    for each in made:
        each.close()


def readable(ticker: Ticker, timeout_ms: int) -> bool:
    poller = select.poll()
    poller.register(ticker.fd, select.POLLIN)
    return bool(poller.poll(timeout_ms))


def test_it_ticks_more_than_once(make):
    ticker = make(SOON_NS)
    for _ in range(3):
        assert readable(ticker, 5000)
        ticker.rest()


def test_it_is_quiet_until_the_next_tick(make):
    ticker = make(NEVER_NS)
    assert not readable(ticker, 0)
    ticker.rest()
    assert not readable(ticker, 0)


def test_an_interval_that_cannot_be_is_refused():
    with pytest.raises(OSError, match="-1 ns"):
        Ticker(-1)
