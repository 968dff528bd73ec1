"""Shells bound every call in time and say what failed; OpenSSH is played by a script here."""

import os
import signal
import subprocess
import sys

import pytest

from fault_injectors import FaultError, LocalShell, Proof, SshShell, shell_for, wait_for_proof
from fault_injectors import shell as shell_module

FAKE_SSH = """#!/bin/sh
for last; do :; done
exec sh -c "$last"
"""


@pytest.fixture(params=["local", "ssh"])
def shell(request, tmp_path):
    if request.param == "local":
        return LocalShell()
    program = tmp_path / "ssh"
    program.write_text(FAKE_SSH)
    program.chmod(0o755)
    return SshShell("root@host9", program=str(program))


def test_run_returns_what_the_command_said(shell):
    completed = shell.run(
        ("sh", "-c", "echo a 'b  c'; echo oops >&2; exit 3"), timeout_s=9, check=False
    )

    assert (
        completed.exit_status,
        completed.stdout,
        completed.stderr,
    ) == (3, "a b  c\n", "oops\n")


def test_a_failing_command_is_an_error_with_its_words(shell):
    with pytest.raises(FaultError, match=r"exit status 7: first \| second"):
        shell.run(("sh", "-c", "echo first >&2; echo second >&2; exit 7"), timeout_s=9)


def test_files_are_read_and_written_but_not_created(shell, tmp_path):
    file = tmp_path / "it's a state"
    file.write_text("running\n")

    shell.write_text(str(file), "offline")

    assert shell.read_text(str(file)) == "offline"
    with pytest.raises(FaultError):
        shell.write_text(str(tmp_path / "missing"), "offline")
    assert not (tmp_path / "missing").exists()
    with pytest.raises(FaultError, match="missing"):
        shell.read_text(str(tmp_path / "missing"))


def test_glob_takes_stars_and_leaves_other_signs_alone(shell, tmp_path):
    for name in ("2:0:1:0", "2:0:1:1", "3:0:1:0", "[x] $y"):
        (tmp_path / name).touch()

    assert [f"{tmp_path}/2:0:1:{n}" for n in (0, 1)] == shell.glob(f"{tmp_path}/2:0:1:*")
    assert [f"{tmp_path}/[x] $y"] == shell.glob(f"{tmp_path}/[x] $?")
    assert shell.glob(f"{tmp_path}/9:*") == []


def test_exists_tells_what_is_there(shell, tmp_path):
    assert shell.exists(str(tmp_path))
    assert not shell.exists(str(tmp_path / "missing"))


def test_a_signal_reaches_the_process(shell):
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    shell.send_signal(child.pid, signal.SIGTERM)

    assert child.wait(timeout=20) == -signal.SIGTERM
    with pytest.raises(FaultError):
        shell.send_signal(child.pid, signal.SIGTERM)


def test_a_command_that_does_not_end_is_killed(shell):
    with pytest.raises(FaultError, match=r"no end within 0\.2 s; killed"):
        shell.run(("tail", "-f", "/dev/null"), timeout_s=0.2)


def test_a_program_that_is_missing_is_an_error():
    with pytest.raises(FaultError, match="no-such-program: cannot be started"):
        LocalShell().run(("no-such-program",), timeout_s=9)


def test_a_write_that_blocks_does_not_block_the_caller(tmp_path, monkeypatch):
    fifo = tmp_path / "blocks"
    os.mkfifo(fifo)
    monkeypatch.setattr(shell_module, "FILE_TIMEOUT_S", 0.1)

    with pytest.raises(FaultError, match=r"cannot write 'running' to .*: no end within 0\.1 s"):
        LocalShell().write_text(str(fifo), "running\n")
    os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))


def test_a_machine_that_cannot_be_reached_is_an_error_even_unchecked(tmp_path):
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\necho no route >&2\nexit 255\n")
    program.chmod(0o755)

    with pytest.raises(FaultError, match=r"ssh:root@gone cannot be reached.*no route"):
        SshShell("root@gone", program=str(program)).run(("true",), timeout_s=9, check=False)


def test_reaches_of_the_lab_file():
    assert shell_for("local").reach == "local"
    assert shell_for("ssh:root@a").reach == "ssh:root@a"
    with pytest.raises(FaultError, match='expected "local" or "ssh:user@name"'):
        shell_for("telnet:a")


def test_waiting_ends_with_the_first_effective_proof():
    proofs = iter([Proof(effective=False, seen="a"), Proof(effective=True, seen="b")])
    slept = []

    proof = wait_for_proof(
        lambda: next(proofs), timeout_s=9, interval_s=0.5, clock=lambda: 0.0, sleep=slept.append
    )

    assert Proof(effective=True, seen="b") == proof
    assert slept == [0.5]


def test_waiting_gives_up_with_the_last_thing_seen():
    clock = iter([0.0, 5.0, 11.0])

    def prove():
        raise FaultError("engine1 does not answer")

    proof = wait_for_proof(prove, timeout_s=10, clock=lambda: next(clock), sleep=lambda _: None)

    assert Proof(effective=False, seen="engine1 does not answer") == proof
