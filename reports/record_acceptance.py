"""Who accepts a run under which document, and in what form the report is made; see record.py."""

from datetime import date
from typing import Literal

import msgspec

from reports.record_base import Record

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
PaperName = Literal["A4", "Letter"]
PAPERS: tuple[PaperName, ...] = ("A4", "Letter")
State = Literal["draft", "issued"]
STATES: tuple[State, ...] = ("draft", "issued")
SIGNATORIES_MAX = 9
"""As many roles as the cover has lines for."""
LOGO_NAMES = ("logo.png", "logo.jpg")
"""What a logo is called in the run folder."""


class Revision(Record, frozen=True, kw_only=True):
    """One line of the history of a report: what its issue *number* changed."""

    number: str
    date: date
    what: str


class Required(Record, frozen=True, kw_only=True):
    """One requirement of the customer, and what of this run is to show that it is met."""

    id: str  # as the customer's document has it
    text: str
    by: list[str]  # ids of scenarios, or of requirements of the protocol


class Acceptance(Record, frozen=True, kw_only=True):
    """Who accepts what under which document. Empty strings where the lab file is silent."""

    customer: str = ""
    contract: str = ""
    requirements: str = ""
    signatories: list[str] = msgspec.field(
        default_factory=lambda: ["Test engineer", "Vendor representative", "Customer acceptance"]
    )
    names: dict[str, str] = msgspec.field(default_factory=dict)  # of signatories, by role
    language: Language = "en"
    paper: PaperName = "A4"
    state: State = "draft"
    revision: str = ""  # the number of the issue; "" where reports are not numbered
    revisions: list[Revision] = msgspec.field(default_factory=list)  # the oldest first
    logo: Literal["", "logo.png", "logo.jpg"] = ""  # a file of the run folder
    required: list[Required] = msgspec.field(default_factory=list)  # as the document has them
    replaces: str = ""  # evidence root of the report in whose place this one was issued

    @property
    def issued_on(self) -> date | None:
        """The day of the revision in force; None where the history does not tell."""
        dates = [one.date for one in self.revisions if one.number == self.revision]
        return dates[-1] if dates and self.revision else None

    @property
    def revision_words(self) -> str:
        """The revision in force with its day: "B, 2026-11-25"; "" where there is none."""
        day = self.issued_on
        return f"{self.revision}, {day}" if day else self.revision
