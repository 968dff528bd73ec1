"""What watchers of the host are made of: a thread that repeats a step, and where events go."""

import threading
from collections.abc import Callable
from typing import Any

from certify.lab_errors import LabError
from reports.record import EventKind

Emit = Callable[[EventKind, str, str, dict[str, Any], int], object]
"""Takes kind, subject, detail, data and CLOCK_MONOTONIC ns; must be safe from any thread."""

JOIN_S = 10.0


class Watcher:
    """A thread that repeats one step until it is stopped; a step that fails is an event."""

    def __init__(
        self, name: str, step: Callable[[], None], fail: Callable[[Exception], None]
    ) -> None:
        self._step = step
        self._fail = fail
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it after the step under way."""
        self._stopping.set()
        self._thread.join(JOIN_S)

    def wait(self, seconds: float) -> None:
        """Sleep, but not beyond `stop`."""
        self._stopping.wait(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except (OSError, LabError, ValueError) as error:
                self._fail(error)
                self._stopping.wait(1.0)
