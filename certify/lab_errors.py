"""What is wrong with a lab file: the key, what was expected and what was seen, in words."""

import re
import tomllib
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec


class LabError(Exception):
    """The lab file is wrong; the message names the file, the key, what was expected and seen."""


_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_AT = re.compile(r" - at `\$\.?(.*?)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")
_MISSING = re.compile(r"Object missing required field `(.*?)`")
_CHOICE = re.compile(r"Invalid enum value (.*)")
_MISTAKES = (
    ("Expected `array`, got `object`", "write [[{key}]], for there may be several"),
    ("Expected `array`, got `str`", 'write a list of words: ["word", "word"]'),
    ("Expected `object | null`, got `str`", 'write a command as {{ argv = ["word", "word"] }}'),
    ("Expected `object`, got `str`", 'write a command as {{ argv = ["word", "word"] }}'),
)
"""What msgspec says of the usual mistakes, and what is meant."""


def explain_toml(error: tomllib.TOMLDecodeError, text: str) -> str:
    """Return the parser's complaint, and the line of the file that it is about."""
    found = _LINE.search(str(error))
    lines = text.splitlines()
    if found is None or int(found[1]) > len(lines):
        return f"is not TOML: {error}"
    number = int(found[1])
    return f"line {number}, {lines[number - 1].strip()!r}: {error}"


def explain_shape(error: msgspec.ValidationError, root: type[msgspec.Struct]) -> str:
    """Return which key of a file of type *root* is wrong, and which keys there may be.

    msgspec names the place as `$.host[0].name`; here it is `host[0].name`.
    """
    message = str(error)
    where = found[1] if (found := _AT.search(message)) else ""
    said = _AT.sub("", message)
    unknown = _UNKNOWN.match(said)
    if unknown is None:
        return _explain_value(where, said, root)
    table = _struct_at(root, where)
    known = ", ".join(table.__struct_fields__) if table else "another"
    key = f"{where}.{unknown[1]}" if where else unknown[1]
    return f"{key}: unknown key, expected one of {known}"


def _explain_value(where: str, said: str, root: type[msgspec.Struct]) -> str:
    """Return what is wrong with the value at *where*: missing, unknown or of another type."""
    if (missing := _MISSING.match(said)) is not None:
        return f"{where}.{missing[1]}: expected, seen none".removeprefix(".")
    if (value := _CHOICE.match(said)) is not None:
        table, _, key = re.sub(r"\[.*?\]", "", where).rpartition(".")
        hints = get_type_hints(_struct_at(root, table) or root)
        return f"{where}: expected one of {', '.join(_choices(hints.get(key)))}, seen {value[1]}"
    for mistake, meant in _MISTAKES:
        if said.startswith(mistake):
            said = f"{said}; {meant.format(key=where)}"
            break
    return f"{where}: {said}" if where else said


def _choices(hint: Any) -> list[str]:  # noqa: ANN401 - a type of any kind
    """Return the words of the `Literal` in a type like `list[Literal["a", "b"]]`."""
    if get_origin(hint) is Literal:
        return [str(one) for one in get_args(hint)]
    return [word for one in get_args(hint) for word in _choices(one)]


def _struct_at(root: type[msgspec.Struct], where: str) -> type[msgspec.Struct] | None:
    """Return the type of the table at "host[0].pid", None if it is none of ours."""
    table: type[msgspec.Struct] | None = root
    for name in re.sub(r"\[.*?\]", "", where).split("."):
        if name and table is not None:
            table = _struct_in(get_type_hints(table).get(name))
    return table


def _struct_in(hint: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - a type of any kind
    """Return the first struct in a type like `list[Host]` or `Command | None`."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    if get_origin(hint) in (list, Union, UnionType):
        return next((found for one in get_args(hint) if (found := _struct_in(one))), None)
    return None
