"""The whole page: its parts, its policy, its two own files; the same run gives the same bytes.

The page loads nothing and may load nothing: its content security policy allows its one style and
its one script by their hashes (CSP level 3, 2.3.1) and forbids all else, the network above all.
"""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from reports.folder import Run, load_sealed
from reports.language.speech import say, speaking
from reports.screen import record, summary
from reports.screen.course import columns_for, screen_course
from reports.screen.fault import KEYS, fault_section
from reports.screen.marks import section
from reports.screen.markup import Html, data_block, join, tag
from reports.view import View, view_of

PAGE = "report.html"
_SECTIONS = (
    ("matrix", "Failure matrix"),
    ("findings", "Findings"),
    ("faults", "Faults"),
    ("tolerance", "Safe for, not safe for"),
    ("integrity", "Data integrity"),
    ("conformance", "Conformance"),
    ("configuration", "Configuration tested"),
    ("evidence", "Evidence"),
)
_DRAWN = {
    "fault": "Fault",
    "mend": "Mend",
    "slowest": "slowest I/O",
    "failed": "did not end well",
}
"""What the script writes into a timeline and below it."""


def build_page(folder: Path, output: Path | None = None) -> Path:
    """Write the page of a sealed run folder, by default report.html in it; return its path.

    Raises RecordError naming the first file of the folder that is wrong; evidence that is not what
    was sealed gets no page.
    """
    target = output or folder / PAGE
    return write_page(load_sealed(folder), target)


def write_page(run: Run, target: Path) -> Path:
    """Write the page of a sealed run to *target*; return it."""
    page = render_page(run)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(page)
    return target


def render_page(run: Run) -> bytes:
    """Return the page of *run*, UTF-8."""
    view = view_of(run)
    language = run.run.acceptance.language
    with speaking(language):
        page = _document(view, language)
    return b"<!doctype html>\n" + page.encode() + b"\n"


def _document(view: View, language: str) -> Html:
    style, script = _own("page.css"), _own("page.js")
    faults, data = _faults(view)
    title = f"Zero-downtime report: {view.run.run.system_under_test.name}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="zerostall-evidence-root", content=f"sha256:{view.run.root}"),
        tag("title", title),
        tag("style", style),
    )
    body = tag(
        "body",
        tag("a", "Skip to the failure matrix", href="#matrix", class_="skip"),
        summary.head(view),
        _contents(),
        tag(
            "main",
            summary.matrix(view),
            summary.findings(view),
            faults,
            summary.safe_for(view),
            record.integrity(view),
            record.conformance(view),
            record.configuration(view),
            record.evidence(view),
        ),
        data,
        tag("script", script),
    )
    return tag("html", head, body, lang=language)


def _contents() -> Html:
    links = [tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in _SECTIONS]
    return tag("nav", tag("ul", links), aria_label="Contents")


def _faults(view: View) -> tuple[Html, Html]:
    """Return the parts on the faults, and the data that their timelines draw."""
    columns = columns_for(sum(scenario.was_run for scenario in view.scenarios))
    parts: list[Html] = []
    data: list[dict[str, Any]] = []
    for scenario in view.scenarios:
        course = screen_course(view, scenario, columns=columns) if scenario.was_run else None
        parts.append(fault_section(view, scenario, course, number=len(data)))
        if course is not None:
            data.append(course.as_data())
    keys = tag("p", "In a timeline", ": ", KEYS, id="keys", class_="note")
    words = {name: say(word) for name, word in _DRAWN.items()}
    blocks = join(data_block("words", words), data_block("courses", data))
    return section("faults", "Faults", keys, *parts), blocks


def _own(name: str) -> Html:
    return Html(files("reports.screen").joinpath(name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
