"""The link comes up, carries messages and comes up again, without waiting for anybody."""

import contextlib
import select
import socket
from pathlib import Path

import pytest
from link_bench import KEY, LIMIT_MS, Bench, S, codec_of_a_peer, hand_made_peer

from reference_router.frames import BODY_BYTES_MAX, NONCE_BYTES, Codec
from reference_router.messages import Commit, Ping, Suspect, Want, encode


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


# Coming up


def test_both_ends_come_up_once_and_messages_go_both_ways(both):
    listener, dialer = both
    listener.send([Ping(1), Want("lu0", 7)])
    dialer.send([Ping(2)])

    assert list(dialer.receive()) == [Ping(1), Want("lu0", 7)]
    assert list(listener.receive()) == [Ping(2)]
    assert listener.up
    assert dialer.up


def test_it_comes_up_over_tcp_too():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with contextlib.closing(Bench(f"tcp:127.0.0.1:{port}")) as bench:
        listener, dialer = bench.link(listens=True), bench.link(listens=False)
        bench.turn(1)
        while not (listener.up and dialer.up):
            assert bench.epoll.poll(LIMIT_MS / 1000)
            bench.turn(1)
        dialer.send([Ping(1)])
        assert bench.epoll.poll(LIMIT_MS / 1000)

        assert list(listener.receive()) == [Ping(1)]
        assert not listener.peer_is_dead()


def test_no_listener_is_no_news(bench):
    """A peer that is not there yet is normal: tried again quietly."""
    dialer = bench.link(listens=False)

    assert bench.turn(5, step_ns=S) == []
    assert dialer.news() == ""


def test_the_path_is_of_root_only(bench):
    bench.link(listens=True)

    assert Path(bench.address).stat().st_mode & 0o777 == 0o600


def test_what_came_with_the_proof_is_not_lost(bench):
    listener = bench.link(listens=True)
    peer = bench.stranger(Codec(KEY, listens=False, nonce=b"D" * NONCE_BYTES).output())
    bench.turn(2)
    codec = codec_of_a_peer(peer.recv(4096))
    peer.sendall(codec.output() + codec.seal(encode(Ping(1))))

    assert bench.turn(1) == [0]
    assert list(listener.receive()) == [Ping(1)]


# Within a session


def test_messages_before_a_wrong_one_still_count(bench):
    listener = bench.link(listens=True)
    peer, codec = hand_made_peer(bench, listener)
    peer.sendall(codec.seal(encode(Ping(5))) + codec.seal(b"nonsense"))

    assert list(listener.receive()) == [Ping(5)]
    assert not listener.up


def test_closing_while_messages_are_read_ends_the_reading(both):
    listener, dialer = both
    dialer.send([Ping(1), Ping(2)])
    seen = []
    for message in listener.receive():
        seen.append(message)
        listener.close("refused: enough")

    assert seen == [Ping(1)]
    assert listener.closed_why == "refused: enough"


def test_message_beyond_the_limit_closes_the_session(both):
    listener, _ = both
    listener.send([Suspect("lu0", 0, 1, "x" * BODY_BYTES_MAX)])

    assert list(listener.receive()) == []
    assert "expected at most" in listener.closed_why


def test_what_the_socket_does_not_take_goes_out_when_it_can(bench, both):
    """The loop is woken by epoll; nobody has to send once more."""
    listener, dialer = both
    long = Suspect("lu0", 0, 1, "x" * (1 << 20))
    dialer.send([long, Ping(1)])
    got = []
    while len(got) < 2:
        assert bench.epoll.poll(LIMIT_MS / 1000)
        got += listener.receive()
        list(dialer.receive())

    assert got == [long, Ping(1)]
    assert select.EPOLLOUT not in [what for _, what in bench.epoll.poll(0)]


def test_peer_that_does_not_read_is_given_up(both):
    listener, _ = both
    long = Suspect("lu0", 0, 1, "x" * (BODY_BYTES_MAX - 1000))
    for _ in range(4):
        listener.send([long])
    assert list(listener.receive()) == []

    assert not listener.up
    assert "the peer does not read" in listener.closed_why


def test_a_flood_does_not_keep_the_loop_from_its_other_work(both):
    """At most about 1 MiB at a time; the rest is there the next time."""
    listener, dialer = both
    message = Suspect("lu0", 0, 1, "x" * 30_000)
    seen = 0
    dialer.send([message] * 200)
    for _ in listener.receive():
        seen += 1
        dialer.flush()  # the peer keeps the socket full

    assert 0 < seen < 60
    assert listener.up


# Ending


def test_last_words_of_a_peer_are_heard_even_if_sending_fails(both):
    """A planned stop says so and goes: nothing that is sent to it may hide that."""
    listener, dialer = both
    dialer.send([Commit("lu0", 3)])
    dialer.close("stopped")
    listener.send([Ping(1)])
    listener.send([Ping(2)])

    assert list(listener.receive()) == [Commit("lu0", 3)]
    assert not listener.up


def test_closed_peer_is_told_and_the_link_comes_up_again(bench, both):
    listener, dialer = both
    dialer.close("test")
    assert list(listener.receive()) == []

    assert listener.closed_why == "closed by the peer"
    assert sorted(bench.turn(step_ns=S)) == [0, 1]
    assert dialer.up


def test_frame_cut_off_by_the_end_is_told(bench):
    listener = bench.link(listens=True)
    peer, codec = hand_made_peer(bench, listener)
    peer.sendall(codec.seal(b"{}")[:-1])
    peer.close()

    assert list(listener.receive()) == []
    assert bench.epoll.poll(0), "the end is still to be read"
    assert list(listener.receive()) == []
    assert listener.closed_why == "closed by the peer in the middle of a frame"


def test_new_connection_waits_for_the_end_of_the_old(bench, both):
    """The peer is back before its old connection's end was read."""
    listener, dialer = both
    dialer.close("test")
    again = bench.link(listens=False)
    assert bench.turn(2) == []
    assert list(listener.receive()) == []

    assert sorted(bench.turn()) == [0, 2]
    assert again.up
