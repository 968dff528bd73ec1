"""Faults of other packages, found by their entry points (group `zerostall.faults`).

An entry point's name is the kind, its value the class. Nothing is loaded before its kind is asked
for, so a package that is broken spoils nothing but its own faults. What is wrong with it is said
with the package's name.
"""

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points

from fault_injectors.base import Fault
from fault_injectors.shell import FaultError

GROUP = "zerostall.faults"
TEXTS = ("kind", "label", "colour")
VERBS = ("prepare", "apply", "probe", "heal", "healed", "to_params", "from_params")
Find = Callable[[], Iterable[EntryPoint]]


def installed() -> Iterable[EntryPoint]:
    """Return the entry points of all packages of this interpreter."""
    return entry_points(group=GROUP)


def package_of(entry: EntryPoint) -> str:
    """Return "name version" of the package that an entry point is of."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def third_party(kind: str, find: Find = installed) -> type[Fault] | None:
    """Return the class of another package for *kind*, None if no package has one.

    Raises FaultError naming the package when it cannot be loaded, is no fault, or is not alone.
    """
    found = [entry for entry in find() if entry.name == kind]
    if not found:
        return None
    packages = ", ".join(sorted(package_of(entry) for entry in found))
    if len(found) > 1:
        raise FaultError(f"fault kind {kind!r} is claimed by {packages}: expected one package")
    where = f"package {packages}, entry point {GROUP} {kind} = {found[0].value}"
    try:
        cls = found[0].load()
    except Exception as error:  # whatever an import of foreign code may raise
        raise FaultError(f"{where}: cannot be loaded: {error!r}") from error
    if lacks := _lacks(cls, kind):
        raise FaultError(f"{where}: is no fault: {lacks}")
    fault: type[Fault] = cls
    return fault


def names(find: Find = installed) -> list[str]:
    """Return the kinds that other packages claim, sorted."""
    return sorted({entry.name for entry in find()})


def _lacks(cls: object, kind: str) -> str:
    if not isinstance(cls, type):
        return f"expected a class, seen {type(cls).__name__}"
    missing = [name for name in (*TEXTS, *VERBS, "subject") if not _has(cls, name)]
    if missing:
        return f"it lacks {', '.join(missing)}"
    said = str(getattr(cls, "kind", ""))
    return "" if said == kind else f"its kind is {said!r}, the entry point says {kind!r}"


def _has(cls: type, name: str) -> bool:
    if name in TEXTS:
        return isinstance(getattr(cls, name, None), str)
    return hasattr(cls, name) or name in getattr(cls, "__dataclass_fields__", ())
