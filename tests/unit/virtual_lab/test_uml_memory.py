"""The guest's memory is found while it boots, and its contents stay."""

import os
import subprocess
import sys

import pytest

from certify.virtual_lab import uml
from certify.virtual_lab.boot import BootError
from certify.virtual_lab.guest import purge

MIB = 1 << 20


@pytest.fixture
def memory(monkeypatch):
    """Small, and in a file system whose files may have holes."""
    monkeypatch.setattr(uml, "MEMORY_FILE_TIMEOUT_S", 0.3)
    with os.fdopen(os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR), "r+b") as stream:
        stream.truncate(30 * MIB)
        yield stream


def test_all_of_it_is_touched_and_what_is_there_stays(memory):
    memory.seek(19 * MIB + 5)
    memory.write(b"the guest's")
    memory.flush()

    uml.Uml().settle(os.getpid(), 24)

    assert os.fstat(memory.fileno()).st_blocks * 512 == 24 * MIB  # of 30
    memory.seek(19 * MIB)
    assert memory.read(20) == b"\0" * 5 + b"the guest's" + b"\0" * 4


def test_it_is_waited_for(monkeypatch, memory):
    monkeypatch.setattr(uml, "MEMORY_FILE_TIMEOUT_S", 10.0)
    program = (
        "import os, sys, time; time.sleep(0.2)\n"
        "file = os.open('/dev/shm', os.O_TMPFILE | os.O_RDWR)\n"
        f"os.ftruncate(file, {24 * MIB}); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as guest:
        assert uml.memory_file(guest.pid, 24 * MIB).stat().st_size == 24 * MIB
        guest.kill()


def test_a_guest_without_one_is_told(memory):
    memory.truncate(MIB)
    with pytest.raises(BootError, match="opened no memory file"):
        uml.memory_file(os.getpid(), 24 * MIB)


def test_a_filter_can_be_attached_and_let_go():
    purge.purge()
