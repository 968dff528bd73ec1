"""Does a run folder still hold what was sealed, and does a PDF say what the evidence says?

A report carries its evidence, so every figure on its pages can be made again from the PDF alone.
What such a check cannot see, as whether the evidence is the one that was sealed, is said in
`Examination.not_checked`: a reader must not take "no problem found" for more than it is.
"""

import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PdfReadError
from pypdf.generic import DictionaryObject

from reports.attachment import attached, unpack
from reports.build import render
from reports.folder import Run, load_run, sha256_of, verify_manifest
from reports.incomplete import SUBJECT as INCOMPLETE_SUBJECT
from reports.record import RecordError
from reports.screen.page import PAGE, render_page
from reports.signatures import SigningError, examine, roles_of
from reports.style import ALL_FONTS

_SUBJECT = re.compile(r"run (?P<run>.+); evidence root sha256:(?P<root>[0-9a-f]{64})")
_PAGE = {
    "en": re.compile(r"Page(\d+)of(\d+)"),
    "zh": re.compile(r"第(\d+)页，共(\d+)页"),
}
"""The number of a page, as a reader finds it in the text: without the spaces between runs."""
TIMES_MADE_MAX = 3
"""A repeat that noise kept from being judged is made again at most twice, under new numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was looked at and what was found; no problems is good."""

    problems: list[str]
    checked: list[str]
    not_checked: list[str]


def verify_run(folder: Path) -> list[str]:
    """Return one sentence per thing that is wrong with a sealed run folder, [] if none."""
    return examine_run(folder).problems


def verify_pdf(path: Path, folder: Path | None = None, *, trust: Sequence[Path] = ()) -> list[str]:
    """Return one sentence per thing that is wrong with a report, [] if none.

    The report is made again, from *folder* or else from the evidence that it carries, and compared
    byte by byte.
    """
    return examine_pdf(path, folder, trust=trust).problems


def examine_run(folder: Path) -> Examination:
    """Check a sealed run folder against its manifest, and its records against each other."""
    checked = ["every file of the manifest is there with its SHA-256, and no other file is"]
    not_checked = ["whether the manifest is the one that was sealed: compare the evidence root"]
    problems: list[str] = []
    try:
        problems += verify_manifest(folder)
        run = load_run(folder)
    except RecordError as error:
        unread = str(error).removeprefix(f"{folder}/")
        return Examination(problems=[*problems, unread], checked=[], not_checked=not_checked)
    checked.append("run, plan, events, conformance and verdict can be read and belong together")
    problems += _contradictions(run)
    if (folder / "report.pdf").is_file():
        report = examine_pdf(folder / "report.pdf", folder)
        problems += [f"report.pdf: {problem}" for problem in report.problems]
        checked += [f"report.pdf: {text}" for text in report.checked]
    if not problems and (folder / PAGE).is_file():
        problems += _screen_problems(folder / PAGE, run)
        checked += [] if problems else [f"{PAGE}: made again from the evidence, same bytes"]
    return Examination(problems=problems, checked=checked, not_checked=not_checked)


def _screen_problems(path: Path, run: Run) -> list[str]:
    """Say where the page for screens is not what this version makes of the evidence."""
    expected, seen = render_page(run), path.read_bytes()
    if expected == seen:
        return []
    pairs = enumerate(zip(expected, seen, strict=False))
    least = min(len(expected), len(seen))
    at = next((number for number, (one, other) in pairs if one != other), least)
    there = seen[at : at + 40].decode(errors="replace")
    return [f"{PAGE}: from byte {at} on not what this version makes of the evidence: {there!r}"]


def _contradictions(run: Run) -> list[str]:
    problems: list[str] = []
    if run.manifest.run_id != run.run.run_id:
        problems.append(f"manifest.json: run {run.manifest.run_id}; run.json says {run.run.run_id}")
    planned = {plan.id: plan for plan in run.plan.scenarios}
    for judgement in run.judgement.scenarios:
        name = f"{judgement.id}-r{judgement.repeat}"
        if judgement.id not in planned:
            problems.append(f"verdict.json: {name} is not in plan.json")
        elif not 1 <= judgement.repeat <= planned[judgement.id].repeats * TIMES_MADE_MAX:
            problems.append(f"verdict.json: {name} is beyond the repeats of plan.json")
        if judgement.io_count and not (run.folder / "io" / f"{name}.parquet").is_file():
            problems.append(f"io/{name}.parquet: missing; verdict.json judges it")
    return problems


def examine_pdf(
    path: Path, folder: Path | None = None, *, trust: Sequence[Path] = ()
) -> Examination:
    """Check a report against itself and the evidence that it carries or, if given, *folder*.

    *trust* are certificates of the authorities that its signers are believed from.
    """
    try:
        data = path.read_bytes()
        reader = PdfReader(io.BytesIO(data))
        pages = [page.extract_text() for page in reader.pages]
        subject = (reader.metadata.subject if reader.metadata else None) or ""
    except (OSError, PdfReadError, ValueError, KeyError) as error:
        problem = f"{path}: cannot be read as a PDF: {error}"
        return Examination(problems=[problem], checked=[], not_checked=["everything else"])
    if subject == INCOMPLETE_SUBJECT:
        problem = f"{path}: says itself that it is not evidence; there is nothing to verify"
        return Examination(problems=[problem], checked=[], not_checked=["everything else"])
    match = _SUBJECT.fullmatch(subject)
    if match is None:
        problem = f"{path}: names no run and no evidence root; it is not a report of this tool"
        return Examination(problems=[problem], checked=[], not_checked=["everything else"])
    run_id, root = match["run"], match["root"]
    problems = [*_page_problems(pages, root), *_font_problems(reader)]
    checked = [
        f"it names run {run_id} and evidence root {root}",
        f"all {len(pages)} pages are there, each with its number and the evidence root",
        "its fonts are embedded",
    ]
    if folder is not None:
        found = _against_evidence(data, pages, folder, root, problems, checked)
    else:
        found = _against_attachment(data, pages, attached(reader), root, problems, checked)
    return _signed(data, trust, found)


def evidence_of(pdf: bytes, scratch: Path, folder: Path | None = None) -> Run:
    """Return the run that a report was made from: *folder*, or what it carries, in *scratch*.

    Raises RecordError when neither can be read.
    """
    if folder is not None:
        return load_run(folder)
    evidence = attached(PdfReader(io.BytesIO(pdf)))
    if evidence is None:
        raise RecordError("the report carries no evidence; give its run folder")
    unpack(evidence, scratch)
    return load_run(scratch)


def _against_attachment(
    data: bytes,
    pages: list[str],
    evidence: bytes | None,
    root: str,
    problems: list[str],
    checked: list[str],
) -> Examination:
    unknown = "whether its evidence is the one that was sealed: compare the evidence root"
    if evidence is None:
        problem = "it carries no evidence that can be read; every report of this tool does"
        return Examination(
            problems=[*problems, problem], checked=checked, not_checked=["every figure", unknown]
        )
    with tempfile.TemporaryDirectory(prefix="zerostall-verify-") as name:
        folder = Path(name) / "evidence"
        folder.mkdir()
        try:
            unpack(evidence, folder)
            root_inside = sha256_of(folder / "manifest.json")
        except (RecordError, OSError) as error:
            return Examination(
                problems=[*problems, str(error)], checked=checked, not_checked=["every figure"]
            )
        absent = [text for text in verify_manifest(folder) if ": missing;" in text]
        if absent and root_inside == root:
            text = f"every figure: {len(absent)} large files are with the run folder only; give it"
            return Examination(problems=problems, checked=checked, not_checked=[text, unknown])
        found = _against_evidence(data, pages, folder, root, problems, checked)
    return Examination(
        problems=found.problems,
        checked=found.checked,
        not_checked=[*found.not_checked, unknown],
    )


def _page_problems(pages: list[str], root: str) -> list[str]:
    problems: list[str] = []
    ends = f"{root[:4]} {root[4:8]} {root[8:12]} … {root[-8:-4]} {root[-4:]}"
    for number, text in enumerate(pages, start=1):
        told = "".join(text.split())
        found = [pair for pattern in _PAGE.values() for pair in pattern.findall(told)]
        if (str(number), str(len(pages))) not in found:
            problems.append(f"page {number}: does not say “Page {number} of {len(pages)}”")
        if ends not in " ".join(text.split()):
            problems.append(f"page {number}: does not carry the evidence root of the metadata")
    if pages and root not in pages[0]:
        problems.append("page 1: does not carry the whole evidence root of the metadata")
    return problems


def _font_problems(reader: PdfReader) -> list[str]:
    embedded = embedded_fonts(reader)
    return [
        f"font {name} is not embedded" for name, inside in sorted(embedded.items()) if not inside
    ] + [
        f"font {name} is not of this report"
        for name in sorted(embedded)
        if name.split("+")[-1] not in ALL_FONTS and embedded[name]
    ]


def embedded_fonts(reader: PdfReader) -> dict[str, bool]:
    """Return for each font of a PDF whether its outlines are in the file."""
    fonts: dict[str, bool] = {}
    for page in reader.pages:
        for reference in _entry(_entry(page, "/Resources"), "/Font").values():
            font = reference.get_object()
            inside = "/FontFile2" in _entry(font, "/FontDescriptor")
            fonts[str(font["/BaseFont"]).lstrip("/")] = inside
    return fonts


def _entry(holder: DictionaryObject, name: str) -> DictionaryObject:
    """Return a dictionary inside another, empty if there is none."""
    value = holder.get(name)
    found = value.get_object() if value is not None else None
    return found if isinstance(found, DictionaryObject) else DictionaryObject()


def _against_evidence(
    data: bytes,
    pages: list[str],
    folder: Path,
    root: str,
    problems: list[str],
    checked: list[str],
) -> Examination:
    try:
        wrong = [f"{folder.name}/{problem}" for problem in verify_manifest(folder)]
        run = load_run(folder)
        again = render(run).pdf if run.root == root and not wrong else b""
    except RecordError as error:
        return Examination(
            problems=[*problems, str(error)], checked=checked, not_checked=["every figure"]
        )
    checked.append("the files of the evidence were held against the hashes of its manifest")
    if wrong:
        return Examination(
            problems=[*problems, *wrong], checked=checked, not_checked=["every figure"]
        )
    if run.root != root:
        problems.append(f"evidence root {root[:16]}…; the evidence has {run.root[:16]}…")
        not_checked = ["every figure: the report was not made from this evidence"]
        return Examination(problems=problems, checked=checked, not_checked=not_checked)
    if not data.startswith(again):
        problems.append(_difference(again, pages))
    elif len(data) > len(again) and not roles_of(data):
        problems.append(f"{len(data) - len(again)} bytes follow the report, and no signature")
    checked.append("the report was made again from the evidence and compared byte by byte")
    return Examination(problems=problems, checked=checked, not_checked=[])


def _signed(data: bytes, trust: Sequence[Path], found: Examination) -> Examination:
    """Add what the signatures prove, or that there are none."""
    problems, checked = list(found.problems), list(found.checked)
    not_checked = list(found.not_checked)
    try:
        signatures = examine(data, trust=trust)
    except SigningError as error:
        not_checked.append(f"the signatures: {error}")
        return Examination(problems=problems, checked=checked, not_checked=not_checked)
    if not signatures:
        not_checked.append("who stands for it: nobody has signed it digitally")
    for one in signatures:
        said = f"signature as {one.role} by {one.signer}, {one.signed_utc}"
        if one.problem:
            problems.append(f"{said}: {one.problem}")
        else:
            checked.append(f"{said}: whole")
        if not one.trusted:
            not_checked.append(f"whether {one.signer} is who they say: no authority vouches for it")
    return Examination(problems=problems, checked=checked, not_checked=not_checked)


def _difference(again: bytes, pages: list[str]) -> str:
    """Say where the text of two reports differs first."""
    rebuilt = [page.extract_text() for page in PdfReader(io.BytesIO(again)).pages]
    if len(rebuilt) != len(pages):
        return f"{len(pages)} pages; made again from the evidence it has {len(rebuilt)}"
    for number, (old, new) in enumerate(zip(pages, rebuilt, strict=True), start=1):
        for seen, expected in zip(old.splitlines(), new.splitlines(), strict=False):
            if seen != expected:
                return f"page {number}: says “{seen}”; the evidence gives “{expected}”"
        if old != new:
            return f"page {number}: its text is not the one that the evidence gives"
    return (
        "its bytes are not those that the evidence gives, though its text is; it was changed, or "
        "made by another version of this tool or of its libraries"
    )
