"""What is there, missing, damaged or changed in a run folder that gives no report. No layout."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from reports.folder import NOT_EVIDENCE, sha256_of
from reports.record import (
    ConformanceRecord,
    JudgementRecord,
    ManifestRecord,
    PlanRecord,
    Record,
    RecordError,
    RunRecord,
    load,
    read_events,
)
from reports.series import read_io

MANIFEST = "manifest.json"
EVENTS = "events.jsonl"
_RECORDS: dict[str, tuple[type[Record], str]] = {
    "run.json": (RunRecord, "who, what, where, with which versions"),
    "plan.json": (PlanRecord, "what was to be done"),
    "conformance.json": (ConformanceRecord, "answers held against the SCSI standards"),
    "verdict.json": (JudgementRecord, "what the judge made of the evidence"),
    MANIFEST: (ManifestRecord, "SHA-256 of every file: the seal"),
}
_R = TypeVar("_R", bound=Record)
_TABLE = "every I/O of one repeat of a scenario"


class State(StrEnum):
    """How a file of a run folder was found."""

    WHOLE = "whole"
    UNSEALED = "not sealed"  # can be read, but no manifest vouches for it
    CHANGED = "changed"  # not the bytes that were sealed
    EXTRA = "not listed"  # the manifest does not know it
    DAMAGED = "damaged"  # cannot be read as what it is
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One file: how it was found, and what was expected and seen where that is not well."""

    path: str
    holds: str
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A run folder, file by file. `run` is None where run.json cannot be read."""

    name: str
    run: RunRecord | None
    looks: tuple[Look, ...]
    refusal: str  # why there is no report

    @property
    def wrong(self) -> list[Look]:
        """The files that are not as they must be."""
        return [look for look in self.looks if look.state is not State.WHOLE]

    @property
    def is_sealed(self) -> bool:
        """Tell whether there is a manifest that can be read."""
        return all(look.state is State.WHOLE for look in self.looks if look.path == MANIFEST)


def inspect_folder(folder: Path, refusal: str) -> Inspection:
    """Look at every file of *folder*, of which no report could be made because of *refusal*.

    Raises RecordError when it is no run folder at all: then there is nothing to report on.
    """
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder; expected a run folder")
    if not any((folder / name).is_file() for name in (*_RECORDS, EVENTS)):
        expected = ", ".join((*_RECORDS, EVENTS))
        raise RecordError(f"{folder}: no run folder: it has none of {expected}")
    manifest = _loaded(folder, MANIFEST, ManifestRecord)
    hashes = {entry.path: entry.sha256 for entry in manifest.files} if manifest else {}
    names = [*_RECORDS, EVENTS, *sorted(_tables(folder))]
    names += sorted({*hashes, *_present(folder)} - {*names})
    looks = [_look(folder, name, hashes if manifest else None) for name in names]
    order = list(State)
    return Inspection(
        name=folder.resolve().name,
        run=_loaded(folder, "run.json", RunRecord),
        looks=tuple(sorted(looks, key=lambda look: -order.index(look.state))),
        refusal=refusal.replace(f"{folder}/", "").removeprefix(f"{folder}: "),
    )


def _loaded(folder: Path, name: str, kind: type[_R]) -> _R | None:
    try:
        return load(folder / name, kind)
    except RecordError:
        return None


def _present(folder: Path) -> set[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if name not in NOT_EVIDENCE}


def _tables(folder: Path) -> Iterator[str]:
    """Yield the I/O tables that must be there: those that were judged, else those planned."""
    verdict = _loaded(folder, "verdict.json", JudgementRecord)
    if verdict is not None:
        judged = ((one.id, one.repeat) for one in verdict.scenarios if one.io_count)
        yield from (f"io/{scenario}-r{repeat}.parquet" for scenario, repeat in judged)
        return
    plan = _loaded(folder, "plan.json", PlanRecord)
    for one in plan.scenarios if plan else ():
        repeats = range(1, one.repeats + 1) if not one.not_run else ()
        yield from (f"io/{one.id}-r{repeat}.parquet" for repeat in repeats)


def _look(folder: Path, name: str, hashes: dict[str, str] | None) -> Look:
    holds = _RECORDS[name][1] if name in _RECORDS else ""
    holds = "what happened, and when" if name == EVENTS else holds
    holds = _TABLE if name.startswith("io/") else holds
    state, detail = _state(folder / name, name, hashes)
    return Look(path=name, holds=holds, state=state, detail=detail.replace(f"{folder}/", ""))


def _state(path: Path, name: str, hashes: dict[str, str] | None) -> tuple[State, str]:
    if not path.is_file():
        spool = path.with_suffix(".jsonl")
        if path.suffix == ".parquet" and spool.is_file():
            return State.MISSING, f"{spool.name} is there: the run was not sealed"
        return State.MISSING, "expected a file; there is none"
    try:
        _read(path, name)
    except RecordError as error:
        return State.DAMAGED, str(error).removeprefix(f"{path}: ")
    except OSError as error:
        return State.DAMAGED, f"cannot be read: {error.strerror}"
    if name == MANIFEST:
        return State.WHOLE, ""
    if hashes is None:
        return State.UNSEALED, "no manifest says which bytes are expected"
    if name not in hashes:
        return State.EXTRA, "expected the files of the manifest; it does not list this one"
    seen = sha256_of(path)
    if seen != hashes[name]:
        return State.CHANGED, f"expected SHA-256 {hashes[name][:16]}…; seen {seen[:16]}…"
    return State.WHOLE, ""


def _read(path: Path, name: str) -> None:
    """Read a file as what its name says; raise RecordError or OSError when it is not."""
    if name in _RECORDS:
        load(path, _RECORDS[name][0])
    elif name == EVENTS:
        for _ in read_events(path):
            pass
    elif path.suffix == ".parquet":
        read_io(path, zero_ns=0)
