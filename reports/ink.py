"""What can be on a page: a handful of immutable marks in points, y growing downwards.

A page is a list of marks, not a stream of drawing calls. So layout can be tested without a PDF
(does a text leave its page, do two texts collide), page references are known before painting, and
another painter can turn the same pages into another format.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from reports.language.speech import say
from reports.style import text_width

Point = tuple[float, float]


class Align(StrEnum):
    """Where `x` of a text is."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; *y* is its baseline. *goes_to* makes it a link inside the document."""

    x: float
    y: float
    text: str
    font: str
    size: float
    colour: str
    align: Align = Align.LEFT
    goes_to: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", say(self.text))  # before anybody measures it

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of the ink, near enough to find collisions."""
        width = text_width(self.text, self.font, self.size)
        left = self.x
        if self.align is Align.RIGHT:
            left -= width
        elif self.align is Align.CENTRE:
            left -= width / 2
        return left, self.y - 0.74 * self.size, left + width, self.y + 0.21 * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReference:
    """The number of the page on which *anchor* is, right-aligned at *x*; a link to it."""

    x: float
    y: float
    anchor: str
    font: str
    size: float
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line; *dash* is a pattern of lengths on and off."""

    x0: float
    y0: float
    x1: float
    y1: float
    colour: str
    width: float
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle; *x*, *y* are its upper left corner. "" is no fill or no outline."""

    x: float
    y: float
    width: float
    height: float
    fill: str = ""
    outline: str = ""
    line_width: float = 0.5
    radius: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Straight strokes through *points*, or the area they enclose if *fill* is given."""

    points: tuple[Point, ...]
    stroke: str = ""
    width: float = 1.0
    fill: str = ""
    round_ends: bool = False
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """Many round dots of one colour."""

    points: tuple[Point, ...]
    diameter: float
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Many straight lines of one colour and width: (x0, y0, x1, y1)."""

    lines: tuple[tuple[float, float, float, float], ...]
    colour: str
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG or JPEG that `logo.inspect_logo` let pass; *x*, *y* are its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A place that links and the outline can go to; *title* "" keeps it out of the outline."""

    name: str
    y: float
    title: str = ""
    level: int = 0

    def __post_init__(self) -> None:
        first, _, rest = self.title.partition(" ")
        title = say(self.title)
        if title == self.title and rest:  # a scenario: its id, and its title
            title = f"{first} {say(rest)}"
        object.__setattr__(self, "title", title)


Mark = Text | PageReference | Line | Box | Shape | Dots | Segments | Picture | Anchor


@dataclass(slots=True)
class Page:
    """One page: its marks in the order in which they are painted."""

    marks: list[Mark] = field(default_factory=list)
