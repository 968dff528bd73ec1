"""The keeper of a cluster: owns its fabrics and the keepers of its nodes, and switches their power.

Every node's keeper holds a pipe of this process as its lifeline, every fabric its standard input:
however this process ends, they end with it.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from certify.virtual_lab import layout, state, wire
from certify.virtual_lab.audience import Audience, Client
from certify.virtual_lab.boot import BootError, require_memory
from certify.virtual_lab.cluster import access
from certify.virtual_lab.cluster.plan import (
    Fabric,
    Node,
    Plan,
    Role,
    array_disk,
    disk_folder,
    fabric_socket,
    node_folder,
)
from certify.virtual_lab.guest.settings import Membership
from certify.virtual_lab.uml import Uml

ARRAY_BYTES = sum(unit.size_bytes for unit in layout.LOGICAL_UNITS)
ENDS_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 10.0


@dataclass(slots=True, kw_only=True)
class Powered:
    """A node that has power: its keeper, our end of its lifeline, our connection to it."""

    process: asyncio.subprocess.Process
    lifeline: int
    writer: asyncio.StreamWriter
    hearing: "asyncio.Task[None]"


class ClusterKeeper:
    """Owns a cluster from its start to its end."""

    def __init__(self, folder: Path, plan: Plan, *, target: str, share: str) -> None:
        self._folder = folder
        self._plan = plan
        self._target = target
        self._share = share
        self._audience = Audience(self._hear)
        self._fabrics: list[asyncio.subprocess.Process] = []
        self._powered: dict[str, Powered] = {}
        self._starting: set[str] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    async def run(self, lifeline: int | None) -> int:
        """Serve until it is to end; return 0, or 4 when it never got ready."""
        if lifeline is not None:
            asyncio.get_running_loop().add_reader(lifeline, self._over.set)
        server = await asyncio.start_unix_server(
            self._audience.serve, state.socket_path(self._folder), limit=wire.LINE_LIMIT_BYTES
        )
        ready = False
        try:
            await self._start()
            ready = True
            self._audience.tell(wire.Answer(kind=wire.Kind.READY))
            await self._over.wait()
        except BootError as error:
            self._audience.tell(wire.Answer(kind=wire.Kind.FAILED, text=str(error)))
            await self._audience.until_read()
        finally:
            await self._end()
            server.close()
            await self._audience.dismiss()
        return 0 if ready else 4

    def stop(self) -> None:
        """End the cluster and `run`."""
        self._over.set()

    # Starting
    async def _start(self) -> None:
        require_memory(self._plan.memory_mib, what=f"a cluster of {len(self._plan.nodes)} nodes")
        Uml().prepare(self._report)
        access.make_keys(self._folder)
        for node in self._plan.nodes:
            disk_folder(self._folder, node.name).mkdir(parents=True)
            if node.role is Role.ARRAY:
                with array_disk(self._folder, node.name).open("wb") as blocks:
                    blocks.truncate(ARRAY_BYTES)
        for fabric in Fabric:
            await self._start_fabric(fabric)
        over = asyncio.create_task(self._over.wait())
        ready = asyncio.create_task(self._power_all_on())
        await asyncio.wait({over, ready}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not ready.done():
            ready.cancel()
            raise BootError("the cluster was ended before it was ready")
        await ready

    async def _power_all_on(self) -> None:
        await asyncio.gather(*(self._power_on(node) for node in self._plan.nodes))

    def _report(self, text: str) -> None:
        self._audience.tell(wire.Answer(kind=wire.Kind.STEP, text=text))

    async def _start_fabric(self, fabric: Fabric) -> None:
        argv = [
            *(sys.executable, "-m", "certify.virtual_lab.fabric.server"),
            *("--socket", str(fabric_socket(self._folder, fabric))),
        ]
        for name in self._plan.on(fabric):
            argv += ["--node", name]
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._fabrics.append(process)
        if process.stdout is None or not await process.stdout.readline():
            raise BootError(f"fabric {fabric} does not start; the keeper's log says why")

    async def _power_on(self, node: Node, *, again: bool = False) -> None:
        """Start a node's keeper and wait until the node is ready. Raises BootError."""
        begin = time.monotonic()
        folder = node_folder(self._folder, node.name)
        folder.mkdir(parents=True, exist_ok=True)
        member = Membership(
            node=node.name,
            hosts=self._plan.host_count,
            cluster=str(self._folder),
            again=again,
        )
        theirs, ours = os.pipe()
        argv = [
            *(sys.executable, "-m", "certify.virtual_lab.keeper"),
            *("--folder", str(folder), "--kernel", "uml", "--target", self._target),
            *("--share", self._share, "--lifeline", str(theirs)),
            *("--membership", msgspec.json.encode(member).decode()),
        ]
        with (self._folder / f"{node.name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        os.close(theirs)
        reader, writer = await _connected(folder)
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        hearing = asyncio.create_task(_hear_node(reader, node.name, started))
        powered = Powered(process=process, lifeline=ours, writer=writer, hearing=hearing)
        self._powered[node.name] = powered
        hearing.add_done_callback(lambda _task: self._gone(node.name, powered))
        await started
        seconds = time.monotonic() - begin
        step = wire.Answer(kind=wire.Kind.STEP, text=f"{node.name} is ready", seconds=seconds)
        self._audience.tell(step)

    # Requests
    def _hear(self, client: Client, request: wire.Request) -> None:
        if request.op is wire.Op.POWER_OFF:
            self._over.set()
            return
        if request.op in (wire.Op.POWER_CUT, wire.Op.POWER_ON):
            job = asyncio.create_task(self._switch(client, request))
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)

    async def _switch(self, client: Client, request: wire.Request) -> None:
        """Cut the power of nodes at the same moment, or give it back; answer when it is done."""
        answer = wire.Answer(kind=wire.Kind.EXIT, id=request.id)
        try:
            nodes = [self._plan.node(name) for name in request.argv]
            if request.op is wire.Op.POWER_CUT:
                await asyncio.gather(*(self._cut(node.name) for node in nodes))
            else:
                for node in nodes:
                    self._switch_on(node)
        except BootError as error:
            answer = wire.Answer(kind=wire.Kind.EXIT, id=request.id, code=1, text=str(error))
        client.send(answer)

    def _switch_on(self, node: Node) -> None:
        if node.name in self._powered or node.name in self._starting:
            return
        self._starting.add(node.name)
        job = asyncio.create_task(self._start_again(node))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _start_again(self, node: Node) -> None:
        try:
            await self._power_on(node, again=True)
        except BootError as error:
            sys.stderr.write(f"{node.name} does not come back: {error}\n")
            await self._cut(node.name)
        finally:
            self._starting.discard(node.name)

    async def _cut(self, name: str) -> None:
        """Take a node's power away; return when it has none."""
        node = self._powered.pop(name, None)
        if node is None:
            return
        node.writer.write(wire.encode(wire.Request(op=wire.Op.POWER_CUT)))
        with contextlib.suppress(ConnectionError):
            await node.writer.drain()
        try:
            await asyncio.wait_for(node.process.wait(), ENDS_TIMEOUT_S)
        except TimeoutError:
            node.process.kill()  # its guard takes the guest with it
            await node.process.wait()
        os.close(node.lifeline)
        await node.hearing
        node.writer.close()

    def _gone(self, name: str, node: Powered) -> None:
        """Forget a node that ended by itself, as by a panic: it can be switched on again."""
        if self._powered.get(name) is node:
            del self._powered[name]
            os.close(node.lifeline)
            node.writer.close()

    async def _end(self) -> None:
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*(self._cut(name) for name in list(self._powered)))
        for fabric in self._fabrics:
            if fabric.stdin is not None:
                fabric.stdin.close()
            await fabric.wait()


async def _connected(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        try:
            return await asyncio.open_unix_connection(
                state.socket_path(folder), limit=wire.LINE_LIMIT_BYTES
            )
        except OSError as error:
            if time.monotonic() > deadline:
                raise BootError(f"{folder}: no keeper answers: {error.strerror}") from error
            await asyncio.sleep(0.02)


async def _hear_node(
    reader: asyncio.StreamReader, name: str, started: "asyncio.Future[None]"
) -> None:
    """Listen to a node's keeper until it ends; settle *started* by what it says first."""
    step = "its keeper's start"
    with contextlib.suppress(ConnectionError):
        while line := await reader.readline():
            answer = wire.decode_answer(line)
            step = answer.text or step
            if answer.kind is wire.Kind.STEP:
                sys.stderr.write(f"{name}: {answer.text}: {answer.seconds:.1f} s\n")
            if answer.kind is wire.Kind.READY and not started.done():
                started.set_result(None)
            elif answer.kind is wire.Kind.FAILED and not started.done():
                started.set_exception(BootError(f"{name}: {answer.text}"))
    if not started.done():
        started.set_exception(BootError(f"{name}: its keeper ended after: {step}"))


def main() -> int:
    """Run a cluster's keeper; its arguments come from `session.py`, not from a user."""
    parser = argparse.ArgumentParser(prog="certify.virtual_lab.cluster.keeper")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--hosts", type=int, required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--share", required=True)
    parser.add_argument("--lifeline", type=int)
    arguments = parser.parse_args()
    plan = Plan(arguments.hosts)
    with state.hold(arguments.folder):
        keeper = (arguments.folder, plan, arguments.target, arguments.share)
        return asyncio.run(_keep(*keeper, arguments.lifeline))


async def _keep(folder: Path, plan: Plan, target: str, share: str, lifeline: int | None) -> int:
    keeper = ClusterKeeper(folder, plan, target=target, share=share)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, keeper.stop)
    return await keeper.run(lifeline)


if __name__ == "__main__":
    raise SystemExit(main())
