"""A QR code (ISO/IEC 18004) as boxes: the evidence root, for a camera to compare."""

import segno

from reports.ink import Box
from reports.style import INK

QUIET_MODULES = 4  # the white border that readers need, ISO/IEC 18004, 6.3.8


def qr_text(root: str) -> str:
    """Return what the code of an evidence root says; capitals make a smaller code."""
    return f"SHA256:{root.upper()}"


def qr_marks(text: str, *, x: float, y: float, size: float) -> list[Box]:
    """Return the code of *text* in a square of *size* points whose upper left corner is x, y.

    The white border is part of the square. Modules beside each other are one box.
    """
    rows = segno.make(text, error="m", micro=False, boost_error=False).matrix
    module = size / (len(rows) + 2 * QUIET_MODULES)
    left, top = x + QUIET_MODULES * module, y + QUIET_MODULES * module
    return [
        Box(
            x=left + start * module,
            y=top + index * module,
            width=(end - start) * module,
            height=module,
            fill=INK,
        )
        for index, row in enumerate(rows)
        for start, end in _runs(row)
    ]


def _runs(row: bytearray) -> list[tuple[int, int]]:
    """Return begin and end of each run of dark modules."""
    edges = [index for index in range(len(row) + 1) if _dark(row, index) != _dark(row, index - 1)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _dark(row: bytearray, index: int) -> bool:
    return 0 <= index < len(row) and bool(row[index])
