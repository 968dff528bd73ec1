"""The agent: the guest's only long-lived process of ours; it brings the lab up and runs commands.

It is process 1's successor: when it ends, the guest ends. It talks to the keeper over a serial
line (`wire.py`), so that it needs no network and works the same on every kernel.
"""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
import tty
from dataclasses import dataclass, field
from pathlib import Path

from certify.virtual_lab import wire
from certify.virtual_lab.guest import bring_up, cluster, outside, settings
from certify.virtual_lab.guest.steps import BringUpError, Report

CHUNK_BYTES = 32768


@dataclass(slots=True)
class Job:
    """A command that runs for a client of the keeper."""

    process: asyncio.subprocess.Process
    terminal: int | None = None  # the controlling end of its pseudo terminal
    pumps: list[asyncio.Task[None]] = field(default_factory=list)


class Agent:
    """Serve requests from the serial line until it is told to power off."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._jobs: dict[int, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outside: asyncio.Server | None = None
        self._asking: dict[int, asyncio.Future[bytes]] = {}

    def send(self, answer: wire.Answer) -> None:
        """Write one answer; blocks while the host does not read, which bounds our memory."""
        view = memoryview(wire.encode(answer))
        while view:
            try:
                view = view[os.write(self._port, view) :]
            except BlockingIOError:
                time.sleep(0.001)

    async def serve(self) -> None:
        """Read requests until POWER_OFF or the end of the line."""
        loop = asyncio.get_running_loop()
        if Path(outside.SOCKET).parent.is_dir():
            self._outside = await asyncio.start_unix_server(self._pass_outside, outside.SOCKET)
        arrived = asyncio.Event()
        loop.add_reader(self._port, arrived.set)
        buffer = bytearray()
        while True:
            await arrived.wait()
            arrived.clear()
            try:
                data = os.read(self._port, CHUNK_BYTES)
            except BlockingIOError:
                continue
            if not data:
                return
            buffer += data
            *lines, rest = buffer.split(b"\n")
            buffer = bytearray(rest)
            for line in lines:
                if not line.strip():
                    continue
                request = wire.decode_request(bytes(line))
                if request.op is wire.Op.POWER_OFF:
                    return
                await self._handle(request)

    async def _handle(self, request: wire.Request) -> None:
        if request.op is wire.Op.RUN:
            await self._start(request)
            return
        if request.op is wire.Op.TOLD:
            if request.id in self._asking:
                self._asking.pop(request.id).set_result(wire.unpack(request.data))
            return
        job = self._jobs.get(request.id)
        if job is None:
            return  # it ended while the request was on its way
        if request.op is wire.Op.STDIN:
            await self._feed(job, wire.unpack(request.data))
        elif request.op is wire.Op.RESIZE and job.terminal is not None:
            _set_size(job.terminal, request.rows, request.columns)
        elif request.op is wire.Op.KILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job.process.pid, request.signal)

    async def _pass_outside(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass what a command in the guest asks of the lab around it on, and the answer back."""
        words = await reader.readline()
        number = max(self._asking, default=0) + 1
        told = self._asking[number] = asyncio.get_running_loop().create_future()
        self.send(wire.Answer(kind=wire.Kind.ASK, id=number, data=wire.pack(words.strip())))
        writer.write(await told + b"\n")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async def _start(self, request: wire.Request) -> None:
        environment = {**os.environ, **request.env}
        try:
            if request.terminal:
                job = await self._start_on_terminal(request, environment)
            else:
                job = await self._start_on_pipes(request, environment)
        except OSError as error:
            text = f"{request.argv[0]}: {error.strerror}\n".encode()
            self.send(wire.Answer(kind=wire.Kind.ERR, id=request.id, data=wire.pack(text)))
            self.send(wire.Answer(kind=wire.Kind.EXIT, id=request.id, code=127))
            return
        self._jobs[request.id] = job
        task = asyncio.create_task(self._finish(request.id, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_on_pipes(self, request: wire.Request, environment: dict[str, str]) -> Job:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *request.argv,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=request.cwd,
            env=environment,
            start_new_session=True,
        )
        job = Job(process)
        for stream, kind in ((process.stdout, wire.Kind.OUT), (process.stderr, wire.Kind.ERR)):
            if stream is not None:
                job.pumps.append(asyncio.create_task(self._pump(request.id, stream, kind)))
        return job

    async def _start_on_terminal(self, request: wire.Request, environment: dict[str, str]) -> Job:
        controller, terminal = pty.openpty()
        _set_size(terminal, request.rows, request.columns)
        try:
            process = await asyncio.create_subprocess_exec(
                *request.argv,
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                cwd=request.cwd,
                env=environment,
                start_new_session=True,
                preexec_fn=_take_terminal,
            )
        except OSError:
            os.close(controller)
            raise
        finally:
            os.close(terminal)
        job = Job(process, terminal=controller)
        job.pumps.append(asyncio.create_task(self._pump_terminal(request.id, controller)))
        return job

    async def _pump(self, number: int, stream: asyncio.StreamReader, kind: wire.Kind) -> None:
        while data := await stream.read(CHUNK_BYTES):
            self.send(wire.Answer(kind=kind, id=number, data=wire.pack(data)))

    async def _pump_terminal(self, number: int, controller: int) -> None:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(controller, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                data = os.read(controller, CHUNK_BYTES)
                if not data:
                    return
                self.send(wire.Answer(kind=wire.Kind.OUT, id=number, data=wire.pack(data)))
        except OSError:
            return  # EIO: the last process on the terminal closed it
        finally:
            loop.remove_reader(controller)

    async def _feed(self, job: Job, data: bytes) -> None:
        if job.terminal is not None:
            os.write(job.terminal, data or b"\x04")
            return
        stdin = job.process.stdin
        if stdin is None:
            return
        with contextlib.suppress(ConnectionError):
            if data:
                stdin.write(data)
                await stdin.drain()
            else:
                stdin.close()

    async def _finish(self, number: int, job: Job) -> None:
        code = await job.process.wait()
        # A daemon that the command left behind may hold its pipes open for ever.
        _, late = await asyncio.wait(job.pumps, timeout=1.0)
        for pump in late:
            pump.cancel()
        if job.terminal is not None:
            os.close(job.terminal)
        del self._jobs[number]
        self.send(
            wire.Answer(kind=wire.Kind.EXIT, id=number, code=code if code >= 0 else 128 - code)
        )


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _set_size(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _open_port(name: str) -> int:
    deadline = time.monotonic() + 10.0
    path = Path("/dev") / name
    if name.startswith("virtio:"):
        subprocess.run(["modprobe", "-a", "virtio_pci", "virtio_console"], check=True)
        path = _virtio_port(name.removeprefix("virtio:"), deadline)
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    if os.isatty(port):
        tty.setraw(port)
    return port


def _virtio_port(name: str, deadline: float) -> Path:
    while time.monotonic() < deadline:
        for entry in Path("/sys/class/virtio-ports").glob("*/name"):
            if entry.read_text().strip() == name:
                return Path("/dev") / entry.parent.name
        time.sleep(0.02)
    raise SystemExit(f"no virtio port named {name} within 10 s")


def _bring_up(report: Report) -> str:
    """Bring the lab, or this node of it, up; return "" or what went wrong, in words for a user."""
    chosen = settings.load()
    try:
        if chosen.membership is None:
            bring_up.bring_up(chosen, report)
        else:
            cluster.bring_up(chosen, chosen.membership, report)
    except BringUpError as error:
        return str(error)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    """Bring the lab up, serve, power off."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    agent = Agent(_open_port(sys.argv[1]))

    def report(text: str, seconds: float) -> None:
        agent.send(wire.Answer(kind=wire.Kind.STEP, text=text, seconds=seconds))

    problem = _bring_up(report)
    if problem:
        agent.send(wire.Answer(kind=wire.Kind.FAILED, text=problem))
    else:
        agent.send(wire.Answer(kind=wire.Kind.READY))
    asyncio.run(agent.serve())
    Path("/proc/sysrq-trigger").write_text("o")
    signal.pause()


if __name__ == "__main__":
    main()
