"""A supervisor's state as a file of a few words, for whoever must not start a Python to ask.

Beside the control socket, with the ending `.state`, one `name=value` a line: pid (empty if none),
ready and redundant (yes or no). It says what the supervisor last knew; the control socket, which
goes with the supervisor, is what to ask when that matters.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def is_redundant(status: dict[str, Any]) -> bool:
    """Return whether both engines serve and every leg of every unit is in sync."""
    units = status.get("units", {})
    in_sync = bool(units) and all(
        state == "in_sync" for unit in units.values() for state in unit["legs"].values()
    )
    return bool(status["ready"]) and bool(status.get("peer_joined")) and in_sync


def words_of(status: dict[str, Any]) -> str:
    """Return the file's text for a status as the control socket gives it."""
    ready = "yes" if status["ready"] else "no"
    redundant = "yes" if is_redundant(status) else "no"
    return f"pid={status['pid'] or ''}\nready={ready}\nredundant={redundant}\n"


class StateFile:
    """The file; it changes in one rename, so that a reader never sees half of it.

    Where it cannot be written, as on a full disk, there is none: old words would be wrong.
    """

    def __init__(self, control: Path, *, say: Callable[[str], None]) -> None:
        self._path = control.with_suffix(".state")
        self._say = say
        self._words = self._trouble = ""

    def publish(self, status: dict[str, Any]) -> None:
        """Write the file if its words have changed."""
        words = words_of(status)
        if words == self._words:
            return
        unfinished = self._path.with_suffix(".state.new")
        try:
            unfinished.write_text(words, encoding="ascii")
            unfinished.replace(self._path)
        except OSError as error:
            self._words = ""
            for path in (self._path, unfinished):
                with contextlib.suppress(OSError):
                    path.unlink()
            self._complain(str(error))
            return
        self._words, self._trouble = words, ""

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._say(f"the state file is gone, for it cannot be written: {trouble}")

    def remove(self) -> None:
        """Remove the file: nobody keeps it up to date any more."""
        self._path.unlink(missing_ok=True)
