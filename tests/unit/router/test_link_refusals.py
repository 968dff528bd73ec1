"""Strangers, other keys, other versions and nonsense: told and refused, never an exception."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from link_bench import KEY, MS, Bench, S, hand_made_peer

from reference_router.frames import NONCE_BYTES, Codec
from reference_router.messages import Ping


@pytest.fixture
def bench(tmp_path):
    made = Bench(str(tmp_path / "run" / "link.sock"))
    with contextlib.closing(made):
        yield made


@pytest.fixture
def both(bench):
    """A link that is up: listener and dialer."""
    pair = bench.link(listens=True), bench.link(listens=False)
    assert sorted(bench.turn()) == [0, 1]
    return pair


# Strangers, other keys, other versions


def test_stranger_that_says_nothing_is_in_nobodys_way(bench):
    listener = bench.link(listens=True)
    bench.stranger()
    bench.turn(2)
    assert not listener.up
    bench.link(listens=False)

    assert sorted(bench.turn()) == [0, 1]


def test_stranger_that_says_nothing_is_given_up_after_a_second(bench):
    listener = bench.link(listens=True)
    peer = bench.stranger()
    bench.turn(3, step_ns=S)

    assert listener.closed_why == "no proof of the key within a second"
    assert len(peer.recv(4096)) == 28
    assert peer.recv(1) == b""


def test_stranger_does_not_disturb_a_link_that_is_up(bench, both):
    listener, dialer = both
    for _ in range(3):
        bench.stranger(b"GET / HTTP/1.0\r\n\r\n")
        assert bench.turn(2) == []
    dialer.send([Ping(1)])

    assert list(listener.receive()) == [Ping(1)]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "no frame: expected b'ZSLF'"),
        (
            Codec(KEY, listens=False, nonce=b"D" * NONCE_BYTES, version=3).output(),
            "peer speaks link version 3, here 2",
        ),
    ],
)
def test_what_is_wrong_with_a_stranger_is_told(bench, said, why):
    listener = bench.link(listens=True)
    bench.stranger(said)

    assert bench.turn(2) == []
    assert why in listener.closed_why
    assert why in listener.news()


def test_both_ends_tell_of_another_key_and_never_come_up(bench):
    listener = bench.link(listens=True)
    dialer = bench.link(listens=False, key=b"other" * 8)

    assert bench.turn() == []
    assert "another link_key" in listener.news()
    assert "another link_key" in dialer.news()


def test_refused_dialer_tries_again_once_a_second_and_tells_it_once(bench):
    listener = bench.link(listens=True)
    dialer = bench.link(listens=False, key=b"other" * 8)
    accepted = 0
    told = []
    for _ in range(300):  # 3 s
        bench.turn(1, step_ns=10 * MS)
        accepted += bool(listener.closed_why)
        listener.closed_why = ""
        told += [news for news in (dialer.news(),) if news]

    assert accepted in (3, 4)
    assert len(told) == 1


def test_stranger_can_not_flood_the_log(bench):
    listener = bench.link(listens=True)
    told = []
    for number in range(200):  # 2 s
        bench.stranger(b"x%d" % number)
        bench.turn(1, step_ns=10 * MS)
        told += [news for news in (listener.news(),) if news]

    assert len(told) in (2, 3)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300))
def test_any_first_bytes_leave_the_listener_ready_for_the_peer(tmp_path, said):
    with contextlib.closing(Bench(str(tmp_path / "fuzz.sock"))) as bench:
        listener = bench.link(listens=True)
        bench.stranger(said)
        assert bench.turn(3) == []
        bench.link(listens=False)

        assert sorted(bench.turn()) == [0, 1]
        assert listener.closed_why != "" or not said or b"ZSLF".startswith(said)


# Within a session


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(min_size=12, max_size=300))
def test_any_bytes_in_a_session_close_it_with_a_reason(tmp_path, garbage):
    with contextlib.closing(Bench(str(tmp_path / "fuzz.sock"))) as bench:
        listener = bench.link(listens=True)
        peer, _ = hand_made_peer(bench, listener)
        peer.sendall(garbage)

        assert list(listener.receive()) == []
        assert not listener.up
        assert "expected" in listener.closed_why or "version" in listener.closed_why


@given(body=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_body_that_is_no_message_closes_the_session(tmp_path, body):
    """A peer with the key that says nonsense: its software is wrong, not the network."""
    with contextlib.closing(Bench(str(tmp_path / "fuzz.sock"))) as bench:
        listener = bench.link(listens=True)
        peer, codec = hand_made_peer(bench, listener)
        peer.sendall(codec.seal(body))

        assert list(listener.receive()) == []
        assert "not a message" in listener.closed_why
