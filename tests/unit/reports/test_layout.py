"""No word of any page leaves its page or meets another word, whatever the run holds."""

from itertools import combinations
from pathlib import Path

import pytest

from reports.build import lay_out
from reports.folder import load_run
from reports.ink import Anchor, Page, Text
from reports.paper import A4, LETTER, Paper
from reports.style import FONTS, LEFT, RIGHT, SIZES
from reports.words import printable
from tests.unit.reports.sample_acceptance import accepted
from tests.unit.reports.sample_course import Variant
from tests.unit.reports.sample_stress import ENDLESS, HOSTILE, WORDY, write_stress_run

VARIANTS = [*map(str, Variant), "physical"]
STRESS = {
    "endless": (ENDLESS, 3, 20),
    "wordy": (WORDY, 3, 3),
    "hostile": (HOSTILE * 6, 3, 20),
    "many faults": ("Fault", 200, 2),
    "nothing": ("x", 0, 0),
    "empty names": ("", 2, 2),
}


def words_of(page: Page) -> list[Text]:
    return [mark for mark in page.marks if isinstance(mark, Text) and mark.text]


def outside(page: Page, paper: Paper = A4) -> list[str]:
    boxes = [(text, *text.box()) for text in words_of(page)]
    return [
        text.text
        for text, left, top, right, bottom in boxes
        if left < LEFT - 0.5 or right > RIGHT + 0.5 or top < 20 or bottom > paper.height - 20
    ]


def collisions(page: Page) -> list[tuple[str, str]]:
    boxed = [(text.text, text.box()) for text in words_of(page)]
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxed, 2)
        if a[0] < b[2] - 0.2 and b[0] < a[2] - 0.2 and a[1] < b[3] - 0.2 and b[1] < a[3] - 0.2
    ]


@pytest.mark.parametrize("paper", [A4, LETTER], ids=lambda paper: paper.name)
@pytest.mark.parametrize("variant", VARIANTS)
def test_words_stay_on_their_page_and_apart(
    samples: dict[str, Path], variant: str, paper: Paper
) -> None:
    pages = lay_out(accepted(samples[variant], paper=paper.name))
    assert [outside(page, paper) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)


@pytest.mark.parametrize("name", STRESS)
def test_no_text_is_too_much(tmp_path: Path, name: str) -> None:
    text, faults, paths = STRESS[name]
    folder = write_stress_run(tmp_path / "run", text, faults=faults, paths=paths)
    pages = lay_out(load_run(folder))
    assert [outside(page) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_scenario_has_exactly_one_page(
    samples: dict[str, Path], variant: str, paper: str
) -> None:
    run = accepted(samples[variant], paper=paper)
    pages = lay_out(run)
    begins = {
        mark.name: number
        for number, page in enumerate(pages)
        for mark in page.marks
        if isinstance(mark, Anchor) and not mark.level
    }
    judged = {judgement.id for judgement in run.judgement.scenarios}
    scenarios = [number for name, number in begins.items() if name.startswith("scenario-")]
    assert len(scenarios) == len(judged)
    assert {number + 1 for number in scenarios} <= {*begins.values()}


def test_type_is_of_the_six_sizes_and_three_fonts(samples: dict[str, Path]) -> None:
    texts = [text for page in lay_out(load_run(samples["failing"])) for text in words_of(page)]
    assert {text.size for text in texts} <= set(SIZES)
    assert {text.font for text in texts} == set(FONTS)


def test_every_character_has_a_glyph(tmp_path: Path) -> None:
    folder = write_stress_run(tmp_path / "run", HOSTILE, faults=2, paths=2)
    texts = [text for page in lay_out(load_run(folder)) for text in words_of(page)]
    lacking = [text.text for text in texts if text.text != _kept(text)]
    assert lacking == []


def _kept(text: Text) -> str:
    """Return what of a text its font can draw; runs of spaces are ours."""
    return "".join(c if c.isspace() else printable(c, text.font) for c in text.text)
