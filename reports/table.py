"""Tables: rules above and below rows, no vertical lines, a head that repeats on every page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reports import emblems
from reports.ink import Align, Box, Line, Mark, PageReference, Text
from reports.record import Verdict
from reports.sheet import Sheet
from reports.style import (
    BOLD,
    INK,
    LEADING,
    LEFT,
    MUTED,
    REGULAR,
    RIGHT,
    RULE,
    SMALL,
    TEXT,
    TINY,
    WIDTH,
)
from reports.words import fit, wrap

_PAD_X = 8.0
_PAD_Y = 1.9
_LINES_MOST = 20
"""Three such texts in a cell leave a row shorter than a page; the evidence has them whole."""
DENSE = 1.1  # padding above and below the rows of tables on full pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A cell of text; *max_lines* 1 cuts, 0 wraps to _LINES_MOST; *shrink* prefers smaller type."""

    text: str
    font: str = REGULAR
    size: float = SMALL
    colour: str = INK
    max_lines: int = 0
    goes_to: str = ""
    shrink: bool = False

    def fitted(self, width: float) -> "Words":
        """Return the cell in the smallest type if it is wider than *width* and may shrink."""
        if not self.shrink or len(replace(self, max_lines=0).lines(width)) == 1:
            return self
        return replace(self, size=TINY, shrink=False)

    def lines(self, width: float) -> list[str]:
        """Return the text as it fits *width*."""
        if self.max_lines == 1:
            return [fit(self.text, self.font, self.size, width)]
        most = self.max_lines or _LINES_MOST
        return wrap(self.text, self.font, self.size, width, max_lines=most)

    def height(self, width: float) -> float:
        """Return the height that the text takes at *width*."""
        return len(self.lines(width)) * self.size * LEADING

    def marks(self, *, x: float, y: float, width: float, align: Align) -> list[Mark]:
        """Return the text with the top of its first line at *y*."""
        leading = self.size * LEADING
        edge = x + width if align is Align.RIGHT else x
        return [
            Text(
                x=edge,
                y=y + (index + 0.76) * leading,
                text=line,
                font=self.font,
                size=self.size,
                colour=self.colour,
                align=align,
                goes_to=self.goes_to,
            )
            for index, line in enumerate(self.lines(width))
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A cell of several texts, one below the other."""

    parts: tuple[Words, ...]

    def height(self, width: float) -> float:
        """Return the height of all parts."""
        return sum(part.height(width) for part in self.parts)

    def marks(self, *, x: float, y: float, width: float, align: Align) -> list[Mark]:
        """Return the parts from the top down."""
        marks: list[Mark] = []
        for part in self.parts:
            marks += part.marks(x=x, y=y, width=width, align=align)
            y += part.height(width)
        return marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A cell with the chip of a verdict."""

    verdict: Verdict

    def height(self, width: float) -> float:
        """Return the height of a line; the chip uses the padding of the row, too."""
        del width
        return SMALL * LEADING

    def marks(self, *, x: float, y: float, width: float, align: Align) -> list[Mark]:
        """Return the chip at the right edge of the cell."""
        del align
        return emblems.chip(self.verdict, right=x + width, middle=y + SMALL * LEADING / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A cell with the mark of a verdict before a short text."""

    verdict: Verdict
    text: str

    def height(self, width: float) -> float:
        """Return the height of a line."""
        del width
        return SMALL * LEADING

    def marks(self, *, x: float, y: float, width: float, align: Align) -> list[Mark]:
        """Return the text at the right edge of the cell, its mark before it."""
        del align
        colour = TEXT[self.verdict]
        text = fit(self.text, REGULAR, SMALL, width - 10)
        word = Text(
            x=x + width,
            y=y + 0.76 * SMALL * LEADING,
            text=text,
            font=REGULAR,
            size=SMALL,
            colour=INK if self.verdict is Verdict.PASS else colour,
            align=Align.RIGHT,
        )
        left = word.box()[0] - 10
        return [*emblems.verdict_mark(self.verdict, x=left, y=y + 2, size=6, colour=colour), word]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOf:
    """A cell with the page of an anchor."""

    anchor: str

    def height(self, width: float) -> float:
        """Return the height of a line."""
        del width
        return SMALL * LEADING

    def marks(self, *, x: float, y: float, width: float, align: Align) -> list[Mark]:
        """Return the reference at the right edge of the cell."""
        del align
        baseline = y + 0.76 * SMALL * LEADING
        return [
            PageReference(
                x=x + width, y=baseline, anchor=self.anchor, font=REGULAR, size=SMALL, colour=MUTED
            )
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A cell with a bar from *start* to *end*, both as shares of the cell's width."""

    start: float
    end: float
    colour: str

    def height(self, width: float) -> float:
        """Return the height of a line."""
        del width
        return SMALL * LEADING

    def marks(self, *, x: float, y: float, width: float, align: Align) -> list[Mark]:
        """Return the bar, never thinner than can be seen, on a pale track."""
        del align
        left = x + width * min(max(self.start, 0.0), 1.0)
        length = max(width * min(max(self.end, 0.0), 1.0) - (left - x), 0.8)
        left = min(left, x + width - length)
        track = Line(x0=x, y0=y + 5.1, x1=x + width, y1=y + 5.1, colour=RULE, width=0.4)
        return [track, Box(x=left, y=y + 2.1, width=length, height=6, fill=self.colour)]


Cell = Words | Stack | Chip | Signed | PageOf | Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its head and its share of the table's width."""

    title: str
    share: float
    align: Align = Align.LEFT


Row = Sequence[Cell]


def draw_table(
    sheet: Sheet,
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    pad: float = _PAD_Y,
) -> None:
    """Draw a table below the cursor, breaking between rows."""
    frame = _Frame.of(columns, pad=pad)
    first = frame.row_height(rows[0]) if rows else 0
    sheet.need(frame.head_height() + first)
    frame.draw_head(sheet)
    for row in rows:
        height = frame.row_height(row)
        if sheet.need(height):
            frame.draw_head(sheet)
        frame.draw_row(sheet, row, height)
    sheet.gap(6)


def table_height(columns: Sequence[Column], rows: Sequence[Row], *, pad: float = _PAD_Y) -> float:
    """Return the height of a table that is not broken."""
    frame = _Frame.of(columns, pad=pad)
    return frame.head_height() + sum(map(frame.row_height, rows)) + 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Columns with their places."""

    columns: Sequence[Column]
    places: tuple[tuple[float, float], ...]  # x and width of each column's text
    pad: float

    @classmethod
    def of(cls, columns: Sequence[Column], *, pad: float) -> "_Frame":
        unit = (WIDTH + _PAD_X) / sum(column.share for column in columns)
        places: list[tuple[float, float]] = []
        left = LEFT
        for column in columns:
            places.append((left, column.share * unit - _PAD_X))
            left += column.share * unit
        return cls(columns=columns, places=tuple(places), pad=pad)

    def heads(self) -> list[Words]:
        return [
            Words(text=column.title, font=REGULAR, size=TINY, colour=MUTED, max_lines=2)
            for column in self.columns
        ]

    def has_head(self) -> bool:
        return any(column.title for column in self.columns)

    def head_height(self) -> float:
        if not self.has_head():
            return 1.0
        heads = zip(self.heads(), self.places, strict=True)
        return max(head.height(width) for head, (_, width) in heads) + 4.0

    def row_height(self, row: Row) -> float:
        cells = zip(row, self.places, strict=True)
        return max(_fitted(cell, w).height(w) for cell, (_, w) in cells) + 2 * self.pad

    def draw_head(self, sheet: Sheet) -> None:
        bottom = sheet.y + self.head_height()
        if self.has_head():
            self._draw_cells(sheet, self.heads(), lambda head, w: bottom - 3 - head.height(w))
        sheet.add(Line(x0=LEFT, y0=bottom, x1=RIGHT, y1=bottom, colour=INK, width=0.8))
        sheet.y = bottom

    def draw_row(self, sheet: Sheet, row: Row, height: float) -> None:
        top = sheet.y + self.pad
        self._draw_cells(sheet, row, lambda cell, _width: top + _drop(cell))
        sheet.y += height
        sheet.add(Line(x0=LEFT, y0=sheet.y, x1=RIGHT, y1=sheet.y, colour=RULE, width=0.4))

    def _draw_cells(self, sheet: Sheet, cells: Row, top_of: Callable[[Cell, float], float]) -> None:
        for column, (x, width), cell in zip(self.columns, self.places, cells, strict=True):
            cell = _fitted(cell, width)
            top = top_of(cell, width)
            sheet.add(*cell.marks(x=x, y=top, width=width, align=column.align))


def _fitted(cell: Cell, width: float) -> Cell:
    return cell.fitted(width) if isinstance(cell, Words) else cell


def _drop(cell: Cell) -> float:
    """Return how far small text must go down to share the baseline of its row."""
    return 0.76 * LEADING * (SMALL - cell.size) if isinstance(cell, Words) else 0.0


def cell(text: str, *, font: str = REGULAR, colour: str = INK, max_lines: int = 0) -> Words:
    """Return a text cell in the size of tables."""
    return Words(text=text, font=font, colour=colour, max_lines=max_lines)


def strong(text: str, *, colour: str = INK) -> Words:
    """Return a bold text cell."""
    return Words(text=text, font=BOLD, colour=colour)
