"""Hosts settle before a repeat, and a host that does not is named."""

import msgspec
import pytest

from certify.lab import Command, Host, Lab, LabError
from certify.settling import settle_hosts
from fault_injectors import Completed, FaultError

COMMAND = Command(argv=["settle", "now"])


def hosts(*found: Host) -> Lab:
    return msgspec.structs.replace(msgspec.convert(LAB, Lab), host=list(found))


LAB = {
    "schema": 1,
    "lab": {"name": "small"},
    "system_under_test": {"name": "Pair"},
    "host": [],
    "logical_unit": [],
    "path": [],
    "engine": [],
}


class Remote:
    """A host that knows one command."""

    def __init__(self, error: str = "") -> None:
        self.calls: list[list[str]] = []
        self.error = error

    def run(self, argv: list[str], *, timeout_s: float, check: bool = True) -> Completed:
        self.calls.append(argv)
        if self.error:
            raise FaultError(self.error)
        return Completed(argv=tuple(argv), exit_status=0, stdout="", stderr="")


def test_each_host_with_a_command_runs_it_there() -> None:
    shell = Remote()
    asked = []

    def shells(reach: str) -> Remote:
        asked.append(reach)
        return shell

    settle_hosts(
        hosts(
            Host(name="host1", reach="ssh:root@a", settle=COMMAND),
            Host(name="host2"),
            Host(name="host3", reach="ssh:root@c", settle=COMMAND),
        ),
        shells,
    )

    assert asked == ["ssh:root@a", "ssh:root@c"]
    assert shell.calls == [["settle", "now"], ["settle", "now"]]


def test_a_host_that_cannot_is_named() -> None:
    shell = Remote("no such thing")

    with pytest.raises(LabError, match=r"host host1: settle: no such thing"):
        settle_hosts(hosts(Host(name="host1", settle=COMMAND)), lambda _reach: shell)
