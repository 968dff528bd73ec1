"""The log of a daemon: one line an event, appended to a file, whole lines only."""

import json
import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from reference_router.config import EngineTable, RouterConfig


class Log:
    """Appends an event a line to a file; two processes may share it.

    As text `utc who: text`; as JSON an object with `utc`, `who`, `pid`, `engine`, `unit` ("" if
    it is about none) and `text`. A line that cannot be written, as on a full disk, is lost and
    counted: a daemon does not end for its log.
    """

    def __init__(
        self,
        path: Path,
        who: str,
        *,
        engine: str,
        units: Collection[str] = (),
        as_json: bool = False,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._who, self._engine, self._units = who, engine, frozenset(units)
        self._as_json = as_json
        self._lost = 0
        self._why = ""
        self._in_a_line = False

    def say(self, text: str) -> None:
        """Append one line, after how many were lost before it."""
        if self._lost and self._append(self._line(f"{self._lost} lines were lost: {self._why}")):
            self._lost = 0
        if self._lost or not self._append(self._line(text)):
            self._lost += 1

    def _append(self, line: str) -> bool:
        data = f"{chr(10) if self._in_a_line else ''}{line}\n".encode()
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self._why = str(error.strerror)
            return False
        self._in_a_line = written < len(data)
        return not self._in_a_line

    def _line(self, text: str) -> str:
        utc = datetime.now(UTC).isoformat(timespec="microseconds")
        return self._json(utc, text) if self._as_json else self._text(utc, text)

    def _text(self, utc: str, text: str) -> str:
        one_line = text.replace("\n", "\\n")
        return f"{utc} {self._who} {self._engine}[{os.getpid()}]: {one_line}"

    def _json(self, utc: str, text: str) -> str:
        unit, colon, rest = text.partition(": ")
        if not colon or unit not in self._units:
            unit, rest = "", text
        return json.dumps(
            {
                "utc": utc,
                "who": self._who,
                "pid": os.getpid(),
                "engine": self._engine,
                "unit": unit,
                "text": rest,
            },
            ensure_ascii=False,
        )


def open_log(config: RouterConfig, table: EngineTable, who: str) -> Log:
    """Open the log of an engine as its file says. `who` is "engine" or "supervisor"."""
    return Log(
        Path(table.log),
        who,
        engine=table.name,
        units=[unit.name for unit in config.logical_unit],
        as_json=config.cluster.log_format == "json",
    )
