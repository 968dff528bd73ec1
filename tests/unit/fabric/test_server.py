"""A fabric as a process: frames through real sockets, told by a real client."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from certify.virtual_lab.fabric import wire
from certify.virtual_lab.fabric.cable import Condition, Way
from certify.virtual_lab.fabric.client import FabricClient
from certify.virtual_lab.fabric.switch import FabricError

FRAME = b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x08\0hello"


@pytest.fixture
def fabric(tmp_path):
    path = tmp_path / "fabric.sock"
    argv = [sys.executable, "-m", "certify.virtual_lab.fabric.server", "--socket", str(path)]
    with subprocess.Popen(
        [*argv, "--node", "a", "--node", "b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        yield path
        process.stdin.close()
        assert process.wait(10) == 0
    assert not path.exists()


@pytest.fixture
def client(fabric):
    with FabricClient(fabric) as client:
        yield client


def plug(client, node):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        client.attach(node, theirs)
    ours.settimeout(5)
    return ours


def way(state, node, direction):
    (found,) = [one for one in state.ways if (one.node, one.way) == (node, direction)]
    return found


def test_a_frame_arrives_and_is_counted(client):
    with plug(client, "a") as a, plug(client, "b") as b:
        a.send(FRAME)
        assert b.recv(100) == FRAME
        state = client.look()
    assert state.attached == ["a", "b"]
    assert way(state, "a", Way.FROM_NODE).counters.passed == 1
    assert way(state, "b", Way.TO_NODE).counters.octets == len(FRAME)


def test_a_cut_cable_carries_nothing_until_it_is_mended(client):
    with plug(client, "a") as a, plug(client, "b") as b:
        client.set("b", Way.TO_NODE, Condition(cut=True))
        a.send(FRAME)
        while not way(client.look(), "b", Way.TO_NODE).counters.cut:
            time.sleep(0.01)
        client.set("b", Way.TO_NODE, Condition())
        a.send(FRAME + b" again")
        assert b.recv(100) == FRAME + b" again"


def test_a_delayed_frame_comes_by_itself(client):
    with plug(client, "a") as a, plug(client, "b") as b:
        client.set("a", Way.FROM_NODE, Condition(delay_ms=80))
        began = time.monotonic()
        a.send(FRAME)
        assert b.recv(100) == FRAME
        assert time.monotonic() - began >= 0.08


def test_a_node_that_is_gone_and_comes_again(client):
    a = plug(client, "a")
    plug(client, "b").close()
    while client.look().attached != ["a"]:
        time.sleep(0.01)
    a.send(FRAME)
    with plug(client, "b") as b:
        a.send(FRAME + b" again")
        received = b.recv(100)
        if received == FRAME:  # the first was still on its way
            received = b.recv(100)
        assert received == FRAME + b" again"
    a.close()


def test_what_cannot_be_followed_is_refused_and_changes_nothing(client):
    before = client.look()
    with pytest.raises(FabricError, match="expected one of a, b, seen 'c'"):
        client.set("c", Way.TO_NODE, Condition(cut=True))
    with pytest.raises(FabricError, match="loss: expected a share"):
        client.set("a", Way.TO_NODE, Condition(loss=2))
    with Path(os.devnull).open("rb") as file, pytest.raises(FabricError, match="expected a socket"):
        client._ask(wire.Attach(node="a"), [file.fileno()])
    with pytest.raises(FabricError, match="descriptors: expected 1, seen 0"):
        client._ask(wire.Attach(node="a"))
    assert client.look() == before


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        (b"nonsense", "malformed"),
        (b'{"type":"set","node":"a","way":"up","condition":{}}', "Invalid enum value 'up'"),
        (b'{"type":"set","node":"a","way":"to_node"}', "missing required field `condition`"),
    ],
)
def test_a_message_that_is_none_is_refused(fabric, packet, told):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as raw:
        raw.connect(os.fspath(fabric))
        raw.send(packet)
        answer = wire.decode_answer(raw.recv(10_000))
    assert isinstance(answer, wire.Refused)
    assert told in answer.why


def test_no_fabric_is_told(tmp_path):
    with pytest.raises(FabricError, match="cannot be reached"):
        FabricClient(tmp_path / "none.sock")


def test_another_fabrics_socket_is_left_alone(fabric):
    argv = [sys.executable, "-m", "certify.virtual_lab.fabric.server", "--socket", str(fabric)]
    done = subprocess.run(
        [*argv, "--node", "a"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert fabric.exists()


def test_frames_wait_for_a_node_that_is_slow_to_take_them(client):
    count = 1500  # some hundred fill its buffer
    frames = [FRAME + number.to_bytes(2) + bytes(1400) for number in range(count)]
    with plug(client, "a") as a, plug(client, "b") as b:
        for frame in frames:
            a.send(frame)
        taken = [b.recv(2000) for _ in range(count)]
        counters = way(client.look(), "b", Way.TO_NODE).counters
    assert taken == frames
    assert (counters.passed, counters.overflowed) == (count, 0)


def test_what_waits_for_a_node_that_goes_is_dropped(client):
    with plug(client, "a") as a, plug(client, "b"):
        for _ in range(1500):
            a.send(FRAME + bytes(1400))
    deadline = time.monotonic() + 5
    while way(client.look(), "b", Way.TO_NODE).counters.overflowed == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    counters = way(client.look(), "b", Way.TO_NODE).counters
    assert counters.passed + counters.overflowed == counters.entered
