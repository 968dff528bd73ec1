"""Stall per fault as a percentage of its own limit: linear, one bold line at 100 %."""

from dataclasses import dataclass

from reports import emblems
from reports.ink import Align, Box, Line, Mark, Shape, Text
from reports.model import Scenario, Stall
from reports.record import Verdict
from reports.style import (
    BODY,
    BOLD,
    DATA,
    DATA_PALE,
    DOUBT_TEXT,
    FAIL_FILL,
    FAIL_TEXT,
    INK,
    LEFT,
    MONO,
    MUTED,
    REGULAR,
    RIGHT,
    RULE,
    SMALL,
    TEXT,
    TINY,
    WHITE,
)
from reports.words import fit, limit, seconds

ROW_HEIGHT = 19.0
HEAD_HEIGHT = 18.0
_NAME_X = LEFT + 32
_BAR_LEFT = LEFT + 178
_BAR_RIGHT = RIGHT - 132
_STALL_RIGHT = RIGHT - 72
_LIMIT_RIGHT = RIGHT - 20
_THICK = 5.2


def draw_stall_bars(scenarios: list[Scenario], *, top: float, pitch: float) -> list[Mark]:
    """Return a chart with one row per scenario and two bars in each: failover and failback.

    *pitch* is the distance of rows, at least ROW_HEIGHT.
    """
    full = _full_scale(scenarios)
    bottom = top + HEAD_HEIGHT + pitch * len(scenarios)
    marks: list[Mark] = [
        *_legend(top + HEAD_HEIGHT - 8),
        *_scale(full, top + HEAD_HEIGHT - 4, bottom),
    ]
    for index, scenario in enumerate(scenarios):
        marks += _row(scenario, top + HEAD_HEIGHT + (index + 0.5) * pitch, full)
    x = _place(1.0, full)
    marks.append(Line(x0=x, y0=top + HEAD_HEIGHT - 4, x1=x, y1=bottom, colour=INK, width=1.1))
    return marks


def _full_scale(scenarios: list[Scenario]) -> float:
    """Return the right end of the scale: 125 % where all is within its limit, else 200 %."""
    shares = [stall.share for s in scenarios for stall in (s.failover, s.failback)]
    return 1.25 if max(shares, default=0.0) <= 1.0 else 2.0


def _place(share: float, full: float) -> float:
    return _BAR_LEFT + (_BAR_RIGHT - _BAR_LEFT) * min(share / full, 1.0)


def _legend(y: float) -> list[Mark]:
    def word(x: float, text: str) -> Text:
        return Text(x=x, y=y, text=text, font=REGULAR, size=TINY, colour=MUTED)

    return [
        Box(x=_NAME_X, y=y - 4.6, width=9, height=_THICK, fill=DATA),
        word(_NAME_X + 12, "failover"),
        Box(x=_NAME_X + 46, y=y - 4.6, width=9, height=_THICK, fill=DATA_PALE),
        word(_NAME_X + 58, "failback"),
        Text(
            x=_STALL_RIGHT,
            y=y,
            text="worst, s",
            font=REGULAR,
            size=TINY,
            colour=MUTED,
            align=Align.RIGHT,
        ),
        Text(
            x=_LIMIT_RIGHT,
            y=y,
            text="limit, s",
            font=REGULAR,
            size=TINY,
            colour=MUTED,
            align=Align.RIGHT,
        ),
    ]


def _scale(full: float, top: float, bottom: float) -> list[Mark]:
    marks: list[Mark] = []
    step = 0.25 if full <= 1.25 else 0.5
    for index in range(int(full / step) + 1):
        share = index * step
        x = _place(share, full)
        bold = share == 1.0
        marks.append(Line(x0=x, y0=top, x1=x, y1=bottom, colour=RULE, width=0.5))
        marks.append(
            Text(
                x=x,
                y=top - 4,
                text=f"{share * 100:.0f} %",
                font=BOLD if bold else REGULAR,
                size=TINY,
                colour=INK if bold else MUTED,
                align=Align.CENTRE,
            )
        )
    return marks


def _row(scenario: Scenario, middle: float, full: float) -> list[Mark]:
    verdict = scenario.verdict
    name_width = _BAR_LEFT - _NAME_X - 8
    marks: list[Mark] = [
        Text(
            x=LEFT,
            y=middle + 2.8,
            text=fit(scenario.plan.id, MONO, SMALL, _NAME_X - LEFT - 4),
            font=MONO,
            size=SMALL,
            colour=MUTED,
            goes_to=scenario.anchor,
        ),
        Text(
            x=_NAME_X,
            y=middle - 1.0 if scenario.brief else middle + 2.9,
            text=fit(scenario.plan.title, REGULAR, BODY, name_width),
            font=REGULAR,
            size=BODY,
            colour=INK,
            goes_to=scenario.anchor,
        ),
        *_bar(scenario.failover, middle - _THICK - 0.6, full, _Ink.of(scenario, DATA)),
        *_bar(scenario.failback, middle + 0.6, full, _Ink.of(scenario, DATA_PALE)),
        *emblems.verdict_mark(verdict, x=RIGHT - 8, y=middle - 3.6, size=7.2, colour=TEXT[verdict]),
    ]
    if scenario.brief:
        brief = fit(scenario.brief, REGULAR, TINY, name_width)
        marks.append(
            Text(
                x=_NAME_X,
                y=middle + 7.2,
                text=brief,
                font=REGULAR,
                size=TINY,
                colour=TEXT[verdict],
            )
        )
    if not scenario.was_run:
        marks.append(_figure(_LIMIT_RIGHT, middle + 2.5, "not run", MUTED))
    else:
        marks += _figures(scenario.failover, middle - 1.4) + _figures(
            scenario.failback, middle + 6.4
        )
    return marks


def _figures(stall: Stall, y: float) -> list[Mark]:
    colour = FAIL_TEXT if stall.within is False else INK
    return [
        _figure(_STALL_RIGHT, y, seconds(stall.worst_ms), colour),
        _figure(_LIMIT_RIGHT, y, limit(stall.limit_ms), MUTED),
    ]


def _figure(x: float, y: float, text: str, colour: str) -> Text:
    return Text(x=x, y=y, text=text, font=MONO, size=TINY, colour=colour, align=Align.RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ink:
    """How a bar is filled: solid where the stall was graded, only outlined where it was not."""

    fill: str
    outline: str = ""

    @classmethod
    def of(cls, scenario: Scenario, colour: str) -> "_Ink":
        if scenario.verdict is Verdict.INCONCLUSIVE:
            return cls(fill=WHITE, outline=DOUBT_TEXT)
        return cls(fill=colour)


def _bar(stall: Stall, y: float, full: float, ink: _Ink) -> list[Mark]:
    """Return a bar; one that leaves the scale is cut open, so that its length cannot mislead."""
    if stall.worst_ms is None or stall.limit_ms <= 0:
        return []
    fill = FAIL_FILL if stall.within is False else ink.fill
    right = max(_place(stall.share, full), _BAR_LEFT + 0.8)
    marks: list[Mark] = [
        Box(
            x=_BAR_LEFT,
            y=y,
            width=right - _BAR_LEFT,
            height=_THICK,
            fill=fill,
            outline=ink.outline,
        )
    ]
    if len(stall.measured_ms) > 1 and stall.median_ms is not None:
        x = _place(stall.median_ms / stall.limit_ms, full)
        marks.append(Line(x0=x, y0=y, x1=x, y1=y + _THICK, colour=WHITE, width=1.0))
    if stall.share > full:
        for shift in (14.0, 10.0):
            x = right - shift
            cut = ((x, y + _THICK + 0.5), (x + 2.4, y - 0.5))
            marks.append(Shape(points=cut, stroke=WHITE, width=1.4))
        tip = ((right, y - 0.6), (right + 4, y + _THICK / 2), (right, y + _THICK + 0.6))
        marks.append(Shape(points=tip, fill=fill))
    return marks
