"""The write-ahead journal of injections: what must be undone if whoever injected it dies.

JSON lines, append only, on disk before the next step is taken:

    {"schema": 1, "key": K, "step": "intent", "utc": T, "kind": ..., "reach": ..., "params": ...}
    {"schema": 1, "key": K, "step": "applied", "utc": T}
    {"schema": 1, "key": K, "step": "healed", "utc": T}

A line that the writer did not finish was never acted on: the fault is applied only after the
line of its intent is on disk. So an unfinished last line is dropped.
"""

import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fault_injectors.base import Fault
from fault_injectors.kinds import fault_class
from fault_injectors.shell import FaultError, Shell, shell_for

SCHEMA = 1
HEAL_TIMEOUT_S = 60.0
HEAL_INTERVAL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An injection that was intended and not yet healed."""

    key: str
    kind: str
    reach: str
    params: dict[str, Any]
    utc: str
    applied: bool

    @property
    def subject(self) -> str:
        """What was to be broken, by its name in the lab file."""
        return str(self.params.get("subject", "?"))

    def fault(self) -> Fault:
        """Make the fault again; raise FaultError for a kind that this version does not know."""
        return fault_class(self.kind).from_params(self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealResult:
    """What became of one outstanding injection; `detail` is one line."""

    kind: str
    subject: str
    healthy: bool
    detail: str


class Journal:
    """The journal of one lab, open for appending. One writer at a time."""

    def __init__(self, path: Path) -> None:
        """Create *path* if needed and drop a last line that was never finished."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as stream:
            stream.seek(0)
            content = stream.read()
            stream.truncate(content.rfind(b"\n") + 1)
            os.fsync(stream.fileno())
        _sync_directory(path.parent)

    def intend(self, fault: Fault, *, reach: str) -> str:
        """Record that the prepared *fault* is about to be applied; return the key of the entry."""
        key = uuid.uuid4().hex[:12]
        self._append(
            key, "intent", {"kind": fault.kind, "reach": reach, "params": fault.to_params()}
        )
        return key

    def applied(self, key: str) -> None:
        """Record that the fault was applied."""
        self._append(key, "applied", {})

    def healed(self, key: str) -> None:
        """Record that the fault was seen to be undone."""
        self._append(key, "healed", {})

    def _append(self, key: str, step: str, more: dict[str, Any]) -> None:
        utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"schema": SCHEMA, "key": key, "step": step, "utc": utc, **more}
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, json.dumps(entry).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def outstanding(path: Path) -> list[Entry]:
    """Return the injections in the journal that were not seen healed, oldest first.

    Raises FaultError naming the first damaged line; a journal that does not exist is empty.
    """
    entries, damaged = _read(path)
    if damaged:
        raise FaultError(damaged[0])
    return entries


def heal_all(
    path: Path,
    shells: Callable[[str], Shell] = shell_for,
    *,
    timeout_s: float = HEAL_TIMEOUT_S,
) -> list[HealResult]:
    """Heal what the journal says is outstanding, newest first, and look that it is.

    *shells* turns a reach into a shell; *timeout_s* bounds the wait for all of them together. All
    are healed before any is waited for: an engine may need the array whose fault is older. Goes
    on after a failure. A damaged line is a result that is not healthy, since nobody knows what it
    injected.
    """
    entries, damaged = _read(path)
    results = [
        HealResult(kind="journal", subject=str(path), healthy=False, detail=text)
        for text in damaged
    ]
    if not entries:
        return results
    journal = Journal(path)
    healings = [_Healing(entry, shells) for entry in reversed(entries)]
    deadline = time.monotonic() + timeout_s
    while True:
        for healing in healings:
            healing.act()
        for healing in healings:
            if healing.look():
                journal.healed(healing.entry.key)
        if all(one.is_over for one in healings) or time.monotonic() >= deadline:
            return results + [healing.result() for healing in healings]
        time.sleep(HEAL_INTERVAL_S)


class _Healing:
    """One outstanding injection on its way back: healed once, again if that failed, looked at."""

    def __init__(self, entry: Entry, shells: Callable[[str], Shell]) -> None:
        self.entry = entry
        self.healthy = False
        self._acted = False
        self._seen = ""
        self._fault: Fault | None = None
        try:
            self._shell = shells(entry.reach)
            self._fault = entry.fault()
        except FaultError as error:
            self._seen = str(error)

    @property
    def is_over(self) -> bool:
        """Healthy, or beyond what this version knows how to heal."""
        return self.healthy or self._fault is None

    def act(self) -> None:
        """Heal, unless that was done."""
        if self._acted or self._fault is None:
            return
        try:
            self._fault.heal(self._shell)
            self._acted = True
        except FaultError as error:
            self._seen = str(error)

    def look(self) -> bool:
        """Look at what was healed; return whether it was seen whole just now."""
        if self.healthy or not self._acted or self._fault is None:
            return False
        try:
            proof = self._fault.healed(self._shell)
            self.healthy, self._seen = proof.effective, proof.seen
        except FaultError as error:
            self._seen = str(error)
        return self.healthy

    def result(self) -> HealResult:
        """Return what became of it."""
        return HealResult(
            kind=self.entry.kind,
            subject=self.entry.subject,
            healthy=self.healthy,
            detail=" ".join(self._seen.split()),
        )


def _read(path: Path) -> tuple[list[Entry], list[str]]:
    """Return the entries not healed, and a sentence per damaged line."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], []
    whole = content[: content.rfind(b"\n") + 1]
    entries: dict[str, Entry] = {}
    damaged: list[str] = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            _take(entries, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            damaged.append(f"{path}:{number}: not an entry of a fault journal: {error!r}")
    return list(entries.values()), damaged


def _take(entries: dict[str, Entry], line: dict[str, Any]) -> None:
    key, step = line["key"], line["step"]
    if line["schema"] > SCHEMA:
        raise ValueError(f"schema {line['schema']}; this version reads up to {SCHEMA}")
    if step == "healed":
        entries.pop(key, None)
        return
    if step == "intent":
        entries[key] = Entry(
            key=key,
            kind=line["kind"],
            reach=line["reach"],
            params=line["params"],
            utc=line["utc"],
            applied=False,
        )
        return
    if step != "applied":
        raise ValueError(f"step {step!r}; expected intent, applied or healed")
    old = entries[key]
    entries[key] = Entry(
        key=key, kind=old.kind, reach=old.reach, params=old.params, utc=old.utc, applied=True
    )


def _sync_directory(path: Path) -> None:
    """Make the name of a new journal durable too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
