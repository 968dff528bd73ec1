"""Which paths and pairs of paths of a lab the conformance tests run on. Pure."""

from itertools import permutations

from certify.lab import Lab

PURPOSE = "conformance"
Place = tuple[str, str]
"""A path and a logical unit, by their names in the lab file."""


def paths_of(lab: Lab, *, every_host: bool = False) -> list[Place]:
    """Return (path, logical unit) for every path to a logical unit for conformance tests.

    Those of the host that has its multipath device, or with *every_host* those of all hosts that
    are on the same machine.
    """
    reach = {host.name: host.reach for host in lab.host}
    places: list[Place] = []
    for unit in lab.logical_unit:
        if unit.purpose != PURPOSE:
            continue
        others = [name for name in unit.also_on if reach.get(name) == reach.get(unit.host)]
        hosts = (unit.host, *others) if every_host else (unit.host,)
        places += [
            (path.name, unit.name) for host in hosts for path in lab.path if path.host == host
        ]
    return places


def pairs_of(lab: Lab) -> list[tuple[Place, Place]]:
    """Return ordered pairs of paths to the same unit through different engines."""
    engine = {path.name: path.engine for path in lab.path}
    return [
        (one, other)
        for one, other in permutations(paths_of(lab), 2)
        if one[1] == other[1] and engine[one[0]] != engine[other[0]]
    ]


def two_paths_of(lab: Lab) -> list[list[Place]]:
    """Return two paths by different engines of each unit, or one where there is no other."""
    found: dict[str, list[Place]] = {}
    engine = {path.name: path.engine for path in lab.path}
    for place in paths_of(lab):
        chosen = found.setdefault(place[1], [])
        if len(chosen) < 2 and engine[place[0]] not in {engine[one[0]] for one in chosen}:
            chosen.append(place)
    return list(found.values())


def nexus_pairs_of(lab: Lab, *, thorough: bool) -> list[tuple[Place, Place]]:
    """Return ordered pairs of I_T nexuses of one unit.

    Not *thorough*: two of each unit that differ in host and engine both, so that either engine is
    asked first in one of them; without a second host those that differ in engine.
    """
    where = {path.name: (path.host, path.engine) for path in lab.path}
    pairs = [
        (one, other)
        for one, other in permutations(paths_of(lab, every_host=True), 2)
        if one[1] == other[1]
    ]
    far = [
        (one, other)
        for one, other in pairs
        if all(a != b for a, b in zip(where[one[0]], where[other[0]], strict=True))
    ]
    if thorough or not far:
        return pairs
    of_unit = [
        [pair for pair in far if pair[0][1] == unit] for unit in sorted({one[1] for one, _ in far})
    ]
    return [pair for found in of_unit for pair in (found[0], found[-1])]
