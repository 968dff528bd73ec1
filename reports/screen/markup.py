"""HTML as escaped text: what comes from a run becomes text of the page, and never markup.

`Html` is text that is markup already. Only `tag` makes it, and escapes everything that is not.
"""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from reports.language.speech import say

VOID = frozenset({"meta", "link", "br", "input"})
"""Elements without an end tag (HTML, 13.1.2)."""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | Iterable[str]


def tag(name: str, /, *children: Child, **attributes: str | bool) -> Html:
    """Return an element; children are said in the report's language and escaped.

    `class_` and `for_` name the attributes that Python keeps for itself; other underscores are
    hyphens. An attribute that is False is left out, one that is True has no value.
    """
    head = name
    for key, value in attributes.items():
        if value is False:
            continue
        plain = key.rstrip("_").replace("_", "-")
        head += f" {plain}" if value is True else f' {plain}="{escape(visible(value))}"'
    if name in VOID:
        return Html(f"<{head}>")
    return Html(f"<{head}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Return the children one after the other."""
    flat: list[str] = []
    for child in children:
        flat += [child] if isinstance(child, str) else child
    return Html("".join(one if isinstance(one, Html) else _text(one) for one in flat))


def _text(text: str) -> str:
    return escape(visible(say(text)), quote=False)


def visible(text: str) -> str:
    """Return *text*, characters that none may print spelled as code points.

    That are control characters and those that turn the direction of a line.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_plain(c) else f"<U+{ord(c):04X}>" for c in text)


def _is_plain(character: str) -> bool:
    # Spaces of all widths are no danger; U+2028 and U+2029 are line ends.
    return character.isprintable() or character in "\n\t\u00a0\u2009\u202f\u3000"


def data_block(name: str, value: Any) -> Html:  # noqa: ANN401 - whatever JSON can hold
    """Return a block of JSON that scripts read; nothing in it can end it or begin markup."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(f'<script type="application/json" id="{name}">{text}</script>')


def table(
    head: Iterable[Child],
    rows: Iterable[str],
    *,
    caption: str,
    unseen: bool = False,
    **attributes: str | bool,
) -> Html:
    """Return a table in a frame that scrolls by itself where the page is narrow.

    *rows* are elements `tr`. An *unseen* caption is for those who hear the page. The frame can be
    focused, so that arrow keys scroll it.
    """
    inner = tag(
        "table",
        tag("caption", tag("span", caption), class_="unseen" if unseen else False),
        tag("thead", tag("tr", [tag("th", one, scope="col") for one in head])),
        tag("tbody", rows),
        **attributes,
    )
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=say(caption))


def row(*cells: Child, **attributes: str | bool) -> Html:
    """Return a row whose first cell names it."""
    first, *others = cells
    return tag(
        "tr", tag("th", first, scope="row"), [tag("td", one) for one in others], **attributes
    )


def definitions(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Return names with their values."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs])
