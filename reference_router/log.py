"""The log of a daemon: one line an event, appended to a file, whole lines only."""

import os
from datetime import UTC, datetime
from pathlib import Path


class Log:
    """Appends lines `utc who text` to a file; two processes may share it."""

    def __init__(self, path: Path, who: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._who = who

    def say(self, text: str) -> None:
        """Append one line."""
        utc = datetime.now(UTC).isoformat(timespec="microseconds")
        os.write(self._fd, f"{utc} {self._who}: {text}\n".encode())
