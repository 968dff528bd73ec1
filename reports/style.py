"""Grid, type and colours of the report: every number that decides how it looks.

Lengths are points (1/72 inch). The fills are the colour-blind safe palette of Okabe and Ito; they
are too light for text, so each has a dark twin, whose contrast on white is at least 5:1.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from reports.record import Verdict

MM: Final = 72 / 25.4

LEFT: Final = 20 * MM
WIDTH: Final = 170 * MM  # on all papers; see reports/paper.py
RIGHT: Final = LEFT + WIDTH
TOP: Final = 20 * MM  # first line of content, below the header
HEADER_BASELINE: Final = 11 * MM

REGULAR: Final = "Lato-Regular"
BOLD: Final = "Lato-Bold"
MONO: Final = "DejaVuSansMono"
FONTS: Final = (REGULAR, BOLD, MONO)
CJK_REGULAR: Final = "NotoSansSC-Regular"
CJK_BOLD: Final = "NotoSansSC-Bold"
FALLBACK: Final = {REGULAR: CJK_REGULAR, BOLD: CJK_BOLD, MONO: CJK_REGULAR}
"""What draws the characters that a font lacks; embedded only where a page needs it."""
ALL_FONTS: Final = (*FONTS, CJK_REGULAR, CJK_BOLD)
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


_SHARED_MARKS: Final = frozenset("“”‘’—")
"""Punctuation of both scripts: full-width in a line with Chinese, else as Latin has it."""


def load_fonts() -> None:
    """Make the report's own fonts known to reportlab; a second call changes nothing."""
    for name in ALL_FONTS:
        _load(name)


@lru_cache
def _load(name: str) -> None:
    pdfmetrics.registerFont(TTFont(name, str(FONT_FOLDER / f"{name}.ttf")))


def text_width(text: str, font: str, size: float) -> float:
    """Return the width of *text* in points."""
    return sum(float(pdfmetrics.stringWidth(part, name, size)) for name, part in runs(text, font))


def runs(text: str, font: str) -> tuple[tuple[str, str], ...]:
    """Return *text* in pieces, each with the font that draws it: *font*, or what stands in for it.

    Fonts are loaded when first needed: the one for Chinese takes a while and is seldom needed.
    """
    if text.isascii():
        _load(font)
        return ((font, text),)
    return _split(text, font)


@lru_cache(maxsize=8192)
def _split(text: str, font: str) -> tuple[tuple[str, str], ...]:
    glyphs, spare = _glyphs(font), FALLBACK.get(font, font)
    if all(ord(character) in glyphs for character in text):
        return ((font, text),)
    fonts = [spare if _needs_spare(character, font) else font for character in text]
    if spare in fonts:
        fonts = [
            spare if character in _SHARED_MARKS else font
            for character, font in zip(text, fonts, strict=True)
        ]
    pairs = groupby(zip(fonts, text, strict=True), key=itemgetter(0))
    return tuple((name, "".join(character for _, character in group)) for name, group in pairs)


def _needs_spare(character: str, font: str) -> bool:
    code = ord(character)
    return code not in _glyphs(font) and code in _glyphs(FALLBACK.get(font, font))


@lru_cache
def _glyphs(font: str) -> Mapping[int, int]:
    _load(font)
    glyphs: Mapping[int, int] = pdfmetrics.getFont(font).face.charToGlyph
    return glyphs


def has_glyph(character: str, font: str) -> bool:
    """Tell whether *font*, or the one that stands in for it, can draw *character*."""
    return ord(character) in _glyphs(font) or _needs_spare(character, font)
