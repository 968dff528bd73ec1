"""The unit of systemd starts a command that there is, and hears when it is up."""

import configparser
import shlex
import socket
from pathlib import Path

from reference_router import cli
from reference_router.notify import notify

UNIT = Path(cli.__file__).parent / "systemd" / "zerostall-engine@.service"


def service() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    return parser["Service"]


def test_it_starts_a_supervisor_of_the_instance():
    python, *argv = shlex.split(service()["ExecStart"].replace("%i", "engine1"))
    arguments = cli._parser().parse_args(argv[2:])

    assert (python, argv[:2]) == ("/usr/bin/python3", ["-m", "reference_router"])
    assert (arguments.command, arguments.engine) == ("supervise", "engine1")


def test_sigterm_is_for_the_supervisor_alone():
    assert service()["KillMode"] == "mixed"
    assert service()["Type"] == "notify"


def test_systemd_is_told(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notify("READY=1")

        assert end.recv(64) == b"READY=1"


def test_nobody_need_listen(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "absent"))
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


def test_witness_is_started_with_the_votes_that_it_has():
    """A new one, without votes, is only ever an operator's word."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((UNIT.parent / "zerostall-witness.service").read_text(encoding="utf-8"))
    argv = shlex.split(parser["Service"]["ExecStart"])

    assert argv[1:4] == ["-m", "reference_router", "witness"]
    assert "--new" not in argv
    assert parser["Service"]["RestartPreventExitStatus"] == "2"
