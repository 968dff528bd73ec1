"""Where the words of a chart go: each has several places, and takes the first that is free."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reports.ink import Align, Line, Point, Text
from reports.style import BOLD, FAIL_TEXT, FAULT_TEXT, HEADING, INK, LEAD, MUTED, REGULAR, TINY
from reports.timeline import Frame, StallMark
from reports.words import duration

_WIDE_ENOUGH = 64.0  # points that a stall band must have to carry its own label
_LINE = 12.0
_CLEAR = 1.6  # points between a word and a line

Place = tuple[Text, ...]


@dataclass(slots=True, kw_only=True)
class Labels:
    """The words on a chart so far, and what they keep clear of.

    No word may cross a line; a word crosses dots only where there is no place without any.
    """

    frame: Frame
    lines: list[Line] = field(default_factory=list)
    dots: list[Point] = field(default_factory=list)
    placed: list[Text] = field(default_factory=list)

    def put(self, places: Sequence[Place], *, needed: bool = True) -> None:
        """Take the first place that is free; else the first of all if it is needed, or none."""
        possible = [place for place in places if self._is_free(place)]
        free = next(iter([*filter(self._is_clear, possible), *possible]), None)
        if free is None and needed:
            free = places[0]
        self.placed.extend(free or ())

    def _is_free(self, place: Place) -> bool:
        if not all(map(self._is_inside, place)):
            return False
        boxes = [text.box() for text in place]  # once: to measure a text takes a while
        taken = [*(other.box() for other in self.placed), *map(_box, self.lines)]
        return not any(_collide(box, other) for box in boxes for other in taken)

    def _is_clear(self, place: Place) -> bool:
        boxes = [text.box() for text in place]
        return not any(
            left <= x <= right and top <= y <= bottom
            for left, top, right, bottom in boxes
            for x, y in self.dots
        )

    def _is_inside(self, text: Text) -> bool:
        left, top, right, bottom = text.box()
        frame = self.frame
        return (
            left >= frame.left
            and right <= frame.right
            and top >= frame.top - 1
            and (bottom <= frame.bottom)
        )


def _box(line: Line) -> tuple[float, float, float, float]:
    return (
        min(line.x0, line.x1),
        min(line.y0, line.y1) - _CLEAR,
        max(line.x0, line.x1),
        max(line.y0, line.y1) + _CLEAR,
    )


def _collide(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    gap = 1.0
    return (
        one[0] < other[2] + gap
        and other[0] < one[2] + gap
        and one[1] < other[3]
        and other[1] < one[3]
    )


def limit_places(frame: Frame, ms: float, names: str) -> list[Place]:
    """Return places for the name of a limit: above its line, right or left, else below it."""
    text = f"limit {duration(ms)}" + (f" ({names})" if names else "")
    return _along_line(frame, frame.y.place(ms), text, BOLD, INK)


def noise_places(frame: Frame, ms: float) -> list[Place]:
    """Return places for the words at the line of the noise floor."""
    text = f"noise floor {duration(ms)}"
    return _along_line(frame, frame.y.place(ms), text, REGULAR, MUTED)


def _along_line(frame: Frame, y: float, text: str, font: str, colour: str) -> list[Place]:
    return [
        (Text(x=x, y=baseline, text=text, font=font, size=TINY, colour=colour, align=align),)
        for baseline in (y - 2.6, y + 7.0)
        for x, align in ((frame.right - 3, Align.RIGHT), (frame.left + 3, Align.LEFT))
    ]


def moment_places(frame: Frame, at_ms: float, word: str) -> list[Place]:
    """Return places for a word at an upright line: left or right of it, from the top down."""
    x = frame.x.place(at_ms)
    return [
        (_small(word, x + shift, frame.top + 7 + down * _LINE / 2, FAULT_TEXT, align),)
        for down in range(8)
        for shift, align in ((-2.5, Align.RIGHT), (3.0, Align.LEFT))
    ]


def band_places(frame: Frame, *, start_ms: float, end_ms: float, words: str) -> list[Place]:
    """Return places for what a band means, along its bottom."""
    left, right = frame.x.place(start_ms) + 4, frame.x.place(end_ms) - 4
    y = frame.bottom - 4
    places: list[Place] = [
        (_small(words, left, y, FAULT_TEXT, Align.LEFT),),
        (_small(words, right, y, FAULT_TEXT, Align.RIGHT),),
    ]
    return [place for place in places if left <= place[0].box()[0] and place[0].box()[2] <= right]


def stall_places(frame: Frame, stall: StallMark, *, low: bool) -> list[Place]:
    """Return places for the length of a stall: large inside a wide band, else beside it.

    *low* prefers the lower left corner of the band, where I/Os drawn from due to done leave room.
    """
    return list(_stall_places(frame, stall, low=low))


def _stall_places(frame: Frame, stall: StallMark, *, low: bool) -> Iterator[Place]:
    if stall.io is None:
        return
    left, right = frame.x.place(stall.io.due_ms), frame.x.place(stall.io.end_ms)
    colour = FAIL_TEXT if stall.beyond else INK

    def pair(x: float, y: float, align: Align, size: float) -> Place:
        value = duration(stall.ms)
        below = y + size + 1.2
        large = Text(x=x, y=below, text=value, font=BOLD, size=size, colour=colour, align=align)
        return _small(stall.title, x, y, colour, align), large

    if right - left >= _WIDE_ENOUGH:
        if low:
            for up in range(8):
                y = frame.bottom - 20 - up * _LINE / 2
                yield pair(left + 6, y, Align.LEFT, HEADING)
                yield pair(right - 6, y, Align.RIGHT, HEADING)
        middle = (frame.top + frame.bottom) / 2
        for shift in (0.0, _LINE, -_LINE, 2 * _LINE, -2 * _LINE):
            yield pair((left + right) / 2, middle + shift, Align.CENTRE, HEADING)
    baseline = frame.top + 10
    while baseline < frame.bottom - 14:
        yield pair(right + 4, baseline, Align.LEFT, LEAD)
        yield pair(left - 4, baseline, Align.RIGHT, LEAD)
        baseline += _LINE / 3


def _small(text: str, x: float, y: float, colour: str, align: Align) -> Text:
    return Text(x=x, y=y, text=text, font=REGULAR, size=TINY, colour=colour, align=align)
