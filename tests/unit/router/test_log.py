"""A log is a line an event, as text or as JSON."""

import json
import os
import re

import pytest

from reference_router.log import Log


def say(tmp_path, *texts, **options):
    """Return the lines of a log that said `texts`."""
    path = tmp_path / "engine1.log"
    log = Log(path, "engine", engine="engine1", units=["lu0"], **options)
    for text in texts:
        log.say(text)
    return path.read_text(encoding="utf-8").splitlines()


def test_text_says_when_and_who(tmp_path):
    (line,) = say(tmp_path, "lu0: epoch 7")

    head = rf"\d{{4}}-\d\d-\d\dT[\d:.]+\+00:00 engine engine1\[{os.getpid()}\]: "
    assert re.fullmatch(head + "lu0: epoch 7", line)


def test_json_is_an_object_a_line(tmp_path):
    lines = [json.loads(line) for line in say(tmp_path, "lu0: epoch 7", "link: up", as_json=True)]

    assert [(each["unit"], each["text"]) for each in lines] == [
        ("lu0", "epoch 7"),
        ("", "link: up"),
    ]
    assert {(each["who"], each["engine"], each["pid"]) for each in lines} == {
        ("engine", "engine1", os.getpid())
    }


def test_an_event_is_one_line_whatever_is_in_it(tmp_path):
    assert len(say(tmp_path, "a\nb")) == 1
    assert len(say(tmp_path, "a\nb", as_json=True)) == 2  # with the one before


@pytest.mark.parametrize("as_json", [False, True])
def test_full_disk_costs_lines_and_nobody_else(tmp_path, as_json):
    path = tmp_path / "engine1.log"
    log = Log(path, "engine", engine="engine1", as_json=as_json)
    log.say("before")
    file = os.dup(log._fd)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, log._fd)
    for text in ("lost", "lost too"):
        log.say(text)
    os.dup2(file, log._fd)
    for fd in (file, full):
        os.close(fd)
    log.say("after")

    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert "2 lines were lost: No space left on device" in lines[1]
    assert "after" in lines[2]


def test_line_that_was_cut_short_is_ended_before_the_next(tmp_path, monkeypatch):
    path = tmp_path / "engine1.log"
    log = Log(path, "engine", engine="engine1")
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:9]))
    log.say("cut short")
    monkeypatch.undo()
    log.say("after")

    first, told, last = path.read_text(encoding="utf-8").splitlines()
    assert len(first) == 9
    assert "1 lines were lost" in told
    assert last.endswith("after")
