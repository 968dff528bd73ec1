"""A document that fills from top to bottom: cursor, headings, paragraphs, page furniture."""

from dataclasses import dataclass, field

from reports.ink import Align, Anchor, Box, Line, Mark, Page, Text
from reports.language.speech import say
from reports.paper import A4, Paper
from reports.style import (
    BODY,
    BOLD,
    HEADER_BASELINE,
    HEADING,
    INK,
    LEAD,
    LEADING,
    LEFT,
    MONO,
    MUTED,
    REGULAR,
    RIGHT,
    RULE,
    SMALL,
    TINY,
    TOP,
    WHITE,
    WIDTH,
    text_width,
)
from reports.words import fit, short_hash, wrap

HEADING_HEIGHT = 21.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """What every page carries."""

    title: str
    run_id: str
    evidence_root: str
    stamp: str = ""  # stands out beside the title: "DRAFT"
    note: str = ""  # beside it: the revision


@dataclass(slots=True, kw_only=True)
class Sheet:
    """The pages so far and the place where the next thing goes."""

    furniture: Furniture
    paper: Paper = A4
    pages: list[Page] = field(default_factory=list)
    y: float = A4.height  # below any page: what comes first starts one

    def add(self, *marks: Mark) -> None:
        """Put marks on the current page."""
        self.pages[-1].marks.extend(marks)

    def new_page(self) -> None:
        """Start a page and move the cursor to its top."""
        self.pages.append(Page())
        self.y = TOP
        y = HEADER_BASELINE
        x = self._head(LEFT, y)
        run_id = fit(f"run {self.furniture.run_id}", REGULAR, TINY, RIGHT - x)
        self.add(_small(run_id, x=RIGHT, y=y, align=Align.RIGHT))

    def _head(self, x: float, y: float) -> float:
        """Put title, stamp and note from *x* on; return where the free room begins."""
        title, stamp = say(self.furniture.title.upper()), say(self.furniture.stamp)
        self.add(Text(x=x, y=y, text=title, font=BOLD, size=TINY, colour=MUTED))
        x += text_width(title, BOLD, TINY) + 8
        if stamp:
            width = text_width(stamp, BOLD, SMALL) + 8
            self.add(
                Box(x=x, y=y - 8.6, width=width, height=11.6, fill=INK),
                Text(x=x + 4, y=y, text=stamp, font=BOLD, size=SMALL, colour=WHITE),
            )
            x += width + 8
        if note := fit(self.furniture.note, REGULAR, TINY, WIDTH / 4):
            self.add(_small(note, x=x, y=y))
            x += text_width(note, REGULAR, TINY) + 8
        return x

    @property
    def bottom(self) -> float:
        """Where the content of a page ends."""
        return self.paper.bottom

    @property
    def room(self) -> float:
        """The height that is left on this page."""
        return self.bottom - self.y

    def need(self, height: float) -> bool:
        """Start a page unless *height* is left; tell whether a page was started."""
        if self.pages and self.room >= height:
            return False
        self.new_page()
        return True

    def gap(self, height: float) -> None:
        """Move the cursor down."""
        self.y += height

    def chapter(self, title: str, *, anchor: str, subtitle: str = "") -> None:
        """Start a page with a large heading that is in the outline."""
        self.new_page()
        self.add(Anchor(name=anchor, y=TOP - 10, title=title))
        self.y += HEADING
        self.line_of(title, font=BOLD, size=HEADING, advance=6)
        if subtitle:
            self.gap(4)
            self.paragraph(subtitle, size=BODY, colour=MUTED)
        self.gap(10)

    def heading(self, title: str, *, note: str = "", keep: float = 40) -> None:
        """Put a heading and a quiet note at its right; *keep* is what must follow on the page."""
        self.need(keep + HEADING_HEIGHT)
        self.gap(HEADING_HEIGHT - 5)
        title = fit(title, BOLD, LEAD, WIDTH)
        self.add(Text(x=LEFT, y=self.y, text=title, font=BOLD, size=LEAD, colour=INK))
        free = WIDTH - text_width(title, BOLD, LEAD) - 12
        if note and free > 60:
            self.add(_small(fit(note, REGULAR, TINY, free), x=RIGHT, y=self.y, align=Align.RIGHT))
        self.gap(5)

    def line_of(
        self,
        text: str,
        *,
        font: str = REGULAR,
        size: float = BODY,
        colour: str = INK,
        x: float = LEFT,
        width: float = WIDTH,
        advance: float = 0.0,
    ) -> None:
        """Put one line with its baseline at the cursor, cut where it is too wide."""
        text = fit(text, font, size, width)
        self.add(Text(x=x, y=self.y, text=text, font=font, size=size, colour=colour))
        self.y += advance

    def paragraph(
        self,
        text: str,
        *,
        font: str = REGULAR,
        size: float = BODY,
        colour: str = INK,
        x: float = LEFT,
        width: float = WIDTH,
        max_lines: int = 0,
    ) -> None:
        """Put wrapped text below the cursor; pages break between its lines."""
        for line in wrap(text, font, size, width, max_lines=max_lines):
            self.need(size * LEADING)
            self.y += size * LEADING
            baseline = self.y - 0.3 * size
            self.add(Text(x=x, y=baseline, text=line, font=font, size=size, colour=colour))

    def definitions(self, rows: list[tuple[str, str]], *, label_width: float = 96) -> None:
        """Put terms at the left and what they mean beside them."""
        for label, text in rows:
            lines = wrap(text, REGULAR, SMALL, WIDTH - label_width)
            labels = wrap(label, BOLD, SMALL, label_width - 8)
            leading = SMALL * LEADING
            self.need(max(len(lines), len(labels)) * leading if len(lines) < 30 else leading)
            top = self.y
            for index, line in enumerate(labels):
                y = top + (index + 1) * leading - 0.3 * SMALL
                self.add(Text(x=LEFT, y=y, text=line, font=BOLD, size=SMALL, colour=INK))
            self.paragraph(text, size=SMALL, x=LEFT + label_width, width=WIDTH - label_width)
            self.y = max(self.y, top + len(labels) * leading) + 3

    def finish(self) -> list[Page]:
        """Put the footer, which knows the number of pages, on every page and return them."""
        total = len(self.pages)
        root = self.furniture.evidence_root
        for number, page in enumerate(self.pages, start=1):
            y = self.paper.footer_baseline
            page.marks += [
                Line(x0=LEFT, y0=y - 10, x1=RIGHT, y1=y - 10, colour=RULE, width=0.4),
                _small("Evidence root", x=LEFT, y=y),
                Text(
                    x=LEFT + 46,
                    y=y,
                    text=f"sha256 {short_hash(root)}" if root else "none: this is not evidence",
                    font=MONO,
                    size=TINY,
                    colour=MUTED,
                ),
                _small(f"Page {number} of {total}", x=RIGHT, y=y, align=Align.RIGHT),
            ]
        return self.pages


def _small(text: str, *, x: float, y: float, align: Align = Align.LEFT) -> Text:
    return Text(x=x, y=y, text=text, font=REGULAR, size=TINY, colour=MUTED, align=align)
