"""Runs at the edge of what a report must show: hostile text, no faults, nothing run, odd values."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from reports.build import build_report, lay_out
from reports.folder import load_run
from reports.record import RecordError
from reports.sheet import Furniture, Sheet
from reports.table import Column, Stack, Words, draw_table
from tests.unit.reports import sample_parts as parts
from tests.unit.reports.sample_run import write_sample_run
from tests.unit.reports.sample_stress import ENDLESS, HOSTILE, WORDY, write_stress_run
from tests.unit.reports.test_layout import collisions, outside

INJECTION = (
    HOSTILE + ") Tj ET Q endstream endobj /URI (http://example.org) <</S/JavaScript/JS(x)>> "
    "\u05d0\u202bx\u2066y\r\n\t\uffff"
)
FORBIDDEN = {"/URI", "/JS", "/Launch", "/AA", "/OpenAction", "/GoToR", "/GoToE", "/XFA"}
RECORDS = ("run.json", "plan.json", "verdict.json", "conformance.json", "events.jsonl")
NUMBERS = (0, -1, 1, 2**63 - 1, -(2**63), 1e308, -1e308, 5e-324)
TEXTS = ("", "\u202e\x00", "W" * 999, "../../etc/passwd")


def dictionaries(reader: PdfReader) -> Iterator[DictionaryObject]:
    for number in range(1, int(reader.trailer["/Size"])):
        found = reader.get_object(number)
        if isinstance(found, DictionaryObject):
            yield found


def test_text_brings_no_action_link_or_file(tmp_path: Path) -> None:
    folder = write_stress_run(tmp_path / "run", INJECTION, faults=1, paths=1)
    reader = PdfReader(build_report(folder))
    seen = list(dictionaries(reader))
    assert len(seen) > 20
    assert {key for one in seen for key in one} & FORBIDDEN == set()
    assert {str(one.get("/S")) for one in seen if one.get("/Type") == "/Action"} <= {"/GoTo"}
    assert sum(one.get("/Type") == "/EmbeddedFile" for one in seen) == 1  # the evidence
    text = "".join(page.extract_text() for page in reader.pages)
    assert "endstream" in text
    assert "\u202e" not in text
    assert "U+202E" in text


@pytest.mark.parametrize("text", ["W" * 10_000, (ENDLESS * 99)[:10_000], (WORDY * 99)[:10_000]])
def test_a_row_is_never_taller_than_a_page(text: str) -> None:
    sheet = Sheet(furniture=Furniture(title="x", run_id=text, evidence_root=""))
    words = Words(text=text)
    row = (Stack(parts=(words, words, words)), words)
    draw_table(sheet, (Column(title="x", share=1), Column(title="y", share=3)), [row, row])
    pages = sheet.finish()
    assert [outside(page) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)


def page_one(folder: Path) -> str:
    return " ".join(PdfReader(build_report(folder)).pages[0].extract_text().split())


def test_a_run_that_broke_nothing_is_not_certified(tmp_path: Path) -> None:
    plans = parts.plans(repeats=1, not_run=set())[:1]
    text = page_one(write_sample_run(tmp_path / "run", plans=plans))
    assert "No fault was planned in this run." in text
    assert "Certified:" not in text


def test_a_run_in_which_nothing_was_run_is_not_certified(tmp_path: Path) -> None:
    names = {plan.id for plan in parts.plans(repeats=1, not_run=set())}
    plans = parts.plans(repeats=1, not_run=names)
    assert "Not run, not certified" in page_one(write_sample_run(tmp_path / "run", plans=plans))


def places(value: Any, *way: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every number and text of a record."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from places(one, *way, key)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from places(one, *way, number)
    elif value is not None:
        yield way


def changed(data: bytes, seed: int) -> bytes:
    """Return a file of records with one number or text replaced by an odd one of its kind."""
    chance = random.Random(seed)  # noqa: S311 - which value, not a secret
    values = [json.loads(line) for line in data.splitlines()] if b"\n{" in data else None
    whole = values if values is not None else json.loads(data)
    way = chance.choice(list(places(whole)))
    holder = whole
    for key in way[:-1]:
        holder = holder[key]
    odd = TEXTS if isinstance(holder[way[-1]], str) else NUMBERS
    holder[way[-1]] = chance.choice(odd)
    lines = values if values is not None else [whole]
    return b"\n".join(json.dumps(one).encode() for one in lines) + b"\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stress_run(tmp_path_factory.mktemp("small") / "run", "x", faults=1, paths=1)


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(RECORDS), seed=st.integers(0, 2**32))
def test_odd_values_are_shown_or_their_file_is_named(small: Path, name: str, seed: int) -> None:
    was = (small / name).read_bytes()
    (small / name).write_bytes(changed(was, seed))
    named = name
    try:
        lay_out(load_run(small))
    except RecordError as error:
        named = str(error)
    finally:
        (small / name).write_bytes(was)
    assert name in named


def test_a_number_beyond_any_time_is_named_with_its_place(small: Path) -> None:
    was = (small / "plan.json").read_bytes()
    (small / "plan.json").write_bytes(was.replace(b'"fault_s": 0.3', b'"fault_s": 1e300'))
    with pytest.raises(RecordError, match=r"plan\.json: scenarios\.0\.fault_s: 1e\+300"):
        load_run(small)
    (small / "plan.json").write_bytes(was)
