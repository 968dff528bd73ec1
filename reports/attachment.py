"""The evidence inside the report: a ZIP of the run folder, attached to the PDF.

So the PDF alone is enough to make every figure on its pages again. The same folder gives the same
bytes: no clock, no order of a file system.
"""

import io
import zipfile
from pathlib import Path, PurePosixPath

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import NameObject, NumberObject, TextStringObject

from reports.folder import Run
from reports.record import RecordError

NAME = "evidence.zip"
MANIFEST = "manifest.json"
EMBED_BYTES_MAX = 64 << 20
"""A report is sent by mail; above this the I/O tables and logs stay with the run folder."""
_UNPACKED_BYTES_MAX = 1 << 30
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the first that ZIP can tell


def embeds_all(run: Run) -> bool:
    """Say whether the whole evidence goes into the report, or the records only."""
    return sum(entry.size_bytes for entry in run.manifest.files) <= EMBED_BYTES_MAX


def pack(run: Run) -> bytes:
    """Return the ZIP of the evidence of *run*; without I/O tables and logs if it is too large."""
    whole = embeds_all(run)
    names = [
        entry.path
        for entry in run.manifest.files
        if whole or PurePosixPath(entry.path).parts[0] not in ("io", "logs")
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in [MANIFEST, *names]:
            info = zipfile.ZipInfo(name, date_time=_FIRST_DATE)
            packed = name.endswith(".parquet")  # by its own compression
            info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, (run.folder / name).read_bytes())
    return buffer.getvalue()


def attach(pdf: bytes, evidence: bytes) -> bytes:
    """Return *pdf* with *evidence* attached."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    writer.pdf_header = "%PDF-1.7"  # attachments are older, their kinds of relation are not
    file = writer.add_attachment(NAME, evidence)
    file.subtype = NameObject("/application/zip")
    file.size = NumberObject(len(evidence))
    file.associated_file_relationship = NameObject("/Source")  # ISO 32000-2, 7.11.3
    file.description = TextStringObject("The evidence that this report was made from")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def attached(reader: PdfReader) -> bytes | None:
    """Return the attached evidence of a report, None if there is none that can be read."""
    try:
        found = [file.content for file in reader.attachment_list if file.name == NAME]
    except (PyPdfError, KeyError, ValueError, AttributeError):
        return None
    return found[0] if len(found) == 1 else None


def unpack(evidence: bytes, folder: Path) -> None:
    """Write the files of an attached ZIP into *folder*.

    Raises RecordError for one that is damaged, names a place outside the folder, or is larger than
    any evidence.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(evidence)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > _UNPACKED_BYTES_MAX:
                raise RecordError(f"{NAME}: larger than {_UNPACKED_BYTES_MAX} bytes unpacked")
            for info in infos:
                target = folder / _inside(info.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(info))
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise RecordError(f"{NAME}: cannot be unpacked: {error}") from error


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name:
        raise RecordError(f"{NAME}: names a place outside the run folder: {name!r}")
    return path
