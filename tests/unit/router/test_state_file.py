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
    file = StateFile(tmp_path / "engine1.ctl", say=print)
    file.publish(status(ready=False))
    file.publish(status())
    seen = (tmp_path / "engine1.state").read_text()
    file.remove()

    assert seen == words_of(status())
    assert list(tmp_path.iterdir()) == []


def test_old_words_do_not_stay_where_new_ones_cannot_be_written(tmp_path):
    """A link to a device that is always full stands for a full disk."""
    said = []
    file = StateFile(tmp_path / "engine1.ctl", say=said.append)
    file.publish(status())
    (tmp_path / "engine1.state.new").symlink_to("/dev/full")

    file.publish(status(ready=False))
    assert not (tmp_path / "engine1.state").exists()
    (tmp_path / "engine1.state.new").symlink_to("/dev/full")
    file.publish(status(ready=False))

    assert len(said) == 1
    assert "No space left on device" in said[0]
    file.publish(status(ready=False))
    assert (tmp_path / "engine1.state").read_text() == words_of(status(ready=False))
