"""The state file says what the control socket says, in words that grep understands."""

import pytest

from reference_router.state_file import StateFile, words_of


def status(**changes):
    """Return the status of an engine that serves with both legs in sync."""
    legs = {"A": "in_sync", "B": "in_sync"}
    values = {"pid": 7, "ready": True, "peer_joined": True, "units": {"lu0": {"legs": legs}}}
    return {**values, **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "pid=7 ready=yes redundant=yes"),
        ({"peer_joined": False}, "pid=7 ready=yes redundant=no"),
        ({"ready": False}, "pid=7 ready=no redundant=no"),
        ({"pid": None, "ready": False, "units": {}}, "pid= ready=no redundant=no"),
        (
            {"units": {"lu0": {"legs": {"A": "in_sync", "B": "resyncing"}}}},
            "pid=7 ready=yes redundant=no",
        ),
    ],
)
def test_words(changes, words):
    """Redundant means ready, with the peer, and every leg in sync."""
    assert words_of(status(**changes)).split() == words.split()


def test_the_file_follows_the_status_and_goes_with_its_supervisor(tmp_path):
    """It is replaced as a whole, and nothing is left beside it."""
    file = StateFile(tmp_path / "engine1.ctl")
    file.publish(status(ready=False))
    file.publish(status())
    seen = (tmp_path / "engine1.state").read_text()
    file.remove()

    assert seen == words_of(status())
    assert list(tmp_path.iterdir()) == []
