"""`certify issue`: give a sealed run another [acceptance], a revision of its report above all."""

import argparse
from pathlib import Path

import msgspec

from certify.acceptance import read_acceptance, record_of
from certify.commands.output import say
from certify.verdict import ExitCode
from reports.folder import build_manifest, load_sealed
from reports.record import encode
from reports.record_acceptance import LOGO_NAMES


def issue(arguments: argparse.Namespace) -> int:
    """Write [acceptance] of a lab file into a sealed run, seal it again, make its report.

    What was measured and judged stays as it is; the report names the evidence root it replaces.
    Raises LabError for a wrong lab file and RecordError for a run that is not what was sealed.
    """
    from reports.build import REPORT, keep_signed, write_report  # draws in the PDF library
    from reports.screen.page import PAGE, write_page

    accepted = read_acceptance(arguments.lab)
    folder: Path = arguments.run.resolve()
    sealed = load_sealed(folder)
    pdf = arguments.output or folder / REPORT
    keep_signed(pdf)
    for name in LOGO_NAMES:
        (folder / name).unlink(missing_ok=True)
    record = record_of(accepted, folder, replaces=sealed.root)
    run = msgspec.structs.replace(sealed.run, acceptance=record)
    _replace(folder / "run.json", encode(run))
    _replace(folder / "manifest.json", encode(build_manifest(folder, run.run_id)))
    issued = load_sealed(folder)
    say(str(write_report(issued, pdf)))
    write_page(issued, folder / PAGE)
    return ExitCode.CERTIFIED


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data)
    temporary.replace(path)
