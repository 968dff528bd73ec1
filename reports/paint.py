"""Pages of marks to the bytes of a PDF, the same bytes for the same pages."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from reports.ink import (
    Align,
    Anchor,
    Box,
    Dots,
    Line,
    Mark,
    Page,
    PageReference,
    Picture,
    Segments,
    Shape,
    Text,
)
from reports.logo import on_white
from reports.paper import A4, Paper
from reports.style import REGULAR, load_fonts, runs, text_width

_ROUND = 1  # line cap and join, ISO 32000-1, 8.4.3.3 and 8.4.3.4
_BUTT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What the PDF says of itself to a reader program."""

    title: str
    author: str
    subject: str
    keywords: str
    language: str = "en"


def page_numbers(pages: Sequence[Page]) -> dict[str, int]:
    """Return for each anchor the number of its page, counted from 1."""
    return {
        mark.name: number
        for number, page in enumerate(pages, start=1)
        for mark in page.marks
        if isinstance(mark, Anchor)
    }


def paint(pages: Sequence[Page], properties: Properties, *, paper: Paper = A4) -> bytes:
    """Return the PDF of *pages* on *paper*.

    reportlab's invariant mode leaves clock and random numbers out of the file.
    """
    load_fonts()
    buffer = io.BytesIO()
    canvas = Canvas(
        buffer,
        pagesize=(paper.width, paper.height),
        invariant=1,
        pageCompression=1,
        lang=properties.language,
        initialFontName=REGULAR,
    )
    canvas.setTitle(properties.title)
    canvas.setAuthor(properties.author)
    canvas.setCreator(properties.author)
    canvas.setSubject(properties.subject)
    canvas.setKeywords(properties.keywords)
    painter = _Painter(canvas=canvas, numbers=page_numbers(pages), paper=paper)
    for page in pages:
        if paper.shift:
            canvas.translate(paper.shift, 0)
        for mark in page.marks:
            painter.put(mark)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@dataclass(slots=True, kw_only=True)
class _Painter:
    """One method per kind of mark; turns y around, for PDF counts it from the bottom."""

    canvas: Canvas
    numbers: dict[str, int]
    paper: Paper

    def put(self, mark: Mark) -> None:
        match mark:
            case Text():
                self.text(mark)
            case PageReference():
                self.reference(mark)
            case Line():
                self.line(mark)
            case Box():
                self.rectangle(mark)
            case Shape():
                self.shape(mark)
            case Dots():
                self.dots(mark)
            case Segments():
                self.segments(mark)
            case Picture():
                self.picture(mark)
            case Anchor():
                self.anchor(mark)

    def text(self, mark: Text) -> None:
        width = text_width(mark.text, mark.font, mark.size)
        shift = {Align.LEFT: 0.0, Align.CENTRE: width / 2, Align.RIGHT: width}[mark.align]
        left, baseline = mark.x - shift, self.paper.height - mark.y
        self.canvas.setFillColor(mark.colour)
        x = left
        for font, part in runs(mark.text, mark.font):
            self.canvas.setFont(font, mark.size)
            self.canvas.drawString(x, baseline, part)
            x += text_width(part, font, mark.size)
        if mark.goes_to in self.numbers:
            area = (left, baseline - 2, left + width, baseline + mark.size)
            self.canvas.linkRect("", mark.goes_to, area, thickness=0, relative=1)

    def reference(self, mark: PageReference) -> None:
        number = self.numbers.get(mark.anchor)
        self.text(
            Text(
                x=mark.x,
                y=mark.y,
                text="–" if number is None else str(number),
                font=mark.font,
                size=mark.size,
                colour=mark.colour,
                align=Align.RIGHT,
                goes_to=mark.anchor,
            )
        )

    def pen(
        self, colour: str, width: float, *, dash: tuple[float, ...] = (), cap: int = _BUTT
    ) -> None:
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width)
        self.canvas.setLineCap(cap)
        self.canvas.setLineJoin(cap)
        self.canvas.setDash(list(dash))

    def line(self, mark: Line) -> None:
        self.pen(mark.colour, mark.width, dash=mark.dash)
        self.canvas.line(mark.x0, self.paper.height - mark.y0, mark.x1, self.paper.height - mark.y1)

    def rectangle(self, mark: Box) -> None:
        if mark.outline:
            self.pen(mark.outline, mark.line_width)
        if mark.fill:
            self.canvas.setFillColor(mark.fill)
        bottom = self.paper.height - mark.y - mark.height
        how = {"stroke": int(bool(mark.outline)), "fill": int(bool(mark.fill))}
        if mark.radius:
            self.canvas.roundRect(mark.x, bottom, mark.width, mark.height, mark.radius, **how)
        else:
            self.canvas.rect(mark.x, bottom, mark.width, mark.height, **how)

    def shape(self, mark: Shape) -> None:
        path = self.canvas.beginPath()
        (x, y), *rest = mark.points
        path.moveTo(x, self.paper.height - y)
        for x, y in rest:
            path.lineTo(x, self.paper.height - y)
        if mark.fill:
            path.close()
            self.canvas.setFillColor(mark.fill)
        if mark.stroke:
            cap = _ROUND if mark.round_ends else _BUTT
            self.pen(mark.stroke, mark.width, dash=mark.dash, cap=cap)
        self.canvas.drawPath(path, stroke=int(bool(mark.stroke)), fill=int(bool(mark.fill)))

    def dots(self, mark: Dots) -> None:
        """Paint each dot as a very short line with round ends: 30 bytes instead of 200."""
        if not mark.points:
            return
        self.pen(mark.colour, mark.diameter, cap=_ROUND)
        self.canvas.lines(
            [(x, self.paper.height - y, x + 0.01, self.paper.height - y) for x, y in mark.points]
        )

    def segments(self, mark: Segments) -> None:
        if not mark.lines:
            return
        self.pen(mark.colour, mark.width, cap=_ROUND)
        self.canvas.lines(
            [
                (x0, self.paper.height - y0, x1, self.paper.height - y1)
                for x0, y0, x1, y1 in mark.lines
            ]
        )

    def picture(self, mark: Picture) -> None:
        bottom = self.paper.height - mark.y - mark.height
        picture = ImageReader(on_white(mark.data))
        self.canvas.drawImage(picture, mark.x, bottom, width=mark.width, height=mark.height)

    def anchor(self, mark: Anchor) -> None:
        self.canvas.bookmarkHorizontal(mark.name, 0, self.paper.height - mark.y)
        if mark.title:
            self.canvas.addOutlineEntry(mark.title, mark.name, mark.level, closed=0)
