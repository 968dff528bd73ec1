"""The lab as a drawing made from its record: hosts, engines, arrays, and a line for each path.

What was broken is hatched and carries the ids of the scenarios that broke it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports import emblems
from reports.ink import Align, Box, Line, Mark, Segments, Text
from reports.model import Scenario, gravest
from reports.record import LabRecord, Verdict
from reports.style import (
    BOLD,
    DATA,
    INK,
    LEFT,
    MUTED,
    PANEL,
    PATH_FAILED,
    REGULAR,
    SMALL,
    TEXT,
    TINY,
    WIDTH,
    text_width,
)
from reports.words import fit, plural

_BOX_WIDTH = 104.0
_BOX_HEIGHT = 30.0
_PITCH = 42.0
_HATCH = 9.0
_MOST = 8
_HEAD = 14.0

_COLUMNS_X = (LEFT, LEFT + (WIDTH - _BOX_WIDTH) / 2, LEFT + WIDTH - _BOX_WIDTH)


LINK = "link"
"""What the records call the line between the engines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What befell one element: by which scenarios, and the gravest of their verdicts."""

    ids: tuple[str, ...]
    verdict: Verdict

    @property
    def words(self) -> str:
        """The ids in one line."""
        return " ".join(self.ids)


def broken_of(scenarios: Sequence[Scenario]) -> dict[str, Broken]:
    """Return what was broken in this run, by its name in the lab file, in the report's order."""
    found: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        if not scenario.is_fault or not scenario.was_run:
            continue
        steps = [step.subject for step in scenario.plan.steps]
        for subject in dict.fromkeys(steps or [scenario.plan.subject]):
            if subject:
                found.setdefault(subject, []).append(scenario)
    return {
        subject: Broken(
            ids=tuple(one.plan.id for one in own), verdict=gravest(one.verdict for one in own)
        )
        for subject, own in found.items()
    }


def not_drawn(lab: LabRecord, broken: Mapping[str, Broken]) -> dict[str, Broken]:
    """Return what was broken and has no place in the drawing: a unit, a service, what is beyond."""
    drawn = {
        *lab.hosts[:_MOST],
        *lab.engines[:_MOST],
        *lab.arrays[:_MOST],
        *(path.name for path in lab.paths),
    }
    if len(lab.engines) > 1:
        drawn.add(LINK)
    return {name: one for name, one in broken.items() if name not in drawn}


def topology_height(lab: LabRecord) -> float:
    """Return the height of the drawing."""
    rows = max(min(len(group), _MOST) for group in (lab.hosts, lab.engines, lab.arrays))
    return _HEAD + max(rows, 1) * _PITCH


def draw_topology(
    lab: LabRecord, *, top: float, broken: Mapping[str, Broken] | None = None
) -> list[Mark]:
    """Return three columns of boxes; lines from host to engine are the paths of the record.

    Every engine reaches every array: that is what makes it a router.
    """
    height = topology_height(lab) - _HEAD
    groups = (("Hosts", lab.hosts), ("Engines", lab.engines), ("Arrays", lab.arrays))
    middles = [_middles(len(names[:_MOST]), top + _HEAD, height) for _, names in groups]
    broken = broken or {}
    marks: list[Mark] = []
    marks += _path_lines(lab, middles, broken)
    marks += _link(middles[1], broken.get(LINK))
    for engine in middles[1]:
        for array in middles[2]:
            marks.append(_join(_COLUMNS_X[1], engine, _COLUMNS_X[2], array, PATH_FAILED, 0.8))
    for (title, names), x, places in zip(groups, _COLUMNS_X, middles, strict=True):
        more = f", {len(names) - _MOST} more" if len(names) > _MOST else ""
        marks.append(_word(title + more, x, top + 6, TINY, MUTED))
        for name, middle in zip(names[:_MOST], places, strict=True):
            marks += _box(name, x, middle, broken.get(name))
    return marks


def _middles(number: int, top: float, height: float) -> list[float]:
    pitch = height / max(number, 1)
    return [top + (index + 0.5) * pitch for index in range(number)]


def _link(engines: list[float], broken: Broken | None) -> list[Mark]:
    """Return the line between the engines, where it was broken."""
    if broken is None or len(engines) < 2:
        return []
    x = _COLUMNS_X[1] + _BOX_WIDTH / 2
    half = _BOX_HEIGHT / 2
    marks: list[Mark] = [
        Line(x0=x, y0=upper + half, x1=x, y1=lower - half, colour=INK, width=1.0)
        for upper, lower in pairwise(engines)
    ]
    middle = (engines[0] + engines[1]) / 2
    marks += _cross(x, middle, TEXT[broken.verdict])
    words = fit(f"{LINK}: {broken.words}", REGULAR, TINY, _BOX_WIDTH / 2 - 10)
    marks.append(_word(words, x + 7, middle + 2.3, TINY, TEXT[broken.verdict]))
    return marks


def _cross(x: float, y: float, colour: str) -> list[Mark]:
    arm = 3.2
    lines = ((x - arm, y - arm, x + arm, y + arm), (x - arm, y + arm, x + arm, y - arm))
    return [Segments(lines=lines, colour=colour, width=1.3)]


def _path_lines(
    lab: LabRecord, middles: list[list[float]], broken: Mapping[str, Broken]
) -> list[Mark]:
    """Return a line for each pair of host and engine; of several hosts only broken ones say more.

    Words that would meet others are left out: the cross and the page of the scenario remain.
    """
    paths: dict[tuple[str, str], list[str]] = {}
    for path in lab.paths:
        paths.setdefault((path.host, path.engine), []).append(path.name)
    hosts = dict(zip(lab.hosts[:_MOST], middles[0], strict=True))
    engines = dict(zip(lab.engines[:_MOST], middles[1], strict=True))
    marks: list[Mark] = []
    words: list[Text] = []
    for (host, engine), names in paths.items():
        if host not in hosts or engine not in engines:
            continue
        y0, y1 = hosts[host], engines[engine]
        marks.append(_join(_COLUMNS_X[0], y0, _COLUMNS_X[1], y1, DATA, 1.2))
        befell = [broken[name] for name in dict.fromkeys(names) if name in broken]
        colour = TEXT[gravest(one.verdict for one in befell)] if befell else DATA
        if befell:
            x = _COLUMNS_X[0] + _BOX_WIDTH
            marks += _cross(x + (_COLUMNS_X[1] - x) / 4, y0 + (y1 - y0) / 4, colour)
        if befell or len(hosts) == 1:
            text = _path_words(len(names), befell, y0, y1, colour)
            if not any(_meet(text, other) for other in words):
                words.append(text)
    return [*marks, *words]


def _path_words(number: int, befell: list[Broken], y0: float, y1: float, colour: str) -> Text:
    """Return how many paths a line stands for and which scenarios broke them, at its right end."""
    ids = " ".join(dict.fromkeys(name for one in befell for name in one.ids))
    words = plural(number, "path") + (f" · {ids}" if ids else "")
    words = fit(words, REGULAR, TINY, _COLUMNS_X[1] - _COLUMNS_X[0] - _BOX_WIDTH - 12)
    y = y1 - 5 if y0 >= y1 else y1 + 10  # on the side that the line does not cross
    return _word(words, _COLUMNS_X[1] - 6, y, TINY, colour, Align.RIGHT)


def _meet(one: Text, other: Text) -> bool:
    a, b = one.box(), other.box()
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _join(x0: float, y0: float, x1: float, y1: float, colour: str, width: float) -> Line:
    return Line(x0=x0 + _BOX_WIDTH, y0=y0, x1=x1, y1=y1, colour=colour, width=width)


def _box(name: str, x: float, middle: float, broken: Broken | None) -> list[Mark]:
    top = middle - _BOX_HEIGHT / 2
    inset = _HATCH if broken else 0.0
    name = fit(name, BOLD, SMALL, _BOX_WIDTH - 12 - inset)
    centre = x + (_BOX_WIDTH + inset) / 2
    colour = TEXT[broken.verdict] if broken else INK
    marks: list[Mark] = [
        Box(
            x=x,
            y=top,
            width=_BOX_WIDTH,
            height=_BOX_HEIGHT,
            fill=PANEL,
            outline=colour,
            line_width=1.3 if broken else 0.7,
            radius=0 if broken else 2,
        ),
        Text(
            x=centre,
            y=middle + (-2.2 if broken else 2.6),
            text=name,
            font=BOLD,
            size=SMALL,
            colour=INK,
            align=Align.CENTRE,
        ),
    ]
    return marks + (_befell(broken, x, centre, top, colour) if broken else [])


def _befell(broken: Broken, x: float, centre: float, top: float, colour: str) -> list[Mark]:
    """Return the hatching of a box, and which scenarios broke it with what verdict."""
    words = fit(broken.words, REGULAR, TINY, _BOX_WIDTH - 24 - _HATCH)
    left = centre - text_width(words, REGULAR, TINY) / 2
    return [
        Segments(lines=_hatching(x, top), colour=colour, width=0.7),
        *emblems.verdict_mark(broken.verdict, x=left - 4, y=top + 17.6, size=5.4, colour=colour),
        _word(words, left + 5, top + 23, TINY, colour),
    ]


def _hatching(x: float, top: float) -> tuple[tuple[float, float, float, float], ...]:
    """Return slanted lines over the left edge of a box."""
    step = 3.0
    lines = []
    at = step
    while at < _BOX_HEIGHT + _HATCH:
        y0, y1 = min(at, _BOX_HEIGHT), max(at - _HATCH, 0.0)
        lines.append((x + at - y0, top + y0, x + at - y1, top + y1))
        at += step
    return tuple(lines)


def _word(
    text: str, x: float, y: float, size: float, colour: str, align: Align = Align.LEFT
) -> Text:
    return Text(x=x, y=y, text=text, font=REGULAR, size=size, colour=colour, align=align)
