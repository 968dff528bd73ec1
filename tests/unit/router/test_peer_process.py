"""Death of a peer is claimed only when it is certain."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from link_bench import LIMIT_MS, MS, Bench

from reference_router.peer_process import PeerProcess, card_of


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


CHILD = """
import select, sys
from reference_router.link import Link
from reference_router.messages import decode, encode
epoll = select.epoll()
link = Link(
    sys.argv[1],
    listens=sys.argv[2] == "listen",
    epoll=epoll,
    key=b"k" * 32,
    encode=encode,
    decode=decode,
)
now_ns = 0
print("ready", flush=True)
while True:
    epoll.poll(0.02)
    now_ns += 20_000_000
    link.connect(now_ns)
    list(link.receive())
"""


@pytest.mark.parametrize("child_listens", [False, True])
def test_death_of_the_peers_process_is_proven(bench, child_listens):
    mode = "listen" if child_listens else "dial"
    if not child_listens:
        link = bench.link(listens=True)
    command = [sys.executable, "-c", CHILD, bench.address, mode]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        if child_listens:
            link = bench.link(listens=False)
        while not link.up:
            bench.epoll.poll(0.02)
            bench.turn(1, step_ns=20 * MS)
        alive = link.peer_is_dead()
        child.kill()
        child.wait()
    list(link.receive())

    assert not alive
    assert not link.up
    assert link.peer_is_dead()
    assert bench.epoll.poll(LIMIT_MS / 1000), "the end of the process wakes the loop"
    assert link.peer_is_dead()


def test_living_peer_that_closed_is_not_dead(both):
    listener, dialer = both
    dialer.close("test")
    assert list(listener.receive()) == []

    assert not listener.peer_is_dead()


def test_process_behind_a_relay_is_never_proven_dead(bench):
    """The socket is of this process, but the peer says that it is another one."""
    one, other = socket.socketpair()
    with one, other:
        for card in (card_of(os.getpid() + 1), b"another boot 1", b""):
            assert not PeerProcess(one, card, epoll=bench.epoll).ended()
    assert bench.epoll.poll(0) == []
