"""Scenarios and virtual targets of other packages, found by their entry points.

| group | name | value |
| --- | --- | --- |
| `zerostall.faults` | the kind | a class (`fault_injectors.extensions` finds it) |
| `zerostall.scenarios` | the id | a module with SCENARIO |
| `zerostall.targets` | what `--target` takes | a module with TARGET and `builder()` |

The scenarios of a package make up a profile of the package's name, behind the healthy baseline.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from certify.lab import LabError
from fault_injectors.extensions import package_of

SCENARIO_GROUP = "zerostall.scenarios"
TARGET_GROUP = "zerostall.targets"
Find = Callable[[str], Iterable[EntryPoint]]


def installed(group: str) -> Iterable[EntryPoint]:
    """Return the entry points of all packages of this interpreter."""
    return entry_points(group=group)


def load_module(entry: EntryPoint) -> ModuleType:
    """Import the module that *entry* names; raise LabError naming the package if it cannot be."""
    where = f"package {package_of(entry)}, entry point {entry.group} {entry.name} = {entry.value}"
    if entry.attr:
        raise LabError(f"{where}: expected the name of a module, without a colon")
    try:
        return import_module(entry.module)
    except Exception as error:  # whatever an import of foreign code may raise
        raise LabError(f"{where}: cannot be loaded: {error!r}") from error


def load_scenarios(find: Find = installed) -> list[str]:
    """Add the scenarios of other packages to MODULES and PROFILES; return what is amiss with some.

    A package that is broken spoils nothing but its own scenarios. Harmless when done again.
    """
    from certify.scenarios import MODULES, PROFILES  # not at import: scenarios are slow to load
    from certify.scenarios.profiles import REPEATS, WORDS

    problems = []
    for entry in sorted(find(SCENARIO_GROUP), key=lambda one: (package_of(one), one.name)):
        try:
            module = load_module(entry)
            _check(entry, module, MODULES)
        except LabError as error:
            problems.append(str(error))
            continue
        MODULES[entry.name] = module
        profile = entry.dist.name if entry.dist else "others"
        WORDS.setdefault(profile, f"the scenarios of package {package_of(entry)}")
        REPEATS.setdefault(profile, 1)
        ids = PROFILES.get(profile, ("B0",))
        PROFILES[profile] = ids if entry.name in ids else (*ids, entry.name)
    return problems


def _check(entry: EntryPoint, module: ModuleType, known: dict[str, ModuleType]) -> None:
    from certify.scenarios.base import Scenario

    where = f"package {package_of(entry)}, entry point {entry.group} {entry.name}: {entry.module}"
    scenario = getattr(module, "SCENARIO", None)
    if not isinstance(scenario, Scenario):
        raise LabError(f"{where} has no SCENARIO; expected a Scenario, seen {scenario!r}")
    if scenario.id != entry.name:
        raise LabError(f"{where} describes {scenario.id!r}; expected the entry point's name")
    taken = known.get(entry.name)
    if taken is not None and taken is not module:
        raise LabError(f"{where}: the id is taken by {taken.__name__}")


def module_of(group: str, name: str, find: Find = installed) -> ModuleType | None:
    """Return the module of another package for *name*, None if no package has one.

    Raises LabError naming the packages when it cannot be loaded or is not alone.
    """
    found = [entry for entry in find(group) if entry.name == name]
    if len(found) > 1:
        packages = ", ".join(sorted(package_of(entry) for entry in found))
        raise LabError(f"{group} {name!r} is claimed by {packages}: expected one package")
    return load_module(found[0]) if found else None
