"""Cables and power of a cluster, from outside: real fabrics, no guests."""

import socket
import subprocess
import sys

import pytest

from certify.virtual_lab.boot import BootError
from certify.virtual_lab.cluster import console
from certify.virtual_lab.cluster.console import MISTAKE, NO, YES, act
from certify.virtual_lab.cluster.plan import Fabric, fabric_socket
from certify.virtual_lab.fabric.cable import Way
from certify.virtual_lab.fabric.client import FabricClient
from certify.virtual_lab.wire import Op

FRAME = b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x08\0hello"


@pytest.fixture
def cluster(tmp_path):
    """The folder of a cluster whose link has both its engines."""
    (tmp_path / "nodes").mkdir()
    path = fabric_socket(tmp_path, Fabric.LINK)
    argv = [sys.executable, "-m", "certify.virtual_lab.fabric.server", "--socket", str(path)]
    with subprocess.Popen(
        [*argv, "--node", "engine1", "--node", "engine2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        yield tmp_path
        process.stdin.close()


@pytest.fixture
def engine1(cluster):
    """Its end of its cable to the link."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, FabricClient(fabric_socket(cluster, Fabric.LINK)) as client:
        client.attach("engine1", theirs)
        yield ours


def said(cluster, *words):
    return act(cluster, words)[0]


def test_a_cut_is_proven_by_a_frame_that_met_it(cluster, engine1):
    assert said(cluster, "cable", "is_cut", "engine1:link") == NO
    assert said(cluster, "cable", "cut", "engine1:link") == YES
    engine1.send(FRAME)
    assert act(cluster, ["cable", "is_cut", "engine1:link"]) == (YES, "engine1:link: 1 frames")
    assert said(cluster, "cable", "mend", "engine1:link") == YES
    assert said(cluster, "cable", "is_cut", "engine1:link") == NO


def test_a_cut_that_was_mended_proves_nothing_of_the_next(cluster, engine1, monkeypatch):
    monkeypatch.setattr(console, "PROOF_S", 0.1)
    for _ in range(2):
        said(cluster, "cable", "cut", "engine1:link")
        code, text = act(cluster, ["cable", "is_cut", "engine1:link"])
        assert (code, text) == (MISTAKE, "engine1:link: no frame in 0.1 s that would prove it")
        engine1.send(FRAME)
        assert said(cluster, "cable", "is_cut", "engine1:link") == YES
        said(cluster, "cable", "mend", "engine1:link")


def test_a_cable_is_cut_one_way(cluster):
    said(cluster, "cable", "cut", "engine1:link:to_node")

    with FabricClient(fabric_socket(cluster, Fabric.LINK)) as client:
        cut = {(one.node, one.way) for one in client.look().ways if one.condition.cut}
    assert cut == {("engine1", Way.TO_NODE)}


def test_a_spoilt_cable_is_proven_by_a_frame_that_was_late(cluster, engine1):
    said(cluster, "cable", "spoil", "engine1:link")
    engine1.send(FRAME)
    assert said(cluster, "cable", "is_spoil", "engine1:link") == YES
    assert said(cluster, "cable", "is_whole", "engine1:link") == NO
    said(cluster, "cable", "mend", "engine1:link")
    assert said(cluster, "cable", "is_whole", "engine1:link") == YES


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "seen nothing"),
        (["cable"], "expected cable cut|spoil|mend|is_cut|is_spoil|is_whole NAME... or power"),
        (["cable", "burn", "engine1:link"], "seen cable burn engine1:link"),
        (["cable", "cut", "engine1"], "expected NODE:FABRIC .* seen 'engine1'"),
        (["cable", "cut", "engine1:c"], "a fabric of a, b, link, management"),
        (["cable", "cut", "engine1:link:up"], "a way of from_node, to_node"),
        (["cable", "cut", "host7:link"], "'host7' has no port on fabric link"),
        (["power", "panic", "engine1"], "engine1: expected a node that has power"),
    ],
)
def test_a_mistake_is_told(cluster, words, why):
    code, text = act(cluster, words)

    assert code == MISTAKE
    with pytest.raises(BootError, match=why.replace("|", r"\|").replace("...", r"\.\.\.")):
        raise BootError(text)


def test_of_several_ports_none_is_touched_if_one_is_wrong(cluster):
    assert said(cluster, "cable", "cut", "engine1:link", "engine3:link") == MISTAKE

    with FabricClient(fabric_socket(cluster, Fabric.LINK)) as client:
        assert not any(one.condition.cut for one in client.look().ways)


def test_a_node_without_a_keeper_is_off(cluster):
    assert said(cluster, "power", "is_off", "engine1", "engine2") == YES
    assert said(cluster, "power", "is_ready", "engine1") == NO


def test_power_is_switched_by_the_clusters_keeper(cluster, monkeypatch):
    asked = []

    class Keeper:
        def __init__(self, folder):
            asked.append(folder)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def switch(self, op, nodes):
            asked.append((op, nodes))

    monkeypatch.setattr(console, "Client", Keeper)
    assert said(cluster, "power", "cut", "engine1", "array-a") == YES
    assert asked == [cluster, (Op.POWER_CUT, ["engine1", "array-a"])]


def test_a_lab_that_is_one_guest_has_nothing_to_switch(tmp_path):
    code, text = act(tmp_path, ["power", "cut", "engine1"])

    assert code == MISTAKE
    assert "expected a lab that is a cluster" in text
