"""Small marks that several parts of the page share."""

from reports.record import Verdict
from reports.screen.markup import Child, Html, tag

_SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.INCONCLUSIVE: "◆",
    Verdict.NOT_RUN: "–",
}
_CLASSES = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.INCONCLUSIVE: "doubt",
    Verdict.NOT_RUN: "idle",
}


def class_of(verdict: Verdict) -> str:
    """Return the class that colours a verdict."""
    return _CLASSES[verdict]


def chip(verdict: Verdict, words: str = "") -> Html:
    """Return a verdict as sign and word; colour only repeats it."""
    sign = tag("span", _SIGNS[verdict], aria_hidden="true")
    return tag("span", sign, " ", words or str(verdict), class_=f"chip {_CLASSES[verdict]}")


def section(anchor: str, title: str, *children: Child, note: str = "") -> Html:
    """Return a section of the page with its heading, which links of the page can focus."""
    return tag(
        "section",
        tag("h2", title, id=f"{anchor}-title"),
        tag("p", note, class_="note") if note else "",
        *children,
        id=anchor,
        tabindex="-1",
        aria_labelledby=f"{anchor}-title",
    )
