"""A log is a line an event, as text or as JSON."""

import json
import os
import re

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
