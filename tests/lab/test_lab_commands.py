"""`certify lab`: boots that fail say why, and nothing survives a CLI that is killed."""

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from certify.virtual_lab import state
from tests.lab.support import guest_processes

GONE_TIMEOUT_S = 10


def wait_until_gone() -> list[str]:
    """Return the guest processes that are left after at most ten seconds."""
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while (left := guest_processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def wait_until_labs_live(before: set[Path]) -> list[Path]:
    """Return the folders made since *before* of labs that do not live, after at most ten seconds.

    Other tests have labs, side by side with this one; theirs live, or will in a moment.
    """
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while True:
        made = set(state.base().glob("run-*")) - before
        dead = [folder for folder in made if folder.exists() and not state.alive(folder)]
        if not dead or time.monotonic() > deadline:
            return dead
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_cli_that_is_ended_takes_its_guest_with_it(cli, need_uml, number):
    """Whatever ends the CLI while the guest boots, no process and no folder stays."""
    before = set(state.base().glob("run-*"))
    run = cli.start("run", "--destroy", "--kernel", "uml", "--runs", str(cli.runs))
    deadline = time.monotonic() + 30
    while not any("linux.uml" in line for line in guest_processes()):
        assert time.monotonic() < deadline, "the guest did not start"
        time.sleep(0.05)
    run.send_signal(number)
    run.wait(timeout=20)

    assert wait_until_gone() == []
    assert wait_until_labs_live(before) == []


def test_a_kernel_that_panics_is_explained(cli, need_uml, tmp_path):
    """Exit status 4, the console's last lines, no hang. The kernel is real, its init is not."""
    shadow = tmp_path / "linux.uml"
    shadow.write_text(
        "#!/bin/sh\nfor word; do case $word in init=*) word=init=/nonexistent;; esac; "
        'set -- "$@" "$word"; shift; done\nexec /usr/bin/linux.uml "$@"\n'
    )
    shadow.chmod(shadow.stat().st_mode | stat.S_IXUSR)

    before = sorted(cli.runs.glob("2*"))

    done = cli(
        *("run", "--destroy", "--kernel", "uml", "--runs", str(cli.runs)),
        timeout_s=60,
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )

    assert done.returncode == 4, done.stderr
    assert "/nonexistent" in done.stderr
    assert "last lines" in done.stderr
    assert wait_until_gone() == []
    assert sorted(cli.runs.glob("2*")) == before


def test_a_missing_package_is_named(cli, tmp_path):
    """Without linux.uml the message says what to install."""
    done = cli("lab", "up", "--kernel", "uml", "--runs", str(cli.runs), PATH=str(tmp_path))

    assert done.returncode == 4
    assert "user-mode-linux" in done.stderr


def test_an_unknown_target_is_refused(cli):
    """The message lists what there is."""
    done = cli("lab", "up", "--target", "toaster", "--runs", str(cli.runs))

    assert done.returncode == 2
    assert "reference-router" in done.stderr


def test_shell_runs_a_command_in_the_lab(standing_lab):
    """With its output and its exit status."""
    done = standing_lab("lab", "shell", "sh", "-c", "cat /run/zerostall/lab.toml; exit 5")

    assert done.returncode == 5
    assert '[[engine]]\nname = "engine1"' in done.stdout


def test_the_host_is_not_writable_from_the_guest(standing_lab, tmp_path):
    """The guest's root is the host's, but what it writes goes to its own memory."""
    witness = Path(__file__).resolve()
    before = witness.read_bytes()
    done = standing_lab("lab", "shell", "sh", "-c", f"echo gone > '{witness}'; wc -c < '{witness}'")

    assert done.stdout.strip() == "5"
    assert witness.read_bytes() == before


def test_topology_and_check_look_through_the_lab(standing_lab):
    """They change nothing and show every part."""
    topology = standing_lab("topology")
    check = standing_lab("check")

    assert topology.returncode == 0, topology.stderr
    assert all(name in topology.stdout for name in ("engine1", "engine2", "lu0"))
    assert check.returncode == 0, check.stdout
