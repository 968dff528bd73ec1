"""A sealed run folder as a whole: its manifest, its evidence root, and how it is loaded."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from reports.record import (
    SCHEMA,
    ConformanceRecord,
    EventRecord,
    JudgementRecord,
    ManifestEntry,
    ManifestRecord,
    PlanRecord,
    Record,
    RecordError,
    RunRecord,
    load,
    read_events,
)

_R = TypeVar("_R", bound=Record)


class SignedReportError(RecordError):
    """A report that somebody has signed is in the way; with the evidence all may be well."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


INCOMPLETE = "report-incomplete.pdf"
_TOLD = 5
"""Differences that an error names; `certify verify` names all."""
LARGEST = 1e12
"""No time or share of a record is larger: in ms, it is 30 years."""
NOT_EVIDENCE = frozenset(
    {
        "manifest.json",
        "report.pdf",
        "report.json",
        "report.html",
        INCOMPLETE,
        "report-incomplete.json",
    }
)
"""Files of a run folder that the manifest does not list."""


def build_manifest(folder: Path, run_id: str) -> ManifestRecord:
    """Hash every evidence file of *folder*, sorted by path."""
    files = [
        ManifestEntry(
            path=path.relative_to(folder).as_posix(),
            size_bytes=path.stat().st_size,
            sha256=sha256_of(path),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() not in NOT_EVIDENCE
    ]
    return ManifestRecord(schema=SCHEMA, run_id=run_id, files=files)


def verify_manifest(folder: Path) -> list[str]:
    """Compare *folder* with its manifest; return one sentence per difference, [] if none."""
    manifest = load(folder / "manifest.json", ManifestRecord)
    problems: list[str] = []
    listed = {entry.path: entry for entry in manifest.files}
    for name, entry in listed.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name}: missing; the manifest lists {entry.size_bytes} bytes")
        elif (seen := sha256_of(path)) != entry.sha256:
            problems.append(f"{name}: SHA-256 {seen[:16]}…; the manifest says {entry.sha256[:16]}…")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in listed and name not in NOT_EVIDENCE:
            problems.append(f"{name}: not in the manifest")
    return problems


def evidence_root(folder: Path) -> str:
    """Return the SHA-256 of manifest.json, the one number that stands for the whole run."""
    return sha256_of(folder / "manifest.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A sealed run folder, loaded except for its I/O tables."""

    folder: Path
    run: RunRecord
    plan: PlanRecord
    events: list[EventRecord]
    conformance: ConformanceRecord
    judgement: JudgementRecord
    manifest: ManifestRecord
    root: str

    def io_table(self, scenario: str, repeat: int) -> Path:
        """Return the path of the scenario's Parquet file; raise RecordError if there is none."""
        path = self.folder / "io" / f"{scenario}-r{repeat}.parquet"
        if not path.is_file():
            raise RecordError(f"{path}: missing")
        return path


def load_sealed(folder: Path) -> "Run":
    """Load a run folder that is what was sealed; raise RecordError naming what is not."""
    run = load_run(folder)
    problems = verify_manifest(folder)
    if problems:
        told = "; ".join(problems[:_TOLD])
        more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        raise RecordError(f"{folder}: not the sealed evidence: {told}{more}")
    return run


def load_run(folder: Path) -> Run:
    """Load a sealed run folder; raise RecordError naming the first file that is wrong."""
    return Run(
        folder=folder,
        run=load(folder / "run.json", RunRecord),
        plan=_load_measured(folder / "plan.json", PlanRecord),
        events=list(read_events(folder / "events.jsonl")),
        conformance=load(folder / "conformance.json", ConformanceRecord),
        judgement=_load_measured(folder / "verdict.json", JudgementRecord),
        manifest=load(folder / "manifest.json", ManifestRecord),
        root=evidence_root(folder),
    )


def _load_measured(path: Path, kind: type[_R]) -> _R:
    """Load a record of times; raise RecordError for a number that is beyond any of them."""
    record = load(path, kind)
    for way, number in _numbers(msgspec.to_builtins(record), ""):
        if abs(number) > LARGEST:
            raise RecordError(f"{path}: {way}: {number:g}; expected at most {LARGEST:g}")
    return record


def _numbers(value: object, way: str) -> Iterator[tuple[str, float]]:
    """Yield every fraction of a record, and where it is."""
    if isinstance(value, float):
        yield way, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _numbers(one, f"{way}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _numbers(one, f"{way}.{number}")
