"""The keeper and its clients, with a guest that is a Python process speaking the agent's protocol.

What a real kernel adds is tested in tests/lab.
"""

import asyncio
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from certify.virtual_lab.boot import BootError
from certify.virtual_lab.client import Client
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.keeper import Keeper

ROOT = Path(__file__).resolve().parents[3]

GUEST = """
import asyncio, os, sys
from certify.virtual_lab import wire
from certify.virtual_lab.guest.agent import Agent
port = int(sys.argv[1])
os.set_blocking(port, False)
agent = Agent(port)
agent.send(wire.Answer(kind=wire.Kind.STEP, text="a step", seconds=0.1))
agent.send(wire.Answer(kind=wire.Kind.READY))
asyncio.run(agent.serve())
"""


class PretendKernel:
    """Runs a Python program in place of a guest."""

    name = "pretend"
    one_processor = True
    wake_interval_s = 0.01
    share_filesystem = "hostfs"
    agent_port = "none"

    def __init__(self, program, *, timeout_s=40.0):
        self._program = program
        self.first_word_timeout_s = timeout_s
        self.ready_timeout_s = timeout_s
        self.woken = []

    def prepare(self, report):
        report("preparing")

    def modules(self):
        return Path("/nowhere")

    def command(self, boot):
        return [sys.executable, "-c", self._program, str(boot.agent_fd)]

    def environment(self):
        return {"PYTHONPATH": str(ROOT)}

    def settle(self, pid, memory_mib):
        Path(f"/proc/{pid}").stat()

    def wake(self, pid):
        self.woken.append(pid)


class RunningKeeper:
    """A keeper in a thread, with the lifeline that a CLI would hold."""

    def __init__(self, folder, kernel):
        self.folder = folder
        self._theirs, self._ours = os.pipe()
        self.exit_code = None
        self._thread = threading.Thread(target=self._run, args=(kernel,))
        self._thread.start()

    def _run(self, kernel):
        settings = Settings(kernel="uml", target="none", python="python", share=str(self.folder))

        async def keep():
            return await Keeper(self.folder, kernel).run(settings, self._theirs)

        self.exit_code = asyncio.run(keep())

    def cut_lifeline(self):
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def join(self):
        self.cut_lifeline()
        self._thread.join(timeout=40)
        assert not self._thread.is_alive()
        if self._theirs >= 0:
            os.close(self._theirs)
            self._theirs = -1


@pytest.fixture
def keep():
    """Start keepers; end them and look that they did end."""
    keepers = []
    with tempfile.TemporaryDirectory(prefix="zk-") as name:

        def start(kernel):
            keepers.append(RunningKeeper(Path(name), kernel))
            return keepers[-1]

        yield start
        for keeper in keepers:
            keeper.join()


@pytest.fixture
def client(keep):
    """A client of a pretended lab that is ready."""
    keeper = keep(PretendKernel(GUEST))
    with Client(keeper.folder) as client:
        client.wait_ready(lambda name, seconds: None)
        yield client


def test_a_guest_that_has_spoken_is_woken_again_and_again(keep):
    kernel = PretendKernel(GUEST)
    keeper = keep(kernel)

    with Client(keeper.folder) as client:
        client.wait_ready(lambda name, seconds: None)
        seen = len(kernel.woken)
        while len(kernel.woken) < seen + 3:
            time.sleep(0.01)

    assert len(set(kernel.woken)) == 1


def test_a_guest_that_has_not_spoken_is_not_woken(keep):
    kernel = PretendKernel("import time; time.sleep(0.3)")

    with Client(keep(kernel).folder) as client, pytest.raises(BootError, match="ended before"):
        client.wait_ready(lambda name, seconds: None)

    assert kernel.woken == []


def test_steps_are_told_before_ready(keep):
    """The user sees what the lab is doing."""
    steps = []
    keeper = keep(PretendKernel(GUEST))

    with Client(keeper.folder) as client:
        client.wait_ready(lambda name, seconds: steps.append(name))

    assert steps == ["preparing", "a step"]


def test_a_command_answers_with_its_output_and_status(client, capfd):
    """Both streams arrive on their own side, the exit status is the command's."""
    code = client.run(["/bin/sh", "-c", "echo to-out; echo to-err >&2; exit 7"], env={}, cwd="/")

    seen = capfd.readouterr()
    assert (code, seen.out, seen.err) == (7, "to-out\n", "to-err\n")


def test_a_large_output_arrives_whole(client, capfd):
    """Neither end may drop or reorder under back pressure."""
    code = client.run(["/usr/bin/seq", "1", "200000"], env={}, cwd="/")

    lines = capfd.readouterr().out.split()
    assert code == 0
    assert lines == [str(number) for number in range(1, 200001)]


def test_a_command_that_does_not_exist_is_127(client, capfd):
    """As a shell would say it."""
    code = client.run(["/no/such/program"], env={}, cwd="/")

    assert code == 127
    assert "/no/such/program: No such file" in capfd.readouterr().err


def test_a_client_that_goes_away_takes_its_command_with_it(keep):
    """Nobody is left to undo what a command of a dead CLI would still do."""
    keeper = keep(PretendKernel(GUEST))
    fifo = keeper.folder / "fifo"
    os.mkfifo(fifo)
    with Client(keeper.folder) as client:
        client.wait_ready(lambda name, seconds: None)
        thread = threading.Thread(target=_run_ignoring_end, args=(client, fifo))
        thread.start()

        with fifo.open("rb") as stream:  # opens when the command has opened its end
            client._socket.shutdown(socket.SHUT_RDWR)
            ended = stream.read()  # returns at the end of the command, which would never end

        thread.join(timeout=40)

    assert ended == b""


def _run_ignoring_end(client, fifo):
    with pytest.raises(BootError, match="guest ended"):
        client.run(["/bin/sh", "-c", f"exec sleep 1000 >{fifo}"], env={}, cwd="/")


def test_cutting_the_lifeline_ends_the_guest(keep):
    """A CLI that is killed leaves nothing behind."""
    keeper = keep(PretendKernel(GUEST))
    with Client(keeper.folder) as client:
        client.wait_ready(lambda name, seconds: None)

        keeper.cut_lifeline()
        keeper.join()

    assert keeper.exit_code == 0


def test_a_guest_that_dies_is_explained_with_its_last_words(keep):
    """The console's last lines are what an engineer asks for first."""
    keeper = keep(PretendKernel("print('Kernel panic - not syncing: no init found')"))

    with (
        Client(keeper.folder) as client,
        pytest.raises(BootError, match=r"(?s)kernel panicked.*no init found"),
    ):
        client.wait_ready(lambda name, seconds: None)


def test_last_words_that_come_late_are_waited_for(keep):
    """A guest's end is seen at once, its console is read when there is time."""
    program = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    time.sleep(0.3)\n"
        "    print('Kernel panic - not syncing: no init found', flush=True)\n"
    )
    keeper = keep(PretendKernel(program))

    with (
        Client(keeper.folder) as client,
        pytest.raises(BootError, match=r"(?s)kernel panicked.*no init found"),
    ):
        client.wait_ready(lambda name, seconds: None)


def test_a_guest_that_hangs_is_given_up(keep):
    """Never a hang: the wait for the first word has a limit."""
    program = "import time; print('booting', flush=True); time.sleep(1000)"
    keeper = keep(PretendKernel(program, timeout_s=1.0))

    with (
        Client(keeper.folder) as client,
        pytest.raises(BootError, match=r"(?s)not ready after 1 s.*booting"),
    ):
        client.wait_ready(lambda name, seconds: None)
