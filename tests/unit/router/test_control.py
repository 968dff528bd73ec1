"""A supervisor's control socket answers each question once, and refuses what is none."""

import json
import select
import socket
import threading
from pathlib import Path

import pytest

from reference_router.control import ControlError, ControlServer, ask


@pytest.fixture
def server(tmp_path: Path):
    made = ControlServer(tmp_path / "engine.ctl")
    yield made
    made.close()


def serve_one(server: ControlServer, answer: dict, seen: list) -> threading.Thread:
    def serve() -> None:
        select.select([server], [], [], 5)
        client = server.accept()
        while not seen:
            select.select([client], [], [], 5)
            question = client.question()
            if question is not None:
                seen.append(question)
        client.answer(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_question_is_answered(server, tmp_path):
    seen: list[dict] = []
    thread = serve_one(server, {"pid": 7}, seen)

    answer = ask(tmp_path / "engine.ctl", "start", cold_start=True)
    thread.join()

    assert answer == {"pid": 7}
    assert seen == [{"command": "start", "cold_start": True}]


def test_refusal_is_an_error(server, tmp_path):
    thread = serve_one(server, {"error": "expected status"}, [])

    with pytest.raises(ControlError, match="expected status"):
        ask(tmp_path / "engine.ctl", "dance")
    thread.join()


def test_missing_supervisor_is_named(tmp_path):
    with pytest.raises(ControlError, match=r"absent\.ctl: no answer from a supervisor"):
        ask(tmp_path / "absent.ctl", "status")


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b""])
def test_what_is_no_question_is_refused(server, tmp_path, line):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(tmp_path / "engine.ctl"))
        peer.sendall(line)
        peer.shutdown(socket.SHUT_WR)
        client = server.accept()

        with pytest.raises(ControlError):
            client.question()
        client.close()


def test_question_may_come_in_pieces(server, tmp_path):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(tmp_path / "engine.ctl"))
        client = server.accept()
        line = json.dumps({"command": "status"}).encode() + b"\n"
        peer.sendall(line[:5])
        assert client.question() is None
        peer.sendall(line[5:])

        assert client.question() == {"command": "status"}
        client.close()


def test_socket_is_for_its_owner_and_is_removed(tmp_path):
    path = tmp_path / "engine.ctl"
    server = ControlServer(path)
    assert path.stat().st_mode & 0o777 == 0o600

    server.close()

    assert not path.exists()
