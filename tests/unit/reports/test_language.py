"""Chinese: every text that a page shows has a translation, none is left over, all of it fits."""

import ast
import json
import re
import string
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from certify.scenarios import PROFILES, scenarios_of
from reports.build import build_report, lay_out
from reports.ink import Page
from reports.language.catalogue import Catalogue, CatalogueError, catalogue_of, read_entries
from reports.language.speech import say, speaking
from reports.paper import LETTER
from reports.screen.page import render_page
from reports.style import BOLD, CJK_BOLD, CJK_REGULAR, FONTS, runs
from reports.verify import embedded_fonts, verify_pdf
from tests.unit.reports.sample_acceptance import accepted, write_accepted
from tests.unit.reports.sample_stress import write_stress_run
from tests.unit.reports.test_acceptance import ISSUED
from tests.unit.reports.test_layout import collisions, outside

ROOT = Path(__file__).parents[3]
RECORDS = ("run.json", "plan.json", "verdict.json", "conformance.json", "manifest.json")
QUOTED = re.compile(
    r"certify (run|verify) .*|run \S+"
    r"|(sha256 )?[0-9a-f]{4,64}( [0-9a-f]{4})*…?( … [0-9a-f]{4} [0-9a-f]{4})?"
    r"|\S+ sha256 [0-9a-f]+…|[A-Z][0-9]+[a-z]*( .*)?|S[APB]C-[0-9]|sd[a-z]+|ZEROSTAL .*"
    r"|[0-9.e+]+ TiB"
)
"""What stays as it is: commands, hashes, ids with their titles, names of devices and products."""


def leaves(value: Any) -> Iterator[str]:
    """Yield every text of a record, its keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)


def texts_of_evidence(folder: Path) -> set[str]:
    own = {text for name in RECORDS for text in leaves(json.loads((folder / name).read_bytes()))}
    for line in (folder / "events.jsonl").read_text().splitlines():
        own |= set(leaves(json.loads(line)))
    return own


def laid_out(folder: Path, **acceptance: Any) -> tuple[list[Page], set[str]]:
    """Return the Chinese pages of *folder*, and what they show in English and do not quote."""
    catalogue = catalogue_of("zh")
    catalogue.missing.clear()
    pages = lay_out(accepted(folder, language="zh", **acceptance))
    return pages, not_quoted(folder, **acceptance)


def not_quoted(folder: Path, **acceptance: Any) -> set[str]:
    """Return what was said in English since the catalogue was cleared and is not of *folder*."""
    own = texts_of_evidence(folder) | set(leaves(acceptance))
    return {text for text in catalogue_of("zh").missing if not is_quoted(text, own)}


def is_quoted(text: str, own: set[str]) -> bool:
    """Tell whether a text is of the evidence, or put together from texts that are."""
    parts = SEAMS.split(text)
    detail = text.partition(": ")[2]  # of an event, behind its subject
    if text in own or (detail and detail in own):
        return True
    return all(part in own or QUOTED.fullmatch(part) for part in parts)


SEAMS = re.compile(r": |, |\)?; | \(|\)$")
"""Where a text is put together from what the evidence says."""
VARIANTS = ["healthy", "failing", "inconclusive", "unsupervised", "physical"]


@pytest.fixture(scope="module")
def chinese(samples: dict[str, Path]) -> dict[str, tuple[list[Page], set[str]]]:
    """The Chinese pages of every variant, and what they show in English and do not quote."""
    history = {**ISSUED, "replaces": "ab" * 32}
    return {variant: laid_out(samples[variant], **history) for variant in VARIANTS}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_text_of_the_report_is_translated(
    chinese: dict[str, tuple[list[Page], set[str]]], variant: str
) -> None:
    assert chinese[variant][1] == set()


@pytest.mark.parametrize("variant", VARIANTS)
def test_chinese_stays_on_its_page_and_apart(
    chinese: dict[str, tuple[list[Page], set[str]]], variant: str
) -> None:
    pages = chinese[variant][0]
    assert [outside(page) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)


def test_a_draft_is_translated_too(samples: dict[str, Path]) -> None:
    assert laid_out(samples["healthy"])[1] == set()


def test_requirements_of_the_customer_are_translated_too(samples: dict[str, Path]) -> None:
    document = {"requirements": "HIS, revision C"}
    required = [{"id": "HIS-4.1", "text": "No ward may stop.", "by": ["E1k", "HA-900"]}]
    assert laid_out(samples["healthy"], **document)[1] == set()
    assert laid_out(samples["healthy"], **document, required=required)[1] == set()


@pytest.mark.parametrize("variant", ["failing", "physical"])
def test_the_page_for_screens_is_translated_too(samples: dict[str, Path], variant: str) -> None:
    catalogue_of("zh").missing.clear()
    render_page(accepted(samples[variant], language="zh", **ISSUED))
    assert not_quoted(samples[variant], **ISSUED) == set()


def test_empty_runs_are_translated_too(tmp_path: Path) -> None:
    assert laid_out(write_stress_run(tmp_path / "run", "X1", faults=0, paths=0))[1] == set()


def test_every_scenario_of_the_catalogue_is_translated() -> None:
    scenarios = {one.id: one for name in PROFILES for one in scenarios_of(name)}.values()
    texts = [
        text
        for one in scenarios
        for text in (one.title, one.description, one.expected, one.reference)
    ]
    assert [text for text in texts if catalogue_of("zh").find(text) is None] == []


def fragments() -> str:
    """Return every text constant of the sources that write for the report, joined."""
    texts = []
    for package in ("reports", "certify"):
        for path in sorted((ROOT / package).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text()))
            texts += [node.value for node in nodes if isinstance(node, ast.Constant)]
    return "\n".join(text for text in texts if isinstance(text, str)).lower()


def words_of(text: str) -> list[str]:
    return [word.rstrip("s") for word in re.findall(r"[a-z]+", text)]


def test_no_translation_is_left_over(chinese: dict[str, tuple[list[Page], set[str]]]) -> None:
    """Each was used by a sample, or its words are still next to each other in the sources."""
    assert chinese
    words = words_of(fragments())
    vocabulary, pairs = {*words}, {*pairwise(words)}

    def is_said(entry: str) -> bool:
        own = words_of(re.sub(r"\{[a-z0-9]+\}", " ", entry.lower()))
        kept = sum(pair in pairs for pair in pairwise(own))
        return kept >= (len(own) - 1) / 2 if len(own) > 3 else {*own} <= vocabulary

    unused = read_entries("zh").keys() - catalogue_of("zh").used
    assert [entry for entry in unused if not is_said(entry)] == []


def test_translations_have_their_figures_and_glyphs() -> None:
    for source, target in read_entries("zh").items():
        places = [
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in (source, target)
        ]
        assert places[0] == places[1], source
        fonts = {font for font, _ in runs(target, BOLD)}
        assert fonts <= {CJK_BOLD, BOLD}, source
        assert all(character.isprintable() for character in target), source


def test_a_chinese_report_proves_itself(healthy: Path) -> None:
    pdf = build_report(write_accepted(healthy, language="zh", paper="Letter", **ISSUED))
    reader = PdfReader(pdf)
    assert verify_pdf(pdf) == []
    assert reader.root_object["/Lang"] == "zh"
    assert str(reader.outline[0]["/Title"]) == "证书"
    embedded = {name.split("+")[-1] for name in embedded_fonts(reader)}
    assert embedded == {*FONTS, CJK_REGULAR, CJK_BOLD}


def test_chinese_fits_on_letter(samples: dict[str, Path]) -> None:
    pages = lay_out(accepted(samples["failing"], language="zh", paper="Letter"))
    assert [outside(page, LETTER) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)


def test_figures_and_texts_find_their_places() -> None:
    seen = Catalogue.of({"{n} of all {m} {what}": "{m} {what}: {n}", "paths": "路径"})
    assert seen.translate("3 of all 1\u202f024 paths") == "1\u202f024 路径: 3"
    assert seen.translate("3 of all 4 legs") == "4 legs: 3"
    assert seen.missing == {"legs"}


def test_a_paragraph_is_translated_as_a_whole_or_not_at_all() -> None:
    seen = Catalogue.of({"It stopped.": "停了。", "It went on after {ms}.": "{ms} 后继续。"})
    assert seen.translate("It stopped. It went on after 3 ms.") == "停了。3 ms 后继续。"
    assert seen.translate("It stopped. Nobody knows.") == "It stopped. Nobody knows."


def test_an_entry_with_other_places_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"'\{n\} paths': its places"):
        Catalogue.of({"{n} paths": "{m} 条路径"})


def test_english_is_left_alone() -> None:
    with speaking("en"):
        assert say("Failure matrix") == "Failure matrix"
    with speaking("zh"):
        assert say("Failure matrix") == "故障矩阵"
        assert say(say("Failure matrix")) == "故障矩阵"
    assert say("Failure matrix") == "Failure matrix"
