"""The keeper: the process that owns a guest, whatever happens to the CLI that asked for it.

It boots the guest, passes messages between CLIs (a Unix socket) and the guest's agent (a serial
line), and ends the guest when it is told to, when its owner is gone or when it is killed itself.
"""

import argparse
import asyncio
import contextlib
import ctypes
import os
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from certify.virtual_lab import causes, kernels, state, wire
from certify.virtual_lab.audience import Audience, Client
from certify.virtual_lab.boot import Boot, BootError, Kernel, require_memory
from certify.virtual_lab.cluster import console
from certify.virtual_lab.cluster.machine import machine_of, plugged_in
from certify.virtual_lab.guest.settings import Membership, Settings
from certify.virtual_lab.processor import kept_for_a_guest

PR_SET_PDEATHSIG = 1  # include/uapi/linux/prctl.h
POWER_OFF_TIMEOUT_S = 3.0
LAST_WORDS_S = 2.0


class Keeper:
    """Owns one guest from its boot to its end."""

    def __init__(self, folder: Path, kernel: Kernel) -> None:
        self._folder = folder
        self._kernel = kernel
        self._cluster = Path()
        self._audience = Audience(self._forward, self._forget)
        self._owner: dict[int, Client] = {}
        self._next_job = 1
        self._to_agent: asyncio.StreamWriter | None = None
        self._guest: asyncio.subprocess.Process | None = None
        self._over = asyncio.Event()
        self._power_is_cut = False
        self._spoke = asyncio.Event()
        self._ready = asyncio.Event()
        self._console: asyncio.Task[None] | None = None
        self._background: list[asyncio.Task[None]] = []
        self._guard: subprocess.Popen[bytes] | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self, settings: Settings, lifeline: int | None) -> int:
        """Serve until the guest ends or is to end; return 0, or 4 when it never got ready."""
        if lifeline is not None:
            self._loop.add_reader(lifeline, self._over.set)
        server = await asyncio.start_unix_server(
            self._audience.serve, state.socket_path(self._folder), limit=wire.LINE_LIMIT_BYTES
        )
        try:
            with self._processors() as processors:
                await self._boot(settings, processors)
                await self._over.wait()
        except BootError as error:
            self._audience.tell(wire.Answer(kind=wire.Kind.FAILED, text=str(error)))
            await self._audience.until_read()
        finally:
            await self._end_guest()
            server.close()
            await self._audience.dismiss()
        return 0 if self._ready.is_set() else 4

    def stop(self) -> None:
        """End the guest and `run`."""
        self._over.set()

    @contextlib.contextmanager
    def _processors(self) -> Iterator[set[int]]:
        allowed = os.sched_getaffinity(0)
        if self._kernel.one_processor:
            with kept_for_a_guest(allowed) as processor:
                yield {processor}
        else:
            yield allowed

    async def _boot(self, settings: Settings, processors: set[int]) -> None:
        machine = machine_of(settings.membership)
        if settings.membership:
            self._cluster = Path(settings.membership.cluster)
        require_memory(machine.memory_mib)
        await self._loop.run_in_executor(None, self._kernel.prepare, self._report)
        ours, theirs = socket.socketpair()
        console_read, console_write = os.pipe()  # UML cannot wait for a regular file
        with theirs, os.fdopen(console_write, "wb") as console, plugged_in(machine) as interfaces:
            boot = Boot(
                folder=self._folder,
                share=Path(settings.share),
                agent_fd=theirs.fileno(),
                console_fd=console_write,
                memory_mib=machine.memory_mib,
                interfaces=interfaces,
                disks=machine.disks,
            )
            _write_guest_files(boot, self._kernel, settings)
            self._guest = await asyncio.create_subprocess_exec(
                *self._kernel.command(boot),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                pass_fds=(boot.agent_fd, boot.console_fd, *(one.fd for one in interfaces)),
                env={**os.environ, **self._kernel.environment()},
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=_prepare_guest(os.getpid(), processors),
            )
        self._guard = _start_guard(self._guest.pid)
        settled = self._loop.run_in_executor(
            None, self._kernel.settle, self._guest.pid, machine.memory_mib
        )
        reader, self._to_agent = await asyncio.open_connection(
            sock=ours, limit=2 * wire.LINE_LIMIT_BYTES
        )
        self._console = asyncio.create_task(self._keep_console(console_read))
        self._background = [
            self._console,
            asyncio.create_task(self._from_agent(reader)),
            asyncio.create_task(self._reap()),
            asyncio.create_task(self._keep_awake(self._guest)),
        ]
        await asyncio.gather(settled, self._until_ready())

    async def _until_ready(self) -> None:
        await self._expect(self._spoke, self._kernel.first_word_timeout_s, "the guest's agent")
        await self._expect(self._ready, self._kernel.ready_timeout_s, "the lab")

    async def _expect(self, event: asyncio.Event, timeout_s: float, what: str) -> None:
        """Wait for *event*; raise BootError when the guest ends or *timeout_s* passes first."""
        waits = {asyncio.create_task(event.wait()), asyncio.create_task(self._over.wait())}
        _, late = await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        if event.is_set():
            return
        if self._over.is_set():
            if self._console is not None:  # its end is seen before all that it said was read
                await asyncio.wait({self._console}, timeout=LAST_WORDS_S)
            raise BootError(self._post_mortem(f"the guest ended before {what} was ready"))
        raise BootError(self._post_mortem(f"{what} was not ready after {timeout_s:.0f} s"))

    def _post_mortem(self, what: str) -> str:
        log = self._folder / "console.log"
        console = log.read_text(errors="replace") if log.exists() else ""
        cause = causes.likely_cause(console)
        reason = f"{self._kernel.name}: {what}" + (f"; {cause}" if cause else "")
        return f"{reason}. The console's last lines:\n{causes.last_lines(console)}"

    async def _from_agent(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if not line.strip():
                    continue
                try:
                    self._route(wire.decode_answer(line))
                except msgspec.DecodeError:
                    continue  # what a serial line carries before the agent has made it raw
        self._over.set()

    async def _keep_console(self, descriptor: int) -> None:
        """Copy the console to its log until the guest's last word."""
        reader = asyncio.StreamReader()
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        transport, _ = await self._loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        with (self._folder / "console.log").open("wb", buffering=0) as log:
            while data := await reader.read(65536):
                log.write(data)
        transport.close()

    def _route(self, answer: wire.Answer) -> None:
        self._spoke.set()
        if answer.kind is wire.Kind.READY:
            self._ready.set()
        if answer.kind is wire.Kind.ASK:
            self._outside(answer)
            return
        if answer.kind is wire.Kind.FAILED:
            self._over.set()
            text = self._post_mortem(f"the lab could not be brought up: {answer.text}")
            answer = wire.Answer(kind=wire.Kind.FAILED, text=text)
        if answer.kind in (wire.Kind.STEP, wire.Kind.READY, wire.Kind.FAILED):
            self._audience.tell(answer)
            return
        client = self._owner.get(answer.id)
        if client is None:
            return
        number = answer.id
        answer.id = client.jobs[number]
        client.send(answer)
        if answer.kind is wire.Kind.EXIT:
            del client.jobs[number], self._owner[number]

    def _outside(self, question: wire.Answer) -> None:
        """Do for the guest what nobody in it can, beside all else; tell it how that ended."""

        def tell(done: "asyncio.Future[console.Told]") -> None:
            code, text = done.result()
            told = msgspec.json.encode({"code": code, "text": text})
            self._ask(wire.Request(op=wire.Op.TOLD, id=question.id, data=wire.pack(told)))

        words = msgspec.json.decode(wire.unpack(question.data), type=list[str])
        act = self._loop.run_in_executor(None, console.act, self._cluster, words)
        act.add_done_callback(tell)

    def _report(self, text: str) -> None:
        """Tell clients of a step from the thread that prepares the kernel."""
        self._loop.call_soon_threadsafe(
            self._audience.tell, wire.Answer(kind=wire.Kind.STEP, text=text)
        )

    async def _reap(self) -> None:
        if self._guest is not None:
            await self._guest.wait()
            self._over.set()

    async def _keep_awake(self, guest: asyncio.subprocess.Process) -> None:
        """Wake the guest now and then, where its kernel needs that, from its first word on."""
        interval_s = self._kernel.wake_interval_s
        while interval_s and guest.returncode is None:
            if self._spoke.is_set():
                self._kernel.wake(guest.pid)
            await asyncio.sleep(interval_s)

    def _forward(self, client: Client, request: wire.Request) -> None:
        if request.op in (wire.Op.POWER_OFF, wire.Op.POWER_CUT):
            self._power_is_cut = request.op is wire.Op.POWER_CUT
            self._over.set()
            return
        if request.op is wire.Op.RUN:
            number, self._next_job = self._next_job, self._next_job + 1
            client.jobs[number] = request.id
            self._owner[number] = client
        else:
            known = [ours for ours, theirs in client.jobs.items() if theirs == request.id]
            if not known:
                return
            number = known[0]
        request.id = number
        self._ask(request)

    def _ask(self, request: wire.Request) -> None:
        if self._to_agent is not None and not self._to_agent.is_closing():
            self._to_agent.write(wire.encode(request))

    def _forget(self, client: Client) -> None:
        """Kill what a client that is gone was running: nobody is left to undo it by hand."""
        for number in client.jobs:
            self._ask(wire.Request(op=wire.Op.KILL, id=number, signal=signal.SIGKILL))
            self._owner.pop(number, None)

    async def _end_guest(self) -> None:
        guest = self._guest
        if guest is None:
            return
        if guest.returncode is None and self._ready.is_set() and not self._power_is_cut:
            self._ask(wire.Request(op=wire.Op.POWER_OFF))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(guest.wait(), POWER_OFF_TIMEOUT_S)
        # UML runs each guest process as a process of its own in the same session.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(guest.pid, signal.SIGKILL)
        await guest.wait()
        if self._guard is not None:
            self._guard.communicate()  # the end of its input is its signal
        # With the guest gone, both of its lines are at their end.
        await asyncio.wait(self._background, timeout=1.0)
        if self._to_agent is not None:
            self._to_agent.close()
            with contextlib.suppress(ConnectionError):
                await self._to_agent.wait_closed()


def _start_guard(session: int) -> "subprocess.Popen[bytes]":
    """Start a process that kills the guest's session when we are gone, even by SIGKILL.

    PR_SET_PDEATHSIG reaches the guest's first process only, and UML has helpers beside it.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$1"', "guard", str(session)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _prepare_guest(parent: int, processors: set[int]) -> Callable[[], None]:
    """Return what the guest's process does first: keep to *processors*, die with us, open files.

    hostfs and 9p hold a file of the host open for each file that the guest has in its cache, and
    the usual soft limit of 1,024 is passed while Python starts.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def ask_kernel() -> None:
        os.sched_setaffinity(0, processors)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)  # the parent died before the kernel was asked

    return ask_kernel


def _write_guest_files(boot: Boot, kernel: Kernel, settings: Settings) -> None:
    shutil.copy(Path(__file__).parent / "guest/init.sh", boot.folder / "init.sh")
    (boot.folder / "init.sh").chmod(0o755)
    (boot.folder / "settings.json").write_bytes(msgspec.json.encode(settings))
    values = {
        "ZS_MODULES": str(kernel.modules()),
        "ZS_SHARE": settings.share,
        "ZS_SHARE_FS": kernel.share_filesystem,
        "ZS_PYTHON": settings.python,
        "ZS_PORT": kernel.agent_port,
        "ZS_SETTINGS": str(boot.folder / "settings.json"),
        "ZS_PROJECT": str(Path(__file__).resolve().parents[2]),
    }
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in values.items()]
    (boot.folder / "boot.env").write_text("".join(lines), encoding="utf-8")


def main() -> int:
    """Run a keeper; its arguments come from `session.py`, not from a user."""
    parser = argparse.ArgumentParser(prog="certify.virtual_lab.keeper")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--share", required=True)
    parser.add_argument("--lifeline", type=int)
    parser.add_argument("--membership", type=_membership, help="JSON; default: no cluster")
    arguments = parser.parse_args()
    settings = Settings(
        kernel=arguments.kernel,
        target=arguments.target,
        python=sys.executable,
        share=arguments.share,
        membership=arguments.membership,
    )
    with state.hold(arguments.folder):
        return asyncio.run(_keep(arguments.folder, settings, arguments.lifeline))


def _membership(text: str) -> Membership:
    return msgspec.json.decode(text, type=Membership)


async def _keep(folder: Path, settings: Settings, lifeline: int | None) -> int:
    keeper = Keeper(folder, kernels.by_name(settings.kernel))
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, keeper.stop)
    return await keeper.run(settings, lifeline)


if __name__ == "__main__":
    raise SystemExit(main())
