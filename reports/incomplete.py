"""The report of a run folder that gives no report: says what is wrong, and is not evidence.

It is in English whatever the lab file asks for: what it says comes from the reader of the files.
"""

import hashlib
from pathlib import Path

import msgspec

from reports.folder import INCOMPLETE
from reports.inspection import Inspection, inspect_folder
from reports.paint import Properties, paint
from reports.sections.incomplete import STAMP, draw_incomplete
from reports.sheet import Furniture, Sheet

TITLE = "Incomplete report"
SUBJECT = "incomplete report: not evidence"
"""How `verify` knows such a PDF."""


def build_incomplete(folder: Path, refusal: str, output: Path | None = None) -> Path:
    """Write what is wrong with *folder*, of which no report could be made because of *refusal*.

    *output* is the PDF; by default report-incomplete.pdf in the folder, so that a report made when
    all was well stays. What is wrong goes beside it as .json. Returns the path of the PDF.

    Raises RecordError when it is no run folder.
    """
    target = output or folder / INCOMPLETE
    seen = inspect_folder(folder, refusal)
    pdf = render_incomplete(seen)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pdf)
    target.with_suffix(".json").write_bytes(_summary(seen, pdf))
    return target


def render_incomplete(seen: Inspection) -> bytes:
    """Return the PDF; the same folder gives the same bytes."""
    run_id = seen.run.run_id if seen.run else seen.name
    sheet = Sheet(furniture=Furniture(title=TITLE, run_id=run_id, evidence_root="", stamp=STAMP))
    draw_incomplete(sheet, seen)
    properties = Properties(
        title=f"{TITLE}: {seen.name}",
        author="zerostall",
        subject=SUBJECT,
        keywords="not evidence, no certificate",
    )
    return paint(sheet.finish(), properties)


def _summary(seen: Inspection, pdf: bytes) -> bytes:
    told = {
        "evidence": False,
        "certified": False,
        "folder": seen.name,
        "refusal": seen.refusal,
        "files": [
            {"path": look.path, "state": look.state, "detail": look.detail} for look in seen.looks
        ],
        "report_sha256": hashlib.sha256(pdf).hexdigest(),
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
