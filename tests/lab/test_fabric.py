"""Two kernels of their own on a fabric: what it does to a cable is what they notice."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from certify.virtual_lab.boot import Boot
from certify.virtual_lab.fabric.cable import Condition, Way
from certify.virtual_lab.fabric.client import FabricClient
from certify.virtual_lab.uml import Uml
from tests.lab.support import MARK

BOOT_TIMEOUT_S = 40.0
INIT = """\
#!/bin/sh
mount -t proc proc /proc
ip address add 10.9.0.{number}/24 dev vec0
ip link set vec0 up
busybox ping -i 0.1 10.9.0.{other} 2>&1
"""


class Node:
    """A guest with nothing but a network interface, that pings the other one."""

    def __init__(self, number, other, end):
        # A kernel command line has no white space in its words, and a test's own folder may.
        self.folder = Path(tempfile.mkdtemp(prefix="zerostall-fabric-", dir="/tmp"))
        init = self.folder / "init.sh"
        init.write_text(INIT.format(number=number, other=other), encoding="ascii")
        init.chmod(0o755)
        self.console, console = os.pipe()
        os.set_blocking(self.console, False)
        agent = os.open(os.devnull, os.O_RDWR)
        self.text = ""
        kernel = Uml()
        kernel.prepare(lambda _text: None)
        boot = Boot(folder=self.folder, share=self.folder, agent_fd=agent, console_fd=console)
        network = f"vec0:transport=fd,fd={end.fileno()},vec=0,mac=02:00:00:00:00:0{number}"
        name, _, value = MARK.partition("=")
        self.process = subprocess.Popen(
            [*kernel.command(boot), network],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            pass_fds=(agent, console, end.fileno()),
            env={**os.environ, **kernel.environment(), name: value},
            start_new_session=True,
        )
        os.close(console)
        os.close(agent)

    def said(self):
        """Return all that its console said so far."""
        try:
            while data := os.read(self.console, 65536):
                self.text += data.decode(errors="replace")
        except BlockingIOError:
            pass
        return self.text

    def answers(self):
        """Return the round trips that ping told, in ms."""
        return [float(ms) for ms in re.findall(r"time=([\d.]+) ms", self.said())]

    def wait_for_answers(self, more, timeout_s=10.0):
        """Wait for so many further answers; return them."""
        before = len(self.answers())
        deadline = time.monotonic() + timeout_s
        while len(self.answers()) < before + more:
            assert time.monotonic() < deadline, self.text[-2000:]
            time.sleep(0.02)
        return self.answers()[before:]

    def power_off(self):
        """Take its power away."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.console)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def fabric(need_uml, tmp_path_factory):
    path = tmp_path_factory.mktemp("fabric") / "fabric.sock"
    argv = [sys.executable, "-m", "certify.virtual_lab.fabric.server", "--socket", str(path)]
    with subprocess.Popen(
        [*argv, "--node", "one", "--node", "two"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        with FabricClient(path) as client:
            yield client
        process.stdin.close()


def start(fabric, name, number, other):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        fabric.attach(name, ours)
        return Node(number, other, theirs)


@pytest.fixture(scope="module")
def nodes(fabric):
    """All that are on; their power is taken away in the end."""
    found = [start(fabric, "one", 1, 2), start(fabric, "two", 2, 1)]
    yield found
    for node in found:
        node.power_off()


@pytest.fixture(scope="module")
def one(nodes):
    nodes[0].wait_for_answers(3, BOOT_TIMEOUT_S)
    return nodes[0]


@pytest.fixture(autouse=True)
def whole(fabric, one):
    yield
    for name in ("one", "two"):
        for way in Way:
            fabric.set(name, way, Condition())
    one.wait_for_answers(2)


def counters(fabric, node, way):
    (found,) = [one for one in fabric.look().ways if (one.node, one.way) == (node, way)]
    return found.counters


def test_a_delay_is_seen_in_every_round_trip(fabric, one):
    fabric.set("two", Way.FROM_NODE, Condition(delay_ms=150))
    one.wait_for_answers(3)  # answers that were under way
    assert min(one.wait_for_answers(5)) >= 150


@pytest.mark.parametrize("way", Way)
def test_a_cable_that_is_cut_one_way_ends_the_answers(fabric, one, way):
    before = counters(fabric, "two", way).cut
    fabric.set("two", way, Condition(cut=True))
    time.sleep(0.3)
    said = len(one.answers())
    time.sleep(1.0)
    assert len(one.answers()) == said
    assert counters(fabric, "two", way).cut >= before + 5


def test_a_share_of_the_frames_is_lost(fabric, one):
    fabric.set("two", Way.TO_NODE, Condition(loss=0.5))
    one.wait_for_answers(10)
    assert counters(fabric, "two", Way.TO_NODE).lost > 0


def test_a_node_whose_power_fails_is_gone_and_comes_again(fabric, nodes, one):
    assert fabric.look().attached == ["one", "two"]
    nodes.pop().power_off()
    deadline = time.monotonic() + 5
    while fabric.look().attached != ["one"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    said = len(one.answers())
    time.sleep(0.5)
    assert len(one.answers()) <= said + 1
    nodes.append(start(fabric, "two", 2, 1))
    one.wait_for_answers(3, BOOT_TIMEOUT_S)
