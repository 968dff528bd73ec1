"""What [acceptance] of a lab file must say, and how it gets into a run folder."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from certify.lab_errors import LabError, explain_shape, explain_toml
from reports.record import Acceptance as AcceptanceRecord
from reports.record_acceptance import LANGUAGES, PAPERS, SIGNATORIES_MAX, STATES

if TYPE_CHECKING:
    from certify.lab import Acceptance

_CHOICES = {"language": LANGUAGES, "paper": PAPERS, "state": STATES}


def acceptance_problems(accepted: "Acceptance", folder: Path) -> list[str]:
    """Return a line per problem in [acceptance] of a lab file in *folder*; [] if there is none."""
    return [
        *_choices(accepted),
        *_signatories(accepted),
        *_revisions(accepted),
        *_logo(accepted, folder),
        *_required(accepted),
    ]


def _choices(accepted: "Acceptance") -> Iterator[str]:
    for key, choices in _CHOICES.items():
        seen = getattr(accepted, key)
        if seen not in choices:
            yield f"acceptance.{key}: expected one of {', '.join(choices)}, seen {seen!r}"


def _signatories(accepted: "Acceptance") -> Iterator[str]:
    key = "acceptance.signatories"
    roles = roles_of(accepted)
    if len(roles) > SIGNATORIES_MAX:
        yield f"{key}: expected at most {SIGNATORIES_MAX}, seen {len(roles)}"
    for role, times in Counter(roles).items():
        if not role.strip():
            yield f"{key}: expected a role, seen {role!r}"
        elif times > 1:
            yield f"{key}: expected different roles, seen {role!r} {times} times"


def _revisions(accepted: "Acceptance") -> Iterator[str]:
    numbers = [one.number for one in accepted.revisions]
    for index, one in enumerate(accepted.revisions):
        key = f"acceptance.revisions[{index}]"
        if not one.number.strip() or not one.what.strip():
            seen = f"{one.number!r}, {one.what!r}"
            yield f"{key}: expected a number and what was changed, seen {seen}"
        if one.number in numbers[:index]:
            yield f"{key}.number: expected different numbers, seen {one.number!r} twice"
        if index and one.date < accepted.revisions[index - 1].date:
            before = accepted.revisions[index - 1].date
            yield f"{key}.date: expected {before} or later, seen {one.date}"
    if accepted.state == "issued" and not accepted.revision:
        yield 'acceptance.revision: expected a number, for state is "issued", seen none'
    if accepted.revision and accepted.revision not in numbers[-1:]:
        last = repr(numbers[-1]) if numbers else "none"
        yield (
            f"acceptance.revision: expected the last of acceptance.revisions, {last}, "
            f"seen {accepted.revision!r}"
        )


def _required(accepted: "Acceptance") -> Iterator[str]:
    for index, one in enumerate(accepted.required):
        key = f"acceptance.required[{index}]"
        if not one.id.strip() or not one.text.strip():
            yield f"{key}: expected an id and a text, seen {one.id!r}, {one.text!r}"
        if not one.by or not all(name.strip() for name in one.by):
            yield f"{key}.by: expected scenarios or requirements of the protocol, seen {one.by!r}"
    for name, times in Counter(one.id for one in accepted.required).items():
        if times > 1:
            yield f"acceptance.required: expected different ids, seen {name!r} {times} times"


def _logo(accepted: "Acceptance", folder: Path) -> Iterator[str]:
    if not accepted.logo:
        return
    from reports.logo import LogoError, inspect_logo  # loads a library of pictures

    path = folder / accepted.logo
    try:
        inspect_logo(_read_logo(path))
    except OSError as error:
        yield f"acceptance.logo: {path}: cannot be read: {error.strerror or error}"
    except LogoError as error:
        yield f"acceptance.logo: {path}: {error}"


def _read_logo(path: Path) -> bytes:
    """Return the file, or so much of it as tells that it is too large."""
    from reports.logo import BYTES_MAX

    with path.open("rb") as stream:
        return stream.read(BYTES_MAX + 1)


def roles_of(accepted: "Acceptance") -> list[str]:
    """Return the roles that sign, in the order of the cover."""
    return [one if isinstance(one, str) else one.role for one in accepted.signatories]


def read_acceptance(path: Path) -> "Acceptance":
    """Return [acceptance] of a lab file, or of a file that holds nothing else, checked.

    Raises LabError with a line per problem: the file, the key, what was expected and seen.
    """
    from certify.lab import Acceptance, located

    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text).get("acceptance")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{path}: {explain_toml(error, text)}") from error
    if table is None:
        raise LabError(f"{path}: acceptance: expected a table [acceptance], seen none")
    try:
        accepted = msgspec.convert(table, Acceptance)
    except msgspec.ValidationError as error:
        raise LabError(f"{path}: acceptance: {explain_shape(error, Acceptance)}") from error
    problems = acceptance_problems(accepted, path.parent)
    if problems:
        raise LabError("\n".join(f"{path}: {problem}" for problem in problems))
    return located(accepted, path.parent)


def record_of(accepted: "Acceptance", folder: Path, *, replaces: str = "") -> AcceptanceRecord:
    """Return what run.json says of *accepted*; its logo is copied into the run *folder*.

    Raises LabError for a logo that is no longer what it was when the lab file was read.
    """
    told = {
        "customer": accepted.customer,
        "contract": accepted.contract,
        "requirements": accepted.requirements,
        "signatories": roles_of(accepted),
        "names": _names_of(accepted),
        "language": accepted.language,
        "paper": accepted.paper,
        "state": accepted.state,
        "revision": accepted.revision,
        "revisions": msgspec.to_builtins(accepted.revisions),
        "logo": _copy_logo(Path(accepted.logo), folder) if accepted.logo else "",
        "required": msgspec.to_builtins(accepted.required),
        "replaces": replaces,
    }
    return msgspec.convert(told, AcceptanceRecord)


def _copy_logo(path: Path, folder: Path) -> str:
    from reports.logo import LogoError, inspect_logo

    try:
        data = _read_logo(path)
        name = inspect_logo(data).name
    except (OSError, LogoError) as error:
        raise LabError(f"acceptance.logo: {path}: {error}") from error
    (folder / name).write_bytes(data)
    return name


def _names_of(accepted: "Acceptance") -> dict[str, str]:
    named = (one for one in accepted.signatories if not isinstance(one, str))
    return {one.role: one.name for one in named if one.name}
