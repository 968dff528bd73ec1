"""The lab as a drawing made from its record: hosts, engines, arrays, and a line for each path."""

from reports.ink import Align, Box, Line, Mark, Text
from reports.record import LabRecord
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
    TINY,
    WIDTH,
)
from reports.words import fit, plural

_BOX_WIDTH = 104.0
_BOX_HEIGHT = 25.0
_PITCH = 36.0
_MOST = 8
_HEAD = 14.0

_COLUMNS_X = (LEFT, LEFT + (WIDTH - _BOX_WIDTH) / 2, LEFT + WIDTH - _BOX_WIDTH)


def topology_height(lab: LabRecord) -> float:
    """Return the height of the drawing."""
    rows = max(min(len(group), _MOST) for group in (lab.hosts, lab.engines, lab.arrays))
    return _HEAD + max(rows, 1) * _PITCH


def draw_topology(lab: LabRecord, *, top: float) -> list[Mark]:
    """Return three columns of boxes; lines from host to engine are the paths of the record.

    Every engine reaches every array: that is what makes it a router.
    """
    height = topology_height(lab) - _HEAD
    groups = (("Hosts", lab.hosts), ("Engines", lab.engines), ("Arrays", lab.arrays))
    middles = [_middles(len(names[:_MOST]), top + _HEAD, height) for _, names in groups]
    marks: list[Mark] = []
    marks += _path_lines(lab, middles)
    for engine in middles[1]:
        for array in middles[2]:
            marks.append(_join(_COLUMNS_X[1], engine, _COLUMNS_X[2], array, PATH_FAILED, 0.8))
    for (title, names), x, places in zip(groups, _COLUMNS_X, middles, strict=True):
        more = f", {len(names) - _MOST} more" if len(names) > _MOST else ""
        marks.append(_word(title + more, x, top + 6, TINY, MUTED))
        for name, middle in zip(names[:_MOST], places, strict=True):
            marks += _box(name, x, middle)
    return marks


def _middles(number: int, top: float, height: float) -> list[float]:
    pitch = height / max(number, 1)
    return [top + (index + 0.5) * pitch for index in range(number)]


def _path_lines(lab: LabRecord, middles: list[list[float]]) -> list[Mark]:
    paths: dict[tuple[str, str], int] = {}
    for path in lab.paths:
        paths[path.host, path.engine] = paths.get((path.host, path.engine), 0) + 1
    hosts = dict(zip(lab.hosts[:_MOST], middles[0], strict=True))
    engines = dict(zip(lab.engines[:_MOST], middles[1], strict=True))
    marks: list[Mark] = []
    for (host, engine), number in paths.items():
        if host not in hosts or engine not in engines:
            continue
        y0, y1 = hosts[host], engines[engine]
        marks.append(_join(_COLUMNS_X[0], y0, _COLUMNS_X[1], y1, DATA, 1.2))
        x = _COLUMNS_X[1] - 8
        y = y1 - 4 if y0 >= y1 else y1 + 9  # on the side that the line does not cross
        marks.append(_word(plural(number, "path"), x, y, TINY, DATA, Align.RIGHT))
    return marks if len(paths) <= 8 else [m for m in marks if isinstance(m, Line)]


def _join(x0: float, y0: float, x1: float, y1: float, colour: str, width: float) -> Line:
    return Line(x0=x0 + _BOX_WIDTH, y0=y0, x1=x1, y1=y1, colour=colour, width=width)


def _box(name: str, x: float, middle: float) -> list[Mark]:
    top = middle - _BOX_HEIGHT / 2
    name = fit(name, BOLD, SMALL, _BOX_WIDTH - 12)
    return [
        Box(
            x=x,
            y=top,
            width=_BOX_WIDTH,
            height=_BOX_HEIGHT,
            fill=PANEL,
            outline=INK,
            line_width=0.7,
            radius=2,
        ),
        Text(
            x=x + _BOX_WIDTH / 2,
            y=middle + 2.6,
            text=name,
            font=BOLD,
            size=SMALL,
            colour=INK,
            align=Align.CENTRE,
        ),
    ]


def _word(
    text: str, x: float, y: float, size: float, colour: str, align: Align = Align.LEFT
) -> Text:
    return Text(x=x, y=y, text=text, font=REGULAR, size=size, colour=colour, align=align)
