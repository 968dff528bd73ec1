"""The language that is spoken while pages are laid out.

Sections write English. What lays a text out asks here first, so a text is measured, cut and
wrapped as it will be read. Outside of `speaking` all is English and nothing is looked up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reports.language.catalogue import Catalogue, catalogue_of

ENGLISH = "en"
_CATALOGUE: ContextVar[Catalogue | None] = ContextVar("catalogue", default=None)


class Said(str):
    """A text in the language of the report: not looked up again."""

    __slots__ = ()


@contextmanager
def speaking(language: str) -> Iterator[Catalogue | None]:
    """Lay out in *language* from here on; yields the catalogue, None for English."""
    catalogue = None if language == ENGLISH else catalogue_of(language)
    token = _CATALOGUE.set(catalogue)
    try:
        yield catalogue
    finally:
        _CATALOGUE.reset(token)


def is_english() -> bool:
    """Tell whether nothing is translated."""
    return _CATALOGUE.get() is None


def said(text: str) -> str:
    """Mark what was made of a translated text, a line of it, so that it is not looked up again."""
    return text if is_english() else Said(text)


def say(text: str) -> str:
    """Return *text* in the language that is spoken."""
    catalogue = _CATALOGUE.get()
    if catalogue is None or isinstance(text, Said):
        return text
    return Said(catalogue.translate(text))
