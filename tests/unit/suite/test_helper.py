"""Commands run by the helper end as if they were run here, errors included; it ends with us.

Method: the real helper process, as a run starts it.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from certify.helper import NICENESS, HelpedRemoteShell, Helper, serve
from fault_injectors import FaultError


@pytest.fixture
def helper() -> Iterator[Helper]:
    made = Helper()
    made.start()
    yield made
    made.stop()


def test_command_ends_with_its_output_and_status(helper: Helper) -> None:
    shell = helper.shell_for("local")

    done = shell.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=10.0, check=False)

    assert (done.exit_status, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert done.argv[0] == "sh"


def test_command_that_fails_is_a_fault_error(helper: Helper) -> None:
    with pytest.raises(FaultError, match="false: exit status 1"):
        helper.shell_for("local").run(["false"], timeout_s=10.0)


def test_command_that_takes_too_long_is_ended(helper: Helper) -> None:
    with pytest.raises(FaultError, match=r"no end within 0\.1 s"):
        helper.shell_for("local").run(["sleep", "30"], timeout_s=0.1)


def test_commands_step_back(helper: Helper) -> None:
    done = helper.shell_for("local").run(["nice"], timeout_s=10.0)

    assert int(done.stdout) == min(os.nice(0) + NICENESS, 19)


def test_long_output_arrives_whole(helper: Helper) -> None:
    done = helper.shell_for("local").run(["seq", "100000"], timeout_s=10.0)

    assert done.stdout.splitlines()[-1] == "100000"


def test_files_of_other_machines_are_asked_for(helper: Helper, tmp_path: Path) -> None:
    """The same requests as over SSH, on this machine."""
    shell = HelpedRemoteShell(helper=helper, reach="local")
    (tmp_path / "state").write_text("old")
    shell.write_text(f"{tmp_path}/state", "new")

    assert shell.read_text(f"{tmp_path}/state") == "new"
    assert shell.exists(f"{tmp_path}/state")
    assert shell.glob(f"{tmp_path}/*") == [f"{tmp_path}/state"]
    with pytest.raises(FaultError, match="SIGCONT"):
        shell.send_signal(2**22 + 1, signal.SIGCONT)


def test_helper_that_died_is_an_error_and_no_hang(helper: Helper) -> None:
    with pytest.raises(FaultError, match="helper process has ended"):
        helper.shell_for("local").run(["sh", "-c", "kill -9 $PPID"], timeout_s=5.0)


def test_helper_that_was_not_started_is_an_error() -> None:
    with pytest.raises(FaultError, match="was not started"):
        Helper().shell_for("local").run(["true"], timeout_s=1.0)


def test_stopping_twice_is_harmless(helper: Helper) -> None:
    helper.stop()
    helper.stop()


def test_unknown_reach_is_told_in_the_answer() -> None:
    told: list[bytes] = []
    request = b'{"reach": "carrier pigeon", "method": "exists", "arguments": {"path": "/"}}\n'
    serve([request], told.append)

    assert b"carrier pigeon" in told[0]
