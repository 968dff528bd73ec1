"""How fast a resync goes and when it will be over, from what engines report over time. Pure."""

from collections import deque
from collections.abc import Mapping
from typing import Any

_WINDOW_NS = 30_000_000_000
"""The rate is that of the last half minute: hosts' own I/O makes it change."""


class Progress:
    """Adds `resync_left_bytes`, `resync_bytes_per_s` and `resync_left_s` to a status's units.

    They are None while nothing is copied, and the latter two until a rate was measured.
    """

    def __init__(self) -> None:
        self._samples: dict[str, deque[tuple[int, int]]] = {}  # by unit: (ns, bytes left)

    def add(self, units: Mapping[str, dict[str, Any]], now_ns: int) -> None:
        """Put the three values into each unit, as seen at `now_ns`."""
        for name, unit in units.items():
            regions = unit["resync_left_regions"]
            if regions is None:
                self._samples.pop(name, None)
                unit.update(resync_left_bytes=None, resync_bytes_per_s=None, resync_left_s=None)
                continue
            left = regions * unit["region_bytes"]
            rate = self._rate(name, left, now_ns)
            unit.update(
                resync_left_bytes=left,
                resync_bytes_per_s=round(rate) if rate else None,
                resync_left_s=round(left / rate, 1) if rate else None,
            )

    def _rate(self, name: str, left: int, now_ns: int) -> float:
        samples = self._samples.setdefault(name, deque())
        if samples and left > samples[-1][1]:
            samples.clear()  # another copy has begun
        samples.append((now_ns, left))
        while now_ns - samples[0][0] > _WINDOW_NS:
            samples.popleft()
        began_ns, first = samples[0]
        return (first - left) * 1e9 / (now_ns - began_ns) if now_ns > began_ns else 0.0
