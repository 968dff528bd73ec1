"""Commands pass from a ring to SCSI generic and back; a socket stands for the sg node."""

import ctypes
import os
import socket
import struct

import pytest

from certify.saboteurs.defect import Defect
from certify.saboteurs.passage import Passage
from certify.saboteurs.ring import Ring
from certify.saboteurs.stage import Port, Stage
from certify.saboteurs.values import Outcome, read_16, sense
from tests.unit.saboteurs.conftest import DATA_AT, front

HEADER = struct.Struct("@iiBBHIPPPIIiPBBBBHHiII0P")
READ = bytes((0x28, 0, 0, 0, 0, 8, 0, 0, 1, 0))
WRITE = bytes((0x2A, 0, 0, 0, 0, 8, 0, 0, 1, 0))


class Node:
    """The kernel's side of /dev/sgN: takes what was sent, and answers it."""

    def __init__(self, theirs):
        self._socket = theirs

    def take(self):
        return list(HEADER.unpack(self._socket.recv(HEADER.size)))

    def answer(self, header, *, status=0, sense=b"", data=b"", host=0, residual=0):
        ctypes.memmove(header[8], sense, len(sense))
        if data:
            ctypes.memmove(header[6], data, len(data))
        header[13], header[16], header[17], header[19] = status, len(sense), host, residual
        self._socket.send(HEADER.pack(*header))

    @staticmethod
    def cdb(header):
        return ctypes.string_at(header[7], header[2])

    @staticmethod
    def data(header):
        return ctypes.string_at(header[6], header[5])


class Noted(Defect):
    """Keeps what it was told."""

    def __init__(self):
        self.told = []

    def on_loss(self, engine, stage):
        self.told.append(("lost", engine))

    def on_return(self, engine, stage):
        self.told.append(("back", engine))


@pytest.fixture
def sockets():
    """Two ends of a line that keeps messages apart, ours not blocking, as an sg node is."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.settimeout(2.0)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
def node(sockets):
    """The far end of the passage."""
    return Node(sockets[1])


@pytest.fixture
def port(kernel, sockets):
    """A port over a ring in memory and the near end; its uio is a pipe that takes kicks."""
    reading, writing = os.pipe()
    yield Port(front(), writing, Ring(kernel.memory), Passage(sockets[0].fileno()))
    os.close(reading)
    os.close(writing)


@pytest.fixture
def stage(port):
    """The stage with the one port and a defect that only looks."""
    return Stage(Noted(), {port.front: port})


def test_a_read_passes_and_its_data_comes_back(kernel, stage, port, node):
    kernel.put(1, READ, [(DATA_AT, 512)])
    stage.accept(port)
    header = node.take()
    assert (node.cdb(header), header[1], header[5]) == (READ, -3, 512)

    node.answer(header, data=b"x" * 512)
    port.passage.reap()
    stage.kick()

    assert kernel.answer_at(0)[:3] == (1, 0, 0)
    assert kernel.memory[DATA_AT : DATA_AT + 512] == b"x" * 512


def test_a_write_passes_with_its_data(kernel, stage, port, node):
    kernel.memory[DATA_AT : DATA_AT + 512] = b"y" * 512
    kernel.put(2, WRITE, [(DATA_AT, 512)])

    stage.accept(port)

    header = node.take()
    assert (node.cdb(header), header[1], node.data(header)) == (WRITE, -2, b"y" * 512)


def test_sense_data_comes_back_as_it_is(kernel, stage, port, node):
    kernel.put(3, READ, [(DATA_AT, 512)])
    stage.accept(port)

    node.answer(node.take(), status=2, sense=sense(5, 0x21))
    port.passage.reap()

    assert kernel.answer_at(0)[2] == 2
    assert kernel.memory[128 + 16 : 128 + 16 + 18] == sense(5, 0x21)


def test_short_data_is_told_as_short(kernel, stage, port, node):
    kernel.put(3, bytes((0x12, 0, 0, 1, 0, 0)), [(DATA_AT, 256)])
    stage.accept(port)

    node.answer(node.take(), data=b"z" * 36, residual=220)
    port.passage.reap()

    assert kernel.answer_at(0) == (3, 2, 0, 36, kernel.memory[128 + 18])


def test_a_transport_error_is_a_lost_path(kernel, stage, port, node):
    kernel.put(4, READ, [(DATA_AT, 512)])
    stage.accept(port)

    node.answer(node.take(), host=1)
    port.passage.reap()

    assert kernel.memory[128 + 16 + 2] & 0xF == 2
    assert stage.defect.told == [("lost", "engine1")]


def test_a_command_that_an_engine_held_when_it_went_tells_of_its_loss(kernel, stage, port, node):
    kernel.put(4, READ, [(DATA_AT, 512)])
    stage.accept(port)

    node.answer(node.take(), status=2, sense=sense(2, 8, 0))
    port.passage.reap()

    assert stage.defect.told == [("lost", "engine1")]


def test_an_engine_is_lost_once_and_comes_back_once(kernel, stage, port, node):
    endings = [sense(2, 4, 0x0C), sense(2, 4, 0x0C), b"", b""]
    for number, ending in enumerate(endings):
        kernel.put(number, READ, [(DATA_AT, 512)])
        stage.accept(port)
        node.answer(node.take(), status=2 if ending else 0, sense=ending)
        port.passage.reap()

    assert stage.defect.told == [("lost", "engine1"), ("back", "engine1")]


def test_a_node_that_is_gone_loses_what_is_under_way(kernel, stage, port, node, sockets):
    kernel.put(5, READ, [(DATA_AT, 512)])
    stage.accept(port)
    node.take()
    sockets[0].shutdown(socket.SHUT_RDWR)
    sockets[1].close()

    kernel.put(6, READ, [(DATA_AT, 512)])
    stage.accept(port)

    assert kernel.answer_at(0)[0] == 6


def test_more_than_sixteen_commands_wait_their_turn(stage, port, node):
    ended = []
    for _ in range(20):
        stage.send(read_16(front(), 0, 1), ended.append)

    for _ in range(16):
        node.answer(node.take())
    port.passage.reap()
    for _ in range(4):
        node.answer(node.take())
    port.passage.reap()

    assert len(ended) == 20
    assert all(isinstance(one, Outcome) and one.good for one in ended)


def test_an_answer_is_held_as_long_as_the_defect_says(kernel, port, monkeypatch, node):
    class Slow(Defect):
        def hold_s(self, command, outcome, stage):
            return 5.0

    now = [100.0]
    monkeypatch.setattr(Stage, "now_s", lambda self: now[0])
    stage = Stage(Slow(), {port.front: port})
    kernel.put(1, READ, [(DATA_AT, 512)])
    stage.accept(port)
    node.answer(node.take())
    port.passage.reap()
    assert (kernel.tail, stage.run_due()) == (0, 5.0)

    now[0] += 5.0
    assert stage.run_due() == -1.0

    assert kernel.tail == kernel.head


def test_an_engine_is_back_when_all_that_it_refused_is_served_again(stage):
    refused, served = Outcome(status=2, sense=sense(2, 4, 1)), Outcome()
    for host, outcome in (
        *(("host1", refused), ("host2", refused), ("host1", served), ("host1", refused)),
        *(("host1", served), ("host2", served)),
    ):
        stage._notice(front(host=host), outcome)

    assert stage.defect.told == [("lost", "engine1"), ("back", "engine1")]


def test_what_refused_a_command_long_ago_does_not_keep_an_engine_away(stage, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(Stage, "now_s", lambda self: now[0])
    refused = Outcome(status=2, sense=sense(2, 4, 1))
    for host in ("host1", "host2"):
        stage._notice(front(host=host), refused)

    now[0] = 3.0
    stage._notice(front(), Outcome())

    assert stage.defect.told == [("lost", "engine1"), ("back", "engine1")]
