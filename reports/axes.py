"""Axes of charts: where a value is on the page and which values to write at the edge."""

import math
from dataclasses import dataclass

from reports.words import MINUS, THIN_SPACE

_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAxis:
    """Values from *low* to *high* spread evenly between two places on the page."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return where *value* is, held inside the axis."""
        share = (value - self.low) / max(self.high - self.low, 1e-12)
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)

    def ticks(self, most: int) -> list[float]:
        """Return at most *most* round values inside the axis."""
        step = self.step(most)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]

    def step(self, most: int) -> float:
        """Return the distance of ticks: 1, 2 or 5 times a power of ten."""
        raw = max(self.high - self.low, 1e-9) / max(most - 1, 1)
        power = 10.0 ** math.floor(math.log10(raw))
        return next((power * s for s in _STEPS if power * s >= raw), power * 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAxis:
    """Powers of ten from *low* to *high*, spread evenly between two places on the page."""

    low: int  # exponent
    high: int
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return where *value* is, held inside the axis; zero is at the low end."""
        exponent = math.log10(value) if value > 0 else self.low
        share = (exponent - self.low) / max(self.high - self.low, 1)
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Return every power of ten of the axis."""
        return [10.0**exponent for exponent in range(self.low, self.high + 1)]


def exponents_around(values: list[float]) -> tuple[int, int]:
    """Return the exponents of the powers of ten that enclose all positive values."""
    positive = [value for value in values if value > 0]
    if not positive:
        return -1, 2
    low = math.floor(math.log10(min(positive)) + 1e-9)
    high = math.ceil(math.log10(max(positive)) - 1e-9)
    return low, max(high, low + 2)


def tick_time(ms: float, axis: LinearAxis, *, step_ms: float) -> str:
    """Return a time after the fault for *axis*: −2 s, 0, +5.20 s. One axis has one unit."""
    unit, scale = ("s", 1000.0) if max(abs(axis.low), abs(axis.high)) >= 1000 else ("ms", 1.0)
    if abs(ms) < step_ms / 1e6:
        return "0"
    decimals = max(0, -math.floor(math.log10(step_ms / scale) + 1e-9))
    sign = MINUS if ms < 0 else "+"
    return f"{sign}{abs(ms) / scale:.{decimals}f}{THIN_SPACE}{unit}"


def tick_latency(ms: float) -> str:
    """Return a power of ten for the latency axis: 0.1, 10, 1 000."""
    return f"{ms:g}" if ms < 1 else f"{ms:,.0f}".replace(",", THIN_SPACE)
