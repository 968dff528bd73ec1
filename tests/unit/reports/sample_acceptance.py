"""A sample run under another [acceptance]."""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from reports.folder import Run, build_manifest, load_run
from reports.record import Acceptance, encode


def accepted(folder: Path, **acceptance: Any) -> Run:
    """Load a run folder as if its lab file had said so."""
    run = load_run(folder)
    record = msgspec.convert(acceptance, Acceptance)
    return dataclasses.replace(run, run=msgspec.structs.replace(run.run, acceptance=record))


def write_accepted(folder: Path, **acceptance: Any) -> Path:
    """Write another [acceptance] into a run folder and seal it."""
    run = accepted(folder, **acceptance).run
    (folder / "run.json").write_bytes(encode(run))
    (folder / "manifest.json").write_bytes(encode(build_manifest(folder, run.run_id)))
    return folder
