"""How values become words: numbers with units, cut and wrapped lines, characters a font lacks."""

import math
import re
from functools import reduce
from unicodedata import east_asian_width

from reports.language.speech import said, say
from reports.style import has_glyph, text_width

MISSING = "–"
THIN_SPACE = "\u202f"
MINUS = "−"
_CLOSING = frozenset("，。、；：？！）》〉」』】〕〗％‰”’…")
_OPENING = frozenset("（《〈「『【〔〖“‘")
_BREAKING_SPACE = re.compile(rf"[^\S{THIN_SPACE}]+")


def count(value: int) -> str:
    """Return a whole number in groups of three: 1 284 113."""
    return f"{value:,}".replace(",", THIN_SPACE)


def duration(ms: float | None) -> str:
    """Return a length of time with three significant digits and its unit: 84.2 ms, 4.82 s."""
    if ms is None:
        return MISSING
    value, unit = (ms, "ms") if abs(ms) < 999.5 else (ms / 1000, "s")
    if value == 0:
        return f"0 {unit}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 2)}f}{THIN_SPACE}{unit}"


def seconds(ms: float | None) -> str:
    """Return milliseconds as seconds with three decimals, for columns of figures: 0.084."""
    return MISSING if ms is None else f"{ms / 1000:.3f}"


def limit(ms: float) -> str:
    """Return an upper limit as a reader of a table expects it: ≤ 0.250."""
    return f"≤ {ms / 1000:.3f}" if ms > 0 else "no limit"


def offset(ms: float) -> str:
    """Return a time relative to the fault as seconds with their sign, for columns: +0.004."""
    sign = MINUS if round(ms) < 0 else "+"
    return f"{sign}{abs(ms) / 1000:.3f}"


def size(size_bytes: int) -> str:
    """Return a capacity in binary units: 64 MiB."""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return f"{value:.4g} {unit}"
        value /= 1024
    return MISSING


def span_of_time(start: str, end: str) -> str:
    """Return two ISO 8601 times as one span, the date once where it is the same."""
    if not end:
        return f"{start.replace('T', ', ').removesuffix('Z')} UTC, not ended"
    (day, _, begin), (last_day, _, until) = start.partition("T"), end.partition("T")
    if day != last_day or not until.endswith("Z"):
        return f"{start} to {end}"
    return f"{day}, {begin.removesuffix('Z')} to {until.removesuffix('Z')} UTC"


def plural(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun: 1 repeat, 5 repeats."""
    return f"{count(number)} {noun if number == 1 else nouns or noun + 's'}"


def short_hash(digest: str) -> str:
    """Return the two ends of a hex digest in groups, as a human compares them."""
    if len(digest) < 32:
        return digest
    return f"{digest[:4]} {digest[4:8]} {digest[8:12]} … {digest[-8:-4]} {digest[-4:]}"


def printable(text: str, font: str) -> str:
    """Return *text* on one line, what *font* lacks or none may print spelled as code points.

    Control and direction characters are spelled too: a name must not rearrange its line.
    """
    flat = _BREAKING_SPACE.sub(" ", text).strip()
    return "".join(c if _can_print(c, font) else f"<U+{ord(c):04X}>" for c in flat)


def _can_print(character: str, font: str) -> bool:
    return (character.isprintable() or character == THIN_SPACE) and has_glyph(character, font)


def fit(text: str, font: str, size: float, width: float) -> str:
    """Return *text*, cut with an ellipsis where it is wider than *width* points."""
    text = said(printable(say(text), font))
    if text_width(text, font, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip() + "…", font, size) <= width:
            low = middle
        else:
            high = middle - 1
    return said(text[:low].rstrip() + "…")


def wrap(text: str, font: str, size: float, width: float, *, max_lines: int = 0) -> list[str]:
    """Break *text* into lines of at most *width* points.

    A word longer than a line is broken. With *max_lines*, the rest is cut with an ellipsis.
    """
    lines = [said(line) for line in _fill(_pieces(printable(say(text), font)), font, size, width)]
    if not max_lines or len(lines) <= max_lines:
        return lines
    rest = reduce(_join, lines[max_lines - 1 :])
    return [*lines[: max_lines - 1], fit(said(rest), font, size, width)]


def _pieces(text: str) -> list[str]:
    """Return what no line may break, each piece with the space before it, if there is one.

    Chinese breaks between any two characters, but not before a closing mark nor after an opening
    one (GB/T 15834-2011, 5.1).
    """
    pieces: list[str] = []
    for character in text:
        if pieces and character != " " and not _may_break(pieces[-1][-1], character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces or [""]


def _may_break(before: str, after: str) -> bool:
    if before == " " or before in _OPENING or after in _CLOSING:
        return False
    return _is_wide(before) or _is_wide(after)


def _is_wide(character: str) -> bool:
    """Tell whether a character is of a script that is written without spaces."""
    return east_asian_width(character) in "WF"


def _join(one: str, other: str) -> str:
    seamless = not one or not other or _is_wide(one[-1]) or _is_wide(other[0])
    return one + other if seamless else f"{one} {other}"


def _fill(pieces: list[str], font: str, size: float, width: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for piece in pieces:
        candidate = line + piece if line else piece.lstrip(" ")
        if text_width(candidate, font, size) <= width:
            line = candidate
            continue
        if line:
            lines.append(line)
        *full, line = _break_word(piece.lstrip(" "), font, size, width)
        lines.extend(full)
    lines.append(line)
    return lines


def _break_word(word: str, font: str, size: float, width: float) -> list[str]:
    pieces: list[str] = []
    piece = ""
    for character in word:
        if piece and text_width(piece + character, font, size) > width:
            pieces.append(piece)
            piece = ""
        piece += character
    pieces.append(piece)
    return pieces
