"""The QR code: read from the printed page by a reader that is not ours."""

import io
import subprocess
from pathlib import Path

import zxingcpp
from PIL import Image

from reports.build import lay_out, properties_of
from reports.folder import load_run
from reports.ink import Page
from reports.paint import paint
from reports.paper import A4
from reports.qr import qr_marks, qr_text


def test_the_cover_has_the_whole_evidence_root_in_a_code(healthy: Path) -> None:
    run = load_run(healthy)
    pdf = paint(lay_out(run)[:1], properties_of(run))
    drawn = subprocess.run(
        ["pdftoppm", "-r", "150", "-png", "-"], input=pdf, capture_output=True, check=True
    )
    codes = zxingcpp.read_barcodes(Image.open(io.BytesIO(drawn.stdout)))
    assert [code.text for code in codes] == [qr_text(run.root)]


def test_a_code_stays_in_its_square() -> None:
    page = Page(marks=[*qr_marks("SHA256:" + "A" * 64, x=100, y=200, size=52)])
    for box in page.marks:
        assert 100 <= box.x < box.x + box.width <= 152 < A4.width
        assert 200 <= box.y < box.y + box.height <= 252 < A4.height
