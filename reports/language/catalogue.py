"""A catalogue of translations: English texts, some with places for figures and other texts.

A catalogue is a TOML file of pairs, English = translation. In both, `{n}`, `{m}` and `{k}` stand
for a figure, `{ms}` for times with their unit, `{text}` for any text, and other names for a text
within a sentence. Texts are translated in their turn, or stay as they are.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from string import Formatter

import msgspec

FOLDER = Path(__file__).parent
_ONE = r"(?:(?!; |[.!?] [A-Z“]).)+?"
"""Part of one sentence."""
_FIGURE = "[+−-]?[0-9][0-9.,\u202f]*"
_TIME = rf"(?:[≤<~ ]*{_FIGURE}[ \u202f](?:ms|s)|–)"
_WITH_UNIT = re.compile(rf"[≤<~ ]*{_FIGURE}[ \u202f]?(ms|s|B|[KMGT]iB|%)?(?![A-Za-z])")
_PARTS = " · "
_SEAMS = (" / ", "  ")
_WEAK = 2
_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z0-9“])")


class CatalogueError(ValueError):
    """A catalogue is wrong; the message names the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """An entry with places."""

    source: str
    target: str
    matcher: re.Pattern[str]
    literal: str  # its longest fixed part; a text without it cannot match
    weight: int  # how many letters are fixed; of two that match, the heavier one is meant

    @classmethod
    def of(cls, source: str, target: str) -> "Pattern":
        """Return the entry; raise CatalogueError where the two have different places."""
        parts = list(Formatter().parse(source))
        names = [name for _, name, _, _ in parts if name is not None]
        wanted = {name for _, name, _, _ in Formatter().parse(target) if name is not None}
        if wanted - set(names) or len(set(names)) < len(names):
            raise CatalogueError(f"{source!r}: its places {names} are not those of {target!r}")
        literals = [literal for literal, *_ in parts]
        regex = "".join(
            re.escape(literal) + (f"(?P<{name}>{_regex_of(name)})" if name else "")
            for literal, name, _, _ in parts
        )
        return cls(
            source=source,
            target=target,
            matcher=re.compile(regex, re.DOTALL),
            literal=max(literals, key=len),
            weight=sum(character.isalpha() for literal in literals for character in literal),
        )


def _regex_of(name: str) -> str:
    if _is_figure(name):
        return _FIGURE
    if name.startswith("ms"):
        return rf"{_TIME}(?: / {_TIME})*"
    return ".+?" if name.startswith("text") else _ONE


def _is_figure(name: str) -> bool:
    return len(name) == 1


@dataclass(frozen=True, slots=True)
class Found:
    """A translation, and the texts within it that are not known and stayed as they were."""

    text: str
    missing: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """The translations into one language, and which of them were wanted."""

    exact: Mapping[str, str]
    patterns: tuple[Pattern, ...]
    used: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    _known: dict[str, Found | None] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Mapping[str, str]) -> "Catalogue":
        """Return the catalogue of *entries*; raise CatalogueError naming one that is wrong."""
        patterns = [Pattern.of(a, b) for a, b in entries.items() if "{" in a]
        patterns.sort(key=lambda pattern: (-pattern.weight, pattern.source))
        exact = {a: b for a, b in entries.items() if "{" not in a}
        return cls(exact=exact, patterns=tuple(patterns))

    def translate(self, text: str) -> str:
        """Return *text* in the language of the catalogue, or as it is where that is not known."""
        found = self._part(text)
        self.missing.update(found.missing)
        return found.text

    def find(self, text: str) -> Found | None:
        """Return the translation; None where there is none."""
        if text not in self._known:
            self._known[text] = self._find(text)
        return self._known[text]

    def _part(self, text: str) -> Found:
        return self.find(text) or Found(text, (text,))

    def _find(self, text: str) -> Found | None:
        if not any(character.isalpha() for character in _WITH_UNIT.sub("", text)):
            return Found(text)
        if text in self.exact:
            self.used.add(text)
            return Found(self.exact[text])
        return (
            self._in_parts(text, (_PARTS,))
            or self._all(_SENTENCE.split(text), "")
            or self._match(text)
            or self._in_parts(text, _SEAMS)
            or self._all(text.split("; "), "；")
            or self._all(text.split(", "), "，")
        )

    def _match(self, text: str) -> Found | None:
        for pattern in self.patterns:
            match = pattern.matcher.fullmatch(text) if pattern.literal in text else None
            if match is None:
                continue
            values = {
                name: Found(value) if _is_figure(name) else self._part(value)
                for name, value in match.groupdict().items()
            }
            if pattern.weight <= _WEAK and not _is_meant(match.groupdict(), values):
                continue
            self.used.add(pattern.source)
            told = {name: found.text for name, found in values.items()}
            return Found(pattern.target.format(**told), _missing_of(values.values()))
        return None

    def _in_parts(self, text: str, seams: tuple[str, ...]) -> Found | None:
        """Translate a line of parts that have nothing to do with each other."""
        for seam in seams:
            if seam in text:
                parts = [self._part(part) for part in text.split(seam)]
                return Found(seam.join(part.text for part in parts), _missing_of(parts))
        return None

    def _all(self, parts: list[str], seam: str) -> Found | None:
        """Translate *parts* if there are several and every one is known."""
        if len(parts) == 1:
            return None
        found = [self.find(part) for part in parts]
        known = [part for part in found if part is not None]
        if len(known) < len(found):
            return None
        return Found(seam.join(part.text for part in known), _missing_of(known))


def _is_meant(values: Mapping[str, str], found: Mapping[str, Found]) -> bool:
    """Tell whether the match of a pattern with few fixed letters is no accident."""
    texts = [name for name in values if not _is_figure(name)]
    return not texts or any(found[name].text != values[name] for name in texts)


def _missing_of(parts: Iterable[Found]) -> tuple[str, ...]:
    return tuple(text for part in parts for text in part.missing)


def read_entries(language: str) -> dict[str, str]:
    """Return all entries of *language*: its files of the folder, together.

    Raises CatalogueError for an English text that is there twice.
    """
    entries: dict[str, str] = {}
    for path in sorted(FOLDER.glob(f"{language}*.toml")):
        own = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, str])
        _refuse_twice(path, own, entries)
        entries |= own
    return entries


def _refuse_twice(path: Path, own: Iterable[str], entries: Mapping[str, str]) -> None:
    for text in own:
        if text in entries:
            raise CatalogueError(f"{path.name}: {text!r} is in another file, too")


@lru_cache
def catalogue_of(language: str) -> Catalogue:
    """Return the catalogue of *language*, read once."""
    return Catalogue.of(read_entries(language))
