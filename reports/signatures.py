"""PAdES signatures on a report (ETSI EN 319 142-1, baseline B-B), and what they prove.

A signature is an incremental update: what was there before stays, byte by byte, at the front of the
file. So the report can still be made again from its evidence and compared, under any number of
signatures. Needs the optional dependency pyHanko (`pip install zerostall[sign]`).
"""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pypdf import PdfReader

from reports.record import RecordError

MISSING_EXTRA = "pyHanko is not installed: pip install 'zerostall[sign]'"
LEVELS_ALLOWED = ("NONE", "LTA_UPDATES", "FORM_FILLING")
"""What may have come after a signature: nothing, proofs of its validity, further signatures."""


_LOGGERS = ("pyhanko", "pyhanko_certvalidator")


class SigningError(RecordError):
    """A report cannot be signed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who signs: a private key and certificate as files, PEM or DER."""

    key: Path
    certificate: Path
    chain: tuple[Path, ...] = ()
    passphrase: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a signature is shown: page from 0, and a box in points, y growing upwards."""

    page: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature of a report, as it was found. `problem` is "" if it is whole."""

    role: str
    signer: str
    signed_utc: str
    trusted: bool
    problem: str


def available() -> bool:
    """Say whether pyHanko is there. What it logs is told by our own results instead."""
    try:
        import pyhanko  # noqa: F401 - optional
    except ImportError:
        return False
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return True


def roles_of(pdf: bytes) -> list[str]:
    """Return the roles that have signed, in the order of their signatures."""
    fields = PdfReader(io.BytesIO(pdf)).get_fields() or {}
    return [
        name
        for name, one in fields.items()
        if one.get("/FT") == "/Sig" and one.get("/V") is not None
    ]


def sign(pdf: bytes, identity: Identity, *, role: str, place: Place) -> bytes:
    """Return *pdf* with the signature of *role* added.

    Raises SigningError when key or certificate cannot be read or the role has signed already.
    """
    if not available():
        raise SigningError(MISSING_EXTRA)
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko.stamp import TextStampStyle

    if role in roles_of(pdf):
        raise SigningError(f"“{role}” has signed this report already")
    signer = _signer(identity)
    metadata = signers.PdfSignatureMetadata(
        field_name=role,
        reason=f"Zero-downtime report, as {role}",
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
    )
    style = TextStampStyle(
        stamp_text="Signed by %(signer)s\n%(ts)s",
        border_width=0,
        timestamp_format="%Y-%m-%d %H:%M %Z",
    )
    field = fields.SigFieldSpec(role, on_page=place.page, box=place.box)
    output: io.BytesIO = signers.PdfSigner(
        metadata, signer=signer, stamp_style=style, new_field_spec=field
    ).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    return output.getvalue()


def _signer(identity: Identity) -> Any:  # noqa: ANN401 - pyHanko's SimpleSigner, if it is there
    from pyhanko.sign import signers

    for path in (identity.key, identity.certificate, *identity.chain):
        if not path.is_file():
            raise SigningError(f"{path}: missing; expected a key or certificate in PEM or DER")
    signer = signers.SimpleSigner.load(  # type: ignore[no-untyped-call]
        str(identity.key),
        str(identity.certificate),
        ca_chain_files=[str(path) for path in identity.chain],
        key_passphrase=identity.passphrase,
    )
    if signer is None:  # pyHanko logs why and returns None
        raise SigningError(
            f"{identity.key}, {identity.certificate}: cannot be read as key and certificate; a "
            "wrong passphrase has the same effect"
        )
    return signer


def examine(pdf: bytes, *, trust: Sequence[Path] = ()) -> list[Signature]:
    """Return the signatures of *pdf*, oldest first, each with what is wrong with it.

    *trust* are certificates of authorities. Without them nobody can be told to be who they say.
    Raises SigningError when there are signatures and pyHanko is missing.
    """
    if not roles_of(pdf):
        return []
    if not available():
        raise SigningError(MISSING_EXTRA)
    from pyhanko.keys import load_certs_from_pemder
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    names = [str(path) for path in trust]
    try:
        roots = list(load_certs_from_pemder(names))  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SigningError(f"{', '.join(names)}: no certificate: {error}") from error
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    try:
        found = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        return [
            _described(one.field_name, validate_pdf_signature(one, context), last=one is found[-1])
            for one in found
        ]
    except (PdfError, ValueError, KeyError, TypeError) as error:
        problem = f"cannot be read: {error}"
        return [
            Signature(role=role, signer="", signed_utc="", trusted=False, problem=problem)
            for role in roles_of(pdf)
        ]


def _described(role: str, status: Any, *, last: bool) -> Signature:  # noqa: ANN401 - pyHanko's
    level = status.modification_level
    coverage = status.coverage.name
    if not status.intact:
        problem = "the bytes that it covers were changed afterwards"
    elif not status.valid:
        problem = "it was not made with the key of its certificate"
    elif last and coverage != "ENTIRE_FILE":
        problem = "the file goes on after the last signature"
    elif coverage not in ("ENTIRE_FILE", "ENTIRE_REVISION"):
        problem = "it does not cover all that came before it"
    elif level is not None and level.name not in LEVELS_ALLOWED:
        problem = "the report was changed afterwards by other things than signatures"
    else:
        problem = ""
    signed = status.signer_reported_dt
    return Signature(
        role=role,
        signer=status.signing_cert.subject.human_friendly,
        signed_utc=signed.isoformat(timespec="seconds") if signed else "",
        trusted=bool(status.trusted),
        problem=problem,
    )
