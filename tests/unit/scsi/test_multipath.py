"""multipathd is asked by its socket, and its JSON becomes maps, groups and paths."""

import socket
import threading
import uuid

import pytest

from certify import multipath
from certify.lab import LabError
from fault_injectors import Completed, FaultError


def test_maps_of_json(daemon):
    daemon.states["sdc"] = ("failed", "faulty")

    one, other = multipath.read_maps(daemon)

    assert (one.name, one.device, one.queueing) == ("mpatha", "dm-0", "on")
    assert [(path.device, path.is_usable) for path in one.paths] == [("sda", True), ("sdc", False)]
    assert [path.device_number for path in other.paths] == ["8:16", "8:48"]


@pytest.mark.parametrize(
    ("dm_state", "checker_state", "usable"),
    [
        ("active", "ready", True),
        ("active", "ghost", True),
        ("active", "faulty", False),
        ("failed", "ready", False),
        ("undef", "i/o pending", False),
    ],
)
def test_a_path_is_usable_when_kernel_and_checker_agree(daemon, dm_state, checker_state, usable):
    daemon.states["sda"] = (dm_state, checker_state)

    assert multipath.read_maps(daemon)[0].paths[0].is_usable is usable


@pytest.mark.parametrize("text", [b"", b"timeout\n", b'{"major_version": 0, "maps": [{}]}'])
def test_an_answer_that_is_no_json_is_an_error_with_its_words(text):
    with pytest.raises(LabError, match="show maps json"):
        multipath.decode_maps(text)


def test_defaults_are_read(daemon):
    assert multipath.read_defaults(daemon) == {"polling_interval": "1", "path_checker": "tur"}


def test_a_configuration_without_defaults_is_an_error():
    with pytest.raises(LabError, match="no section defaults in 'blacklist"):
        multipath.decode_defaults("blacklist {\n}\n")


@pytest.fixture
def address(monkeypatch):
    name = f"\0certify-test-{uuid.uuid4()}"
    monkeypatch.setattr(multipath, "SOCKET_NAME", name)
    return name


@pytest.fixture
def serve(address):
    """Start a multipathd that takes one question and gives one answer, as raw bytes."""
    asked, threads, sockets = [], [], []

    def start(raw):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen(1)
        listener.settimeout(10)
        sockets.append(listener)

        def run():
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(raw)

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
        return asked

    yield start
    for thread in threads:
        thread.join(10)
    for one in sockets:
        one.close()


def test_the_socket_speaks_length_and_text(serve):
    asked = serve(multipath.LENGTH.pack(4) + b"yes\0")

    assert multipath.LocalDaemon().ask("show maps json") == b"yes"
    assert asked == [multipath.LENGTH.pack(15) + b"show maps json\0"]


def test_an_answer_that_breaks_off_is_an_error(serve):
    serve(multipath.LENGTH.pack(400) + b"half")

    with pytest.raises(LabError, match="closed after 4 of 400 bytes"):
        multipath.LocalDaemon().ask("show maps json")


def test_an_answer_beyond_reason_is_refused(serve):
    serve(multipath.LENGTH.pack(1 << 60))

    with pytest.raises(LabError, match="an answer of 1152921504606846976 bytes"):
        multipath.LocalDaemon().ask("show maps json")


def test_no_daemon_is_an_error(address):
    with pytest.raises(LabError, match="multipathd: show maps json: no answer"):
        multipath.LocalDaemon().ask("show maps json")


class Remote:
    """A host reached otherwise."""

    reach = "ssh:root@host2"

    def __init__(self, error=None):
        self.error, self.argv = error, None

    def run(self, argv, *, timeout_s, check=True):
        self.argv = argv
        if self.error:
            raise self.error
        return Completed(argv=tuple(argv), exit_status=0, stdout="text", stderr="")


def test_another_hosts_daemon_is_asked_by_its_client():
    shell = Remote()

    assert multipath.daemon_for(shell).ask("show maps json") == b"text"
    assert shell.argv == ("multipathd", "show", "maps", "json")


def test_another_hosts_silence_is_an_error():
    with pytest.raises(LabError, match="ssh:root@host2: gone"):
        multipath.daemon_for(Remote(FaultError("gone"))).ask("show maps json")
