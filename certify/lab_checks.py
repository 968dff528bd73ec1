"""What a lab file must say without contradicting itself. Pure; devices are looked at elsewhere."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certify.lab import Array, Command, Entry, Lab

LOAD = "load"
PURPOSES = (LOAD, "conformance", "application")
"""What a logical unit may be for: tagged load, conformance tests, a file system's workload."""
KINDS = ("physical", "virtual")
_HCTL = re.compile(r"[0-9*?]+(:[0-9*?]+){3}")
_REACH = re.compile(r"local|ssh:\S+")
_WWID = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z._+-]*")
_PAIRS = (
    ("engine", ("leave", "left", "rejoin")),
    ("logical_unit", ("unmap", "map", "is_unmapped")),
    ("array", ("detach", "attach")),
    ("array", ("busy", "calm", "is_busy")),
    ("link", ("cut", "mend", "is_cut")),
)
"""Commands that undo or prove each other: one without the others would break for good."""
_BACK = ("cut", "mend", "is_cut")


def lab_problems(lab: "Lab") -> list[str]:
    """Return a line per contradiction in *lab*, which has the right shape; [] if there is none."""
    return [
        *_empty(lab),
        *_duplicates(lab),
        *_values(lab),
        *_references(lab),
        *_globs(lab),
        *_commands(lab),
    ]


def _empty(lab: "Lab") -> Iterator[str]:
    for name in ("host", "logical_unit", "path", "engine"):
        if not getattr(lab, name):
            yield f"{name}: expected at least one [[{name}]] table, seen none"
    if lab.logical_unit and all(unit.purpose in PURPOSES[1:] for unit in lab.logical_unit):
        yield f'logical_unit: expected one with purpose = "{LOAD}", seen none'


def _duplicates(lab: "Lab") -> Iterator[str]:
    for table in ("host", "logical_unit", "path", "engine", "array"):
        for name in _twice(one.name for one in getattr(lab, table)):
            yield f"{table}: expected different names, seen {name!r} twice"
    wwids = [unit.wwid for unit in lab.logical_unit]
    wwids += [lab.control.wwid] if lab.control else []
    legs = [leg.inspect_wwid for array in lab.array for leg in array.leg if leg.inspect_wwid]
    for wwid in _twice(wwids + legs):
        yield f"wwid: expected every disk to be named once, seen {wwid} twice"
    for scenario in _twice(means.scenario for means in lab.means):
        yield f"means: expected one table per scenario, seen {scenario!r} twice"
    for array in lab.array:
        for unit in _twice(leg.logical_unit for leg in array.leg):
            yield f"array {array.name}: expected one leg of a logical unit, seen {unit!r} twice"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _values(lab: "Lab") -> Iterator[str]:
    if lab.lab.kind not in KINDS:
        yield f"lab.kind: expected {' or '.join(KINDS)}, seen {lab.lab.kind!r}"
    for unit in lab.logical_unit:
        if unit.purpose not in PURPOSES:
            expected = ", ".join(PURPOSES)
            yield (
                f"logical_unit {unit.name}: purpose: expected one of {expected}, "
                f"seen {unit.purpose!r}"
            )
        if unit.size_bytes < 0 or unit.size_bytes % 512:
            yield (
                f"logical_unit {unit.name}: size_bytes: expected a multiple of 512, "
                f"seen {unit.size_bytes}"
            )
    yield from _wwids(lab)
    yield from _reaches(lab)
    for host in lab.host:
        if not host.python or not all(host.python):
            yield f"host {host.name}: python: expected a command, seen {host.python}"
    for verb in ("failover_ms", "failback_ms"):
        for scenario, limit in getattr(lab.limits, verb).items():
            if not limit > 0:
                yield f"limits.{verb}.{scenario}: expected more than 0, seen {limit:g}"


def _wwids(lab: "Lab") -> Iterator[str]:
    wwids = [(f"logical_unit {unit.name}: wwid", unit.wwid) for unit in lab.logical_unit]
    wwids += [("control: wwid", lab.control.wwid)] if lab.control else []
    wwids += [
        (f"array {array.name}: leg {leg.logical_unit}: inspect_wwid", leg.inspect_wwid)
        for array in lab.array
        for leg in array.leg
        if leg.inspect_wwid
    ]
    for where, wwid in wwids:
        if not _WWID.fullmatch(wwid):
            yield f"{where}: expected a WWID, seen {wwid!r}"


def _reaches(lab: "Lab") -> Iterator[str]:
    """Each must be one that there is, and the suite must be on the first host."""
    reach = [
        (f"{table} {one.name}", one.reach)
        for table in ("host", "engine", "array")
        for one in getattr(lab, table)
    ]
    reach += [("link", lab.link.reach)] if lab.link else []
    reach += [(f"array {one.name}: back", one.back.reach) for one in lab.array if one.back]
    reach += [(f"means {means.scenario}", means.reach) for means in lab.means]
    for where, seen in reach:
        if not _REACH.fullmatch(seen):
            yield f'{where}: reach: expected "local" or "ssh:user@name", seen {seen!r}'
    for host in lab.host[:1]:
        if _REACH.fullmatch(host.reach) and host.reach != "local":
            yield (
                f'host {host.name}: reach: expected "local", for the suite runs on the first '
                f"host, seen {host.reach!r}"
            )


def _references(lab: "Lab") -> Iterator[str]:
    hosts = [host.name for host in lab.host]
    engines = [engine.name for engine in lab.engine]
    units = [unit.name for unit in lab.logical_unit]
    for unit in lab.logical_unit:
        yield from _known(f"logical_unit {unit.name}: host", unit.host, hosts)
        for host in unit.also_on:
            yield from _known(f"logical_unit {unit.name}: also_on", host, hosts)
        if unit.host in hosts[1:]:
            yield (
                f"logical_unit {unit.name}: host: expected {hosts[0]}, the first host, where the "
                f"suite runs, seen {unit.host!r}"
            )
        if unit.host in unit.also_on:
            yield f"logical_unit {unit.name}: also_on: expected other hosts, seen {unit.host!r}"
    for path in lab.path:
        yield from _known(f"path {path.name}: host", path.host, hosts)
        yield from _known(f"path {path.name}: engine", path.engine, engines)
    if lab.control is not None:
        yield from _known("control: host", lab.control.host, hosts)
    for means in lab.means:
        for host in means.hosts:
            yield from _known(f"means {means.scenario}: hosts", host, hosts[1:])
    for array in lab.array:
        for leg in array.leg:
            yield from _known(f"array {array.name}: leg", leg.logical_unit, units)


def _known(key: str, name: str, names: list[str]) -> Iterator[str]:
    if name not in names:
        yield f"{key}: expected one of {', '.join(names) or 'none'}, seen {name!r}"


def _globs(lab: "Lab") -> Iterator[str]:
    """Each glob must be a SCSI address, and no two of them may choose the same devices.

    Whether they do is seen when devices are looked for; here only those that must.
    """
    reach = {host.name: host.reach for host in lab.host}
    globs = [(f"path {path.name}", reach.get(path.host, ""), path.hctl) for path in lab.path]
    globs += [(f"array {array.name}", array.reach, hctl) for array, hctl in _back_paths(lab)]
    for key, _, hctl in globs:
        if not _HCTL.fullmatch(hctl):
            yield f"{key}: hctl: expected host:channel:target:lun, * and ? allowed, seen {hctl!r}"
    for (one, here, glob), (other, there, same) in combinations(globs, 2):
        if here == there and glob == same:
            yield f"{one} and {other}: hctl: expected different devices, both say {glob!r}"


def _back_paths(lab: "Lab") -> Iterator[tuple["Array", str]]:
    return ((array, hctl) for array in lab.array for hctl in array.hctl)


def _commands(lab: "Lab") -> Iterator[str]:
    for table, verbs in _PAIRS:
        found = getattr(lab, table)
        for one in found if isinstance(found, list) else [found] if found else []:
            where = table if table == "link" else f"{table} {one.name}"
            yield from _together(where, one, verbs)
    for array in lab.array:
        if array.back is not None:
            yield from _together(f"array {array.name}: back", array.back, _BACK)
    for key, command in _all_commands(lab):
        if not command.argv or not command.argv[0]:
            yield f"{key}: argv: expected a command, seen {command.argv}"
        if not command.timeout_s > 0:
            yield f"{key}: timeout_s: expected more than 0, seen {command.timeout_s:g}"


def _together(where: str, table: "Entry", verbs: tuple[str, ...]) -> Iterator[str]:
    missing = [verb for verb in verbs if getattr(table, verb) is None]
    if missing and len(missing) < len(verbs):
        yield f"{where}: expected {', '.join(verbs)} together, seen none for {', '.join(missing)}"


def _all_commands(lab: "Lab") -> Iterator[tuple[str, "Command"]]:
    """Yield every command of the file, and where it is."""
    tables: list[tuple[str, Entry]] = [("", lab)]
    tables += [("link.", lab.link)] if lab.link else []
    for name in ("host", "engine", "logical_unit", "array"):
        tables += [(f"{name} {one.name}: ", one) for one in getattr(lab, name)]
    tables += [(f"array {one.name}: back.", one.back) for one in lab.array if one.back]
    tables += [(f"means {means.scenario}: ", means) for means in lab.means]
    for where, table in tables:
        for field in table.__struct_fields__:
            value = getattr(table, field)
            if hasattr(value, "argv"):
                yield where + field, value
