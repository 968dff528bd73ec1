"""The process around a switch: sockets of nodes, a socket to be told by, a clock."""

import argparse
import contextlib
import os
import selectors
import socket
import stat
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from certify.virtual_lab.fabric import wire
from certify.virtual_lab.fabric.cable import Way
from certify.virtual_lab.fabric.switch import FabricError, Switch

FRAME_OCTETS_MAX = 65_536 + 64
FRAMES_AT_A_TIME = 64  # of one node, before another's turn
WAITING_FRAMES_MAX = 4096  # for a node that does not take them; more are dropped


class Node:
    """A node that is attached: its socket, and what waits until the guest has room for it."""

    def __init__(self, name: str, end: socket.socket) -> None:
        self.name = name
        self.end = end
        self.waiting: deque[bytes] = deque()


class Server:
    """Carries frames between the nodes that are attached, until its lifeline is closed."""

    def __init__(self, switch: Switch, listener: socket.socket, lifeline: int) -> None:
        self._switch = switch
        self._listener = listener
        self._lifeline = lifeline
        self._nodes: dict[str, Node] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve."""
        self._selector.register(self._lifeline, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ, lambda _: self._accept())
        while True:
            for key, events in self._selector.select(self._patience_s()):
                if key.data is None:
                    return
                key.data(events)
            self._deliver()

    def _patience_s(self) -> float | None:
        due_ns = self._switch.next_due_ns
        return None if due_ns is None else max(0, due_ns - time.monotonic_ns()) / 1e9

    # nodes
    def _attach(self, node: str, descriptor: int) -> None:
        self._switch.condition(node, Way.TO_NODE)  # raises for an unknown one
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise FabricError(f"{node}: expected a socket, seen another descriptor")
        theirs = socket.socket(fileno=descriptor)
        self._detach(node)
        theirs.setblocking(False)
        attached = self._nodes[node] = Node(node, theirs)

        def act(events: int) -> None:
            if events & selectors.EVENT_WRITE:
                self._send_waiting(attached)
            if events & selectors.EVENT_READ:
                self._take(attached)

        self._selector.register(theirs, selectors.EVENT_READ, act)

    def _detach(self, node: str) -> None:
        if gone := self._nodes.pop(node, None):
            self._selector.unregister(gone.end)
            gone.end.close()
            for frame in gone.waiting:
                self._switch.refused(node, frame)

    def _take(self, node: Node) -> None:
        for _ in range(FRAMES_AT_A_TIME):
            if self._nodes.get(node.name) is not node:
                return
            try:
                frame = node.end.recv(FRAME_OCTETS_MAX)
            except BlockingIOError:
                return
            except ConnectionError:
                frame = b""
            if not frame:  # the guest is gone
                self._detach(node.name)
                return
            self._switch.receive(node.name, frame, time.monotonic_ns())

    def _deliver(self) -> None:
        for name, frame in self._switch.deliver(time.monotonic_ns()):
            node = self._nodes.get(name)
            if node is None or len(node.waiting) >= WAITING_FRAMES_MAX:
                self._switch.refused(name, frame)
                continue
            node.waiting.append(frame)
            if len(node.waiting) == 1:
                self._send_waiting(node)

    def _send_waiting(self, node: Node) -> None:
        """Send what waits for a node; what its buffer has no room for waits on, as in a switch."""
        try:
            while node.waiting:
                node.end.send(node.waiting[0])
                node.waiting.popleft()
        except BlockingIOError:
            pass
        except ConnectionError:
            self._detach(node.name)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if node.waiting else 0)
        key = self._selector.get_key(node.end)
        if key.events != events:
            self._selector.modify(node.end, events, key.data)

    # who tells us
    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(1.0)
        self._selector.register(client, selectors.EVENT_READ, lambda _: self._hear(client))

    def _hear(self, client: socket.socket) -> None:
        packet = b""
        descriptors: list[int] = []
        with contextlib.suppress(OSError):
            packet, descriptors, _, _ = socket.recv_fds(client, wire.MESSAGE_OCTETS_MAX, 1)
        if not packet:
            self._selector.unregister(client)
            client.close()
            return
        try:
            answer: wire.Answer = self._follow(wire.decode_request(packet), descriptors)
        except (FabricError, msgspec.DecodeError) as error:
            for one in descriptors:
                os.close(one)
            answer = wire.Refused(why=str(error))
        with contextlib.suppress(OSError):  # it is gone
            client.send(wire.encode(answer))

    def _follow(self, request: wire.Request, descriptors: list[int]) -> wire.State:
        wanted = 1 if isinstance(request, wire.Attach) else 0
        if len(descriptors) != wanted:
            raise FabricError(f"descriptors: expected {wanted}, seen {len(descriptors)}")
        match request:
            case wire.Set():
                self._switch.set(request.node, request.way, request.condition)
            case wire.Attach():
                self._attach(request.node, descriptors[0])
            case wire.Look():
                pass
        return self._state()

    def _state(self) -> wire.State:
        switch = self._switch
        return wire.State(
            ways=[
                wire.WayState(
                    node=node,
                    way=way,
                    condition=switch.condition(node, way),
                    counters=switch.counters(node, way),
                    under_way=switch.under_way(node, way),
                    struck=switch.struck(node, way),
                )
                for node in switch.names
                for way in Way
            ],
            attached=sorted(self._nodes),
            malformed=switch.malformed,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Be a fabric until standard input is closed; say "ready" when it can be told."""
    parser = argparse.ArgumentParser(prog="fabric", description=main.__doc__)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--node", action="append", required=True, dest="nodes", metavar="NAME")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    try:
        switch = Switch(arguments.nodes, arguments.seed)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(os.fspath(arguments.socket))
            listener.listen()
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            try:
                Server(switch, listener, sys.stdin.fileno()).run()
            finally:
                arguments.socket.unlink(missing_ok=True)
    except (FabricError, OSError) as error:
        sys.stderr.write(f"fabric {arguments.socket}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
