"""Numbers with units, and text that is cut or wrapped to the width it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import words
from reports.style import BODY, BOLD, FALLBACK, FONTS, MONO, REGULAR, SMALL, runs, text_width

TEXTS = st.text(max_size=80)
WIDTHS = st.floats(min_value=20, max_value=400)


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.423, "0.42 ms"),
        (3.14159, "3.14 ms"),
        (84.21, "84.2 ms"),
        (613.4, "613 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (4821, "4.82 s"),
        (131_940, "132 s"),
    ],
)
def test_duration_has_three_digits_and_a_unit(ms: float | None, expected: str) -> None:
    assert words.duration(ms).replace(words.THIN_SPACE, " ") == expected


def test_column_of_seconds_has_one_precision() -> None:
    assert [words.seconds(ms) for ms in (3.1, 250, 131_940.0)] == ["0.003", "0.250", "131.940"]


def test_missing_is_a_dash_and_zero_is_zero() -> None:
    assert (words.seconds(None), words.seconds(0)) == ("–", "0.000")


def test_offset_carries_its_sign() -> None:
    assert (words.offset(4.1), words.offset(-3000)) == ("+0.004", "−3.000")


def test_count_is_in_groups_of_three() -> None:
    assert words.count(1_284_113).split(words.THIN_SPACE) == ["1", "284", "113"]


def test_time_span_names_a_day_once() -> None:
    span = words.span_of_time("2026-11-23T10:15:00Z", "2026-11-23T10:17:21Z")
    assert span == "2026-11-23, 10:15:00 to 10:17:21 UTC"


def test_time_span_of_a_run_that_goes_on() -> None:
    assert words.span_of_time("2026-11-23T10:15:00Z", "").endswith("not ended")


def test_capacity_is_in_binary_units() -> None:
    assert (words.size(64 << 20), words.size(512)) == ("64 MiB", "512 B")


@given(TEXTS, WIDTHS, st.sampled_from(FONTS))
def test_fitted_text_is_never_wider(text: str, width: float, font: str) -> None:
    assert text_width(words.fit(text, font, SMALL, width), font, SMALL) <= width


@given(TEXTS, WIDTHS)
def test_wrapped_lines_are_never_wider(text: str, width: float) -> None:
    lines = words.wrap(text, REGULAR, BODY, width)
    assert max(text_width(line, REGULAR, BODY) for line in lines) <= width


@given(TEXTS, WIDTHS)
def test_wrapping_loses_no_word(text: str, width: float) -> None:
    lines = words.wrap(text, BOLD, BODY, width)
    kept = words.printable(text, BOLD)
    assert "".join(lines).replace(" ", "") == kept.replace(" ", "")


@given(TEXTS, st.integers(min_value=1, max_value=4))
def test_wrapping_keeps_to_its_lines(text: str, most: int) -> None:
    assert len(words.wrap(text, MONO, SMALL, 60, max_lines=most)) <= most


def test_character_without_glyph_is_spelled() -> None:
    assert words.printable("ป a\x00b", REGULAR) == "<U+0E1B> a<U+0000>b"


@pytest.mark.parametrize("font", FONTS)
def test_chinese_is_drawn_by_the_font_that_stands_in(font: str) -> None:
    assert words.printable("上海 SAN 医院", font) == "上海 SAN 医院"
    assert [name for name, _ in runs("上海 SAN", font)] == [FALLBACK[font], font]


def test_quotes_are_of_the_script_beside_them() -> None:
    assert runs("“路径”", REGULAR) == ((FALLBACK[REGULAR], "“路径”"),)
    assert runs("“path”", REGULAR) == ((REGULAR, "“path”"),)


def test_chinese_breaks_without_spaces_and_never_before_a_closing_mark() -> None:
    text = "主机、引擎、阵列（两套）全部运行。"
    for width in range(20, 140):
        lines = words.wrap(text, REGULAR, BODY, width)
        assert "".join(lines) == text
        assert not any(line[0] in "、（）。" and line[0] != "（" for line in lines)
        assert not any(line[-1] == "（" for line in lines)


def test_cut_lines_of_chinese_get_no_spaces() -> None:
    lines = words.wrap("存储阵列数据路由器" * 5, REGULAR, BODY, 60, max_lines=2)
    assert len(lines) == 2
    assert " " not in "".join(lines)
