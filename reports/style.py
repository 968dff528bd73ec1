"""Grid, type and colours of the report: every number that decides how it looks.

Lengths are points (1/72 inch). The fills are the colour-blind safe palette of Okabe and Ito; they
are too light for text, so each has a dark twin, whose contrast on white is at least 5:1.
"""

from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from reports.record import Verdict

MM: Final = 72 / 25.4

PAGE_WIDTH: Final = 210 * MM
PAGE_HEIGHT: Final = 297 * MM
MARGIN: Final = 20 * MM
LEFT: Final = MARGIN
RIGHT: Final = PAGE_WIDTH - MARGIN
WIDTH: Final = RIGHT - LEFT
TOP: Final = 20 * MM  # first line of content, below the header
BOTTOM: Final = PAGE_HEIGHT - 18 * MM  # last line of content, above the footer
HEADER_BASELINE: Final = 11 * MM
FOOTER_BASELINE: Final = PAGE_HEIGHT - 9.5 * MM

REGULAR: Final = "Lato-Regular"
BOLD: Final = "Lato-Bold"
MONO: Final = "DejaVuSansMono"
FONTS: Final = (REGULAR, BOLD, MONO)
FONT_FOLDER: Final = Path(__file__).parent / "fonts"

TINY: Final = 6.5
SMALL: Final = 7.5
BODY: Final = 8.5
LEAD: Final = 9.5
HEADING: Final = 14.0
TITLE: Final = 20.0
SIZES: Final = (TINY, SMALL, BODY, LEAD, HEADING, TITLE)
LEADING: Final = 1.36  # distance of baselines, in font sizes

WHITE: Final = "#FFFFFF"
INK: Final = "#1B1F24"
MUTED: Final = "#57606A"
RULE: Final = "#D0D7DE"
PANEL: Final = "#F6F8FA"
DATA: Final = "#0072B2"
DATA_PALE: Final = "#8CC3E6"
FAIL_FILL: Final = "#D55E00"
FAIL_TEXT: Final = "#A63C00"
FAIL_PALE: Final = "#FBE9DD"
PASS_FILL: Final = "#009E73"  # noqa: S105 - colours
PASS_TEXT: Final = "#00694D"  # noqa: S105
PASS_PALE: Final = "#E3F4EE"  # noqa: S105
DOUBT_FILL: Final = "#E69F00"
DOUBT_TEXT: Final = "#8A5A00"
DOUBT_PALE: Final = "#FCF3DF"
IDLE_PALE: Final = "#EAEEF2"
FAULT_BAND: Final = "#F3E3EC"
FAULT_TEXT: Final = "#7A2E5D"
STALL_BAND: Final = "#F7C9A9"
PATH_FAILED: Final = "#8C959F"
PATH_STANDBY: Final = "#B7DDCF"

FILL: Final = {
    Verdict.PASS: PASS_FILL,
    Verdict.FAIL: FAIL_FILL,
    Verdict.INCONCLUSIVE: DOUBT_FILL,
    Verdict.NOT_RUN: PATH_FAILED,
}
TEXT: Final = {
    Verdict.PASS: PASS_TEXT,
    Verdict.FAIL: FAIL_TEXT,
    Verdict.INCONCLUSIVE: DOUBT_TEXT,
    Verdict.NOT_RUN: MUTED,
}
PALE: Final = {
    Verdict.PASS: PASS_PALE,
    Verdict.FAIL: FAIL_PALE,
    Verdict.INCONCLUSIVE: DOUBT_PALE,
    Verdict.NOT_RUN: IDLE_PALE,
}


def load_fonts() -> None:
    """Make the report's own fonts known to reportlab; a second call changes nothing."""
    known = set(pdfmetrics.getRegisteredFontNames())
    for name in FONTS:
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, str(FONT_FOLDER / f"{name}.ttf")))


def text_width(text: str, font: str, size: float) -> float:
    """Return the width of *text* in points."""
    load_fonts()
    return float(pdfmetrics.stringWidth(text, font, size))


def has_glyph(character: str, font: str) -> bool:
    """Tell whether *font* can draw *character*."""
    load_fonts()
    return ord(character) in pdfmetrics.getFont(font).face.charToGlyph
