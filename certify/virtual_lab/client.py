"""A CLI's connection to a keeper: wait for the lab, run a command in it, pass its output on."""

import contextlib
import fcntl
import os
import selectors
import signal
import socket
import struct
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from certify.virtual_lab import state, wire
from certify.virtual_lab.boot import BootError

JOB = 1
"""A connection runs one command, so one number serves."""

CHUNK_BYTES = 65536
TOLD_AT_ONCE_S = 0.2


class Client:
    """One connection; use it for one command, then close it."""

    def __init__(self, folder: Path, *, timeout_s: float = 10.0) -> None:
        self._socket = _connect(state.socket_path(folder), timeout_s)
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the keeper kills a command that still runs."""
        self._socket.close()

    def power_off(self) -> None:
        """Ask the keeper to end the lab and wait until it has gone."""
        self._send(wire.Request(op=wire.Op.POWER_OFF))
        with contextlib.suppress(ConnectionError):
            while self._socket.recv(CHUNK_BYTES):
                pass

    def switch(self, op: wire.Op, nodes: Sequence[str]) -> None:
        """Have a cluster's keeper switch the power of nodes; return when it has.

        Raises BootError with its reason if it has not.
        """
        self._send(wire.Request(op=op, id=JOB, argv=list(nodes)))
        for answer in self._answers():
            if answer.kind is wire.Kind.EXIT:
                if answer.code:
                    raise BootError(answer.text)
                return
        raise BootError("the cluster's keeper ended")

    def is_ready(self) -> bool:
        """Return whether the lab is ready, by what its keeper tells at once."""
        self._socket.settimeout(TOLD_AT_ONCE_S)
        with contextlib.suppress(TimeoutError, ConnectionError):
            return any(answer.kind is wire.Kind.READY for answer in self._answers())
        return False

    def begin(self, argv: list[str]) -> None:
        """Start a command in the guest without following it; it is killed with the connection."""
        self._send(wire.Request(op=wire.Op.RUN, id=JOB, argv=argv))

    def wait_for_end(self, timeout_s: float) -> None:
        """Return when the guest has ended; raise BootError if it has not in time."""
        self._socket.settimeout(timeout_s)
        try:
            with contextlib.suppress(ConnectionError):
                while self._socket.recv(CHUNK_BYTES):
                    pass
        except TimeoutError as error:
            raise BootError(f"the guest has not ended after {timeout_s:g} s") from error

    def wait_ready(self, step: Callable[[str, float], None]) -> None:
        """Pass the steps of the start on; return when the lab is ready.

        Raises BootError with the keeper's words, or when the keeper is gone.
        """
        for answer in self._answers():
            if answer.kind is wire.Kind.STEP:
                step(answer.text, answer.seconds)
            elif answer.kind is wire.Kind.FAILED:
                raise BootError(answer.text)
            elif answer.kind is wire.Kind.READY:
                return
        raise BootError("the lab's keeper ended before the lab was ready")

    def run(self, argv: list[str], *, env: dict[str, str], cwd: str) -> int:
        """Run a command in the guest, its output on ours; return its exit status.

        The first Ctrl-C is passed on, so that the command can undo what it did; the second kills
        it. Raises BootError when the guest dies meanwhile.
        """
        self._send(wire.Request(op=wire.Op.RUN, id=JOB, argv=argv, env=env, cwd=cwd))
        interrupts = 0
        while True:
            try:
                return self._follow()
            except KeyboardInterrupt:
                interrupts += 1
                number = signal.SIGINT if interrupts == 1 else signal.SIGKILL
                self._send(wire.Request(op=wire.Op.KILL, id=JOB, signal=number))

    def shell(self, argv: list[str], *, env: dict[str, str], cwd: str) -> int:
        """Run an interactive command on a terminal of the guest; return its exit status."""
        rows, columns = _window_size()
        self._send(
            wire.Request(
                op=wire.Op.RUN,
                id=JOB,
                argv=argv,
                env=env,
                cwd=cwd,
                terminal=True,
                rows=rows,
                columns=columns,
            )
        )
        with _raw_terminal(), selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(sys.stdin, selectors.EVENT_READ)
            size = (rows, columns)
            while True:
                for key, _ in selector.select(timeout=0.5):
                    if key.fd == sys.stdin.fileno():
                        data = os.read(sys.stdin.fileno(), CHUNK_BYTES)
                        self._send(wire.Request(op=wire.Op.STDIN, id=JOB, data=wire.pack(data)))
                        if not data:
                            selector.unregister(sys.stdin)
                    elif (code := self._pass_on()) is not None:
                        return code
                if (now := _window_size()) != size:
                    size = now
                    self._send(
                        wire.Request(op=wire.Op.RESIZE, id=JOB, rows=size[0], columns=size[1])
                    )

    def _follow(self) -> int:
        while (code := self._pass_on()) is None:
            pass
        return code

    def _pass_on(self) -> int | None:
        """Take one chunk from the keeper; return the exit status if the command ended with it."""
        data = self._socket.recv(CHUNK_BYTES)
        if not data:
            raise BootError("the guest ended while a command ran in it")
        for answer in self._parse(data):
            if answer.kind is wire.Kind.OUT:
                _write(sys.stdout.fileno(), wire.unpack(answer.data))
            elif answer.kind is wire.Kind.ERR:
                _write(sys.stderr.fileno(), wire.unpack(answer.data))
            elif answer.kind is wire.Kind.FAILED:
                raise BootError(answer.text)
            elif answer.kind is wire.Kind.EXIT:
                return answer.code
        return None

    def _answers(self) -> Iterator[wire.Answer]:
        while data := self._socket.recv(CHUNK_BYTES):
            yield from self._parse(data)

    def _parse(self, data: bytes) -> list[wire.Answer]:
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        try:
            return [wire.decode_answer(bytes(line)) for line in lines]
        except msgspec.DecodeError as error:
            raise BootError(f"the lab's keeper speaks another protocol: {error}") from error

    def _send(self, request: wire.Request) -> None:
        try:
            self._socket.sendall(wire.encode(request))
        except ConnectionError as error:
            raise BootError("the lab's keeper is gone") from error


def _connect(path: Path, timeout_s: float) -> socket.socket:
    deadline = time.monotonic() + timeout_s
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            if time.monotonic() > deadline:
                raise BootError(f"{path}: no keeper answers: {error.strerror}") from error
            time.sleep(0.02)
        else:
            return connection


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _window_size() -> tuple[int, int]:
    try:
        raw = fcntl.ioctl(sys.stdin.fileno(), termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return 24, 80
    rows, columns, _, _ = struct.unpack("HHHH", raw)
    return rows or 24, columns or 80


@contextmanager
def _raw_terminal() -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
