"""The page for screens, without a browser: what it says, what it may load, that nothing injects."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from reports.folder import build_manifest, load_run
from reports.record import RecordError, encode
from reports.screen import course, markup
from reports.screen.markup import data_block, tag
from reports.screen.page import build_page, render_page
from reports.verify import examine_run
from reports.view import view_of
from tests.unit.reports.sample_stress import HOSTILE, write_stress_run

_CSS = Path(course.__file__).with_name("page.css").read_text(encoding="utf-8")
_GROUNDS = {
    "ink": ("paper", "panel"),
    "muted": ("paper", "panel"),
    "link": ("paper",),
    "bad": ("paper",),
    "pass": ("pass-pale", "paper"),
    "fail": ("fail-pale", "paper"),
    "doubt": ("doubt-pale", "paper"),
    "idle": ("idle-pale", "paper"),
    "fault-ink": ("paper",),
}


class _Reader(HTMLParser):
    """Collects elements, their attributes, and the text outside of style and script."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.data = ""
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in markup.VOID:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, "an element is closed that was not the last opened"

    def handle_data(self, data: str) -> None:
        if self._inside[-1:] == ["script"] and self.data == "":
            self.data = data
        elif self._inside and self._inside[-1] not in ("script", "style"):
            self.texts.append(data)


def read(page: bytes) -> _Reader:
    reader = _Reader()
    reader.feed(page.decode())
    assert not reader._inside
    return reader


@pytest.fixture(scope="module")
def pages(samples: dict[str, Path]) -> dict[str, bytes]:
    return {name: render_page(load_run(folder)) for name, folder in samples.items()}


def test_every_verdict_reason_and_assertion_is_on_the_page(
    samples: dict[str, Path], pages: dict[str, bytes]
) -> None:
    for name, folder in samples.items():
        run = load_run(folder)
        text = " ".join(read(pages[name]).texts)
        view = view_of(run)
        assert view.verdict_words in text
        assert run.root in text
        for scenario in view.scenarios:
            assert scenario.reason in text
            for check in scenario.worst.checks if scenario.worst else ():
                assert check.observed in text
        for judgement in run.judgement.scenarios:
            for example in judgement.violations:
                assert example.sentence in text
        for assertion in run.conformance.assertions:
            assert f"{assertion.family}: {assertion.name}" in text


def test_a_virtual_lab_is_named_before_the_verdict(pages: dict[str, bytes]) -> None:
    text = " ".join(read(pages["healthy"]).texts)
    assert 0 < text.index("Virtual lab") < text.index("Certified")
    assert "Virtual lab" not in " ".join(read(pages["physical"]).texts)


def test_same_run_same_bytes_wherever_it_is(
    samples: dict[str, Path], pages: dict[str, bytes], tmp_path: Path
) -> None:
    copy = shutil.copytree(samples["failing"], tmp_path / "elsewhere")
    assert build_page(copy).read_bytes() == pages["failing"]


def test_ids_are_unique_and_every_link_has_its_target(pages: dict[str, bytes]) -> None:
    for page in pages.values():
        tags = read(page).tags
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        links = [attributes["href"] or "" for name, attributes in tags if name == "a"]
        assert {link.removeprefix("#") for link in links} <= set(ids)
        rows = {attributes.get("data-goes-to") for _, attributes in tags} - {None}
        assert rows
        assert rows <= set(ids)


def test_the_page_refers_to_nothing_outside_of_it(pages: dict[str, bytes]) -> None:
    for page in pages.values():
        for name, attributes in read(page).tags:
            assert name not in ("img", "link", "iframe", "object", "base")
            assert "src" not in attributes
            assert (attributes.get("href") or "#").startswith("#")
            assert not any(key.startswith("on") for key in attributes)
        (policy,) = (
            attributes["content"]
            for _, attributes in read(page).tags
            if attributes.get("http-equiv") == "Content-Security-Policy"
        )
        assert policy is not None
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
    assert "url(" not in _CSS
    assert "@import" not in _CSS


def test_text_of_a_run_is_text_and_never_markup(tmp_path: Path) -> None:
    text = HOSTILE + "</script><script>alert(1)</script>\u2028]]>--><!-- ' \" "
    page = render_page(load_run(write_stress_run(tmp_path / "run", text)))
    seen = read(page)
    assert [name for name, _ in seen.tags].count("script") == 3
    assert not any(name in ("img", "b") for name, _ in seen.tags)
    assert "\u202e" not in page.decode()
    assert "\u2028" not in page.decode()
    assert any("<img src='file:///etc/passwd'/>" in one for one in seen.texts)


def test_a_data_block_cannot_be_ended_by_what_is_in_it() -> None:
    value = {"a": "</script><!--\u2028&"}
    block = data_block("x", value)
    inner = block[block.index(">") + 1 : block.rindex("<")]
    assert not set(inner) & set("<>&\u2028")
    assert json.loads(inner) == value


def test_attributes_are_escaped() -> None:
    assert tag("p", "a<b", title='"><i>') == '<p title="&quot;&gt;&lt;i&gt;">a&lt;b</p>'


def test_200_faults_keep_to_the_budget_of_a_page(tmp_path: Path) -> None:
    folder = write_stress_run(tmp_path / "run", "a fault among many", faults=200)
    assert len(render_page(load_run(folder))) < 5_000_000


def test_points_of_200_charts_keep_to_the_budget() -> None:
    assert course.columns_for(1) == course.COLUMNS_MOST
    assert course.columns_for(200) * 200 <= course.POINTS_MOST


def test_the_slowest_io_survives_however_few_columns_there_are(samples: dict[str, Path]) -> None:
    view = view_of(load_run(samples["failing"]))
    for scenario in view.scenarios:
        few = course.screen_course(view, scenario, columns=8)
        if few is None:
            continue
        table = view.run.io_table(few.judgement.id, few.judgement.repeat)
        frame = pl.read_parquet(table).filter(
            pl.col("probe").is_in(["app-write", "app-read"]) & (pl.col("done_ns") >= 0)
        )
        longest = (frame["done_ns"] - frame["due_ns"]).max() / 1e6
        assert max(took for _, took, _ in few.points) >= longest - 1e-6
        assert len(few.points) <= 8 * 2 + 2


def test_changed_evidence_gets_no_page(healthy: Path) -> None:
    with (healthy / "events.jsonl").open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(RecordError, match=r"events\.jsonl"):
        build_page(healthy)
    assert not (healthy / "report.html").exists()


def test_verify_makes_the_page_again_and_names_the_byte_that_differs(healthy: Path) -> None:
    page = build_page(healthy)
    assert (healthy / "manifest.json").read_bytes() == encode(
        build_manifest(healthy, load_run(healthy).run.run_id)
    )
    good = examine_run(healthy)
    assert good.problems == []
    assert any(line.startswith("report.html") for line in good.checked)
    page.write_bytes(page.read_bytes().replace(b"Certified", b"Certifies", 1))
    (problem,) = examine_run(healthy).problems
    assert re.match(r"report\.html: from byte \d+ on .*'s: ", problem)


def _palettes() -> list[dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", _CSS, re.DOTALL)
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark", "print"])
def test_text_has_the_contrast_of_wcag_aa(palette: dict[str, str]) -> None:
    for ink, grounds in _GROUNDS.items():
        for ground in grounds:
            high, low = sorted((_luminance(palette[ink]), _luminance(palette[ground])))[::-1]
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{ink} on {ground}"
