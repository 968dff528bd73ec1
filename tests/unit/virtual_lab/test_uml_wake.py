"""The signal of its timer, for a guest whose kernel may have lost one."""

import subprocess
import sys

import pytest

from certify.virtual_lab.uml import Uml

# Written past Python's buffers: the signal may come while "ready" is still being
# flushed, and a handler that printed then would re-enter the buffer and fail. It
# sleeps in short steps: a signal just before a pause would be seen after the next.
CATCHES = """
import os, signal, time
signal.signal(signal.SIGALRM, lambda *_: os.write(1, b"woken\\n"))
os.write(1, b"ready\\n")
while True:
    time.sleep(0.01)
"""
DOES_NOT = "import time; print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def start():
    """Starts a Python program and waits until it says that it is ready."""
    processes = []

    def start(program):
        argv = [sys.executable, "-c", program]
        processes.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        assert processes[-1].stdout.readline() == "ready\n"
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_kernel_that_takes_the_signal_gets_it(start):
    kernel = start(CATCHES)

    Uml().wake(kernel.pid)

    assert kernel.stdout.readline() == "woken\n"


def test_a_process_that_would_die_of_it_does_not_get_it(start):
    process = start(DOES_NOT)

    Uml().wake(process.pid)

    process.kill()
    assert process.wait(timeout=10) == -9


def test_a_guest_that_has_ended_is_let_be(start):
    process = start(DOES_NOT)
    process.kill()
    process.wait(timeout=10)

    Uml().wake(process.pid)
