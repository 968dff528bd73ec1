"""The sheet of paper that a report is made for.

The content is as wide and begins at the same height on all of them, so only what counts from the
bottom depends on the paper. What is narrower than the paper is in its middle.
"""

from dataclasses import dataclass
from typing import Final

from reports.record_acceptance import PaperName
from reports.style import LEFT, MM, WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A size of paper, in points."""

    name: PaperName
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """The last line of content, above the footer."""
        return self.height - 18 * MM

    @property
    def footer_baseline(self) -> float:
        """The baseline of the footer."""
        return self.height - 9.5 * MM

    @property
    def shift(self) -> float:
        """How far everything goes to the right, for both margins to be equal."""
        return (self.width - WIDTH) / 2 - LEFT


A4: Final = Paper(name="A4", width=210 * MM, height=297 * MM)
LETTER: Final = Paper(name="Letter", width=8.5 * 72, height=11 * 72.0)
_PAPERS: Final = {paper.name: paper for paper in (A4, LETTER)}


def paper_named(name: PaperName) -> Paper:
    """Return the paper that a record names."""
    return _PAPERS[name]
