"""`certify sign`: a role of the report's cover signs it, by certificate instead of by ink."""

import argparse
import tempfile
from pathlib import Path

from certify.commands.output import say
from certify.verdict import ExitCode
from reports.record import RecordError


def sign(arguments: argparse.Namespace) -> int:
    """Sign a report that is whole; every signature is added to those before it.

    Raises RecordError when the report is not what its evidence gives: nobody signs that.
    """
    # All of these draw in the PDF library, slow to load.
    from reports.build import signature_places
    from reports.signatures import Identity
    from reports.signatures import sign as add_signature
    from reports.verify import evidence_of, examine_pdf

    found = examine_pdf(arguments.report, arguments.run)
    if found.problems:
        raise RecordError(f"{arguments.report}: is not signed: {found.problems[0]}")
    pdf = arguments.report.read_bytes()
    with tempfile.TemporaryDirectory(prefix="zerostall-sign-") as name:
        places = signature_places(evidence_of(pdf, Path(name), arguments.run))
    place = places.get(arguments.role)
    if place is None:
        raise RecordError(
            f"the report has no line for “{arguments.role}”; expected one of: {', '.join(places)}"
        )
    passphrase = None
    if arguments.passphrase_file is not None:
        passphrase = arguments.passphrase_file.read_bytes().rstrip(b"\n")
    identity = Identity(
        key=arguments.key,
        certificate=arguments.cert,
        chain=tuple(arguments.chain),
        passphrase=passphrase,
    )
    signed = add_signature(pdf, identity, role=arguments.role, place=place)
    output: Path = arguments.output or arguments.report
    temporary = output.with_name(output.name + ".new")
    temporary.write_bytes(signed)
    temporary.replace(output)
    say(str(output))
    return ExitCode.CERTIFIED
