"""Draws a plan from a seed. The only use of chance outside the run itself."""

import random
from collections.abc import Callable

from reference_router.simulator.plan import (
    BLOCKS,
    ENGINES,
    LEGS,
    REGION_BLOCKS,
    Fault,
    Kind,
    Plan,
    Planned,
)

HOSTS = 3
_HOT = 4  # blocks on each side of the border where most operations are
_MS = 1000
_LOAD_US = 700 * _MS
_FIRST_FAULT_US = 30 * _MS
_VERY_LONG = 0.02  # of faults
_VERY_LONG_MS = 10_000  # longer than any command, and than a host waits
_OPS = (
    ("READ", 40),
    ("WRITE", 34),
    ("COMPARE_AND_WRITE", 12),
    ("WRITE_AND_VERIFY", 4),
    ("COMPARE", 4),
    ("VERIFY", 3),
    ("WRITE_AND_COMPARE", 3),
    ("REGISTER", 3),
)
_NAMES = tuple(name for name, _ in _OPS)
_WEIGHTS = tuple(weight for _, weight in _OPS)

FAMILIES = (
    "crash", "hang", "link", "oneway", "leg", "slow", "media", "double", "restart", "cold",
    "operator", "site", "witness",
)  # fmt: skip
"""What `--faults` takes."""

_SINGLE = tuple(family for family in FAMILIES if family not in ("double", "cold", "site"))


def draw(seed: int, families: tuple[str, ...] = FAMILIES, *, operations: int = 40) -> Plan:
    """Return the plan of a seed with faults of these families.

    Raises ValueError naming a family that there is not.
    """
    unknown = [family for family in families if family not in FAMILIES]
    if unknown:
        raise ValueError(f"no such faults: {', '.join(unknown)}; there are {', '.join(FAMILIES)}")
    chance = random.Random(f"{seed}/plan")  # noqa: S311 - chance, not secrets
    faults: list[Fault] = []
    if families:
        for _ in range(chance.choice((1, 1, 2, 2, 3, 4))):
            faults += _draw_family(chance, families)
    return Plan(
        seed=seed,
        proof_of_death=chance.random() < 0.5,
        witness=chance.random() < 0.5,
        operations=_operations(chance, operations, faults),
        faults=tuple(sorted(faults, key=lambda fault: fault.at_us)),
    )


def _draw_family(chance: random.Random, families: tuple[str, ...]) -> list[Fault]:
    family = chance.choice(families)
    at_us = chance.randrange(_FIRST_FAULT_US, _LOAD_US)
    if family == "cold":
        return _cold(chance, at_us)
    if family == "site":
        return _site(chance, at_us) if chance.random() < 0.5 else _split(chance, at_us)
    if family == "double" and chance.random() < 0.25:
        return _parted(chance, at_us)
    if family == "double":
        single = [each for each in families if each in _SINGLE] or list(_SINGLE)
        near_us = chance.choice((0, 2 * _MS, 30 * _MS, 150 * _MS))
        return [
            _FAMILY[chance.choice(single)](chance, at_us),
            _FAMILY[chance.choice(single)](chance, at_us + chance.randrange(near_us + 1)),
        ]
    return [_FAMILY[family](chance, at_us)]


def _length_us(chance: random.Random, *, longest_ms: int = 800) -> int:
    """Return a duration: short ones often, each magnitude alike, and few past every deadline."""
    ceiling_ms = chance.choice((5, 30, 120, 300, longest_ms))
    if chance.random() < _VERY_LONG:
        ceiling_ms = _VERY_LONG_MS
    return chance.randrange(_MS, ceiling_ms * _MS)


def _after(chance: random.Random) -> int:
    return chance.choice((0, 0, 1, 2, 3, 5, 8))


def _crash(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=chance.choice((Kind.CRASH, Kind.CRASH, Kind.POWER)),
        engine=chance.choice(ENGINES),
        for_us=_length_us(chance),
        after=_after(chance),
    )


def _hang(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=chance.choice((Kind.HANG, Kind.HANG, Kind.HANG_KILL)),
        engine=chance.choice(ENGINES),
        for_us=_length_us(chance, longest_ms=1500),
        after=_after(chance),
    )


def _link(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=chance.choice((Kind.CUT, Kind.SILENCE, Kind.DELAY)),
        for_us=_length_us(chance),
    )


def _oneway(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=chance.choice((Kind.CUT_ONE, Kind.HOLE)),
        engine=chance.choice(ENGINES),
        for_us=_length_us(chance),
    )


def _leg(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=chance.choice((Kind.LEG_ERROR, Kind.LEG_ERROR, Kind.LEG_HANG)),
        engine=chance.choice((0, 0, *ENGINES)),
        leg=chance.randrange(len(LEGS)),
        for_us=_length_us(chance),
    )


def _slow(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=Kind.LEG_SLOW,
        leg=chance.randrange(len(LEGS)),
        for_us=_length_us(chance),
    )


def _media(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=Kind.MEDIUM,
        leg=chance.randrange(len(LEGS)),
        block=_hot_lba(chance, 1),
        for_us=_length_us(chance, longest_ms=2000),
    )


def _operator(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us, kind=Kind.DETACH, leg=chance.randrange(len(LEGS)), for_us=_length_us(chance)
    )


def _restart(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us, kind=Kind.STOP, engine=chance.choice(ENGINES), for_us=_length_us(chance)
    )


def _parted(chance: random.Random, at_us: int) -> list[Fault]:
    """An engine hears nothing for a while, and meanwhile the other one loses a leg."""
    engine = chance.choice(ENGINES)
    leg_us = at_us + chance.randrange(150 * _MS, 500 * _MS)
    return [
        Fault(
            at_us=at_us,
            kind=chance.choice((Kind.HANG, Kind.HANG, Kind.SILENCE, Kind.CUT_ONE, Kind.HOLE)),
            engine=engine,
            for_us=chance.randrange(300 * _MS, 1000 * _MS),
        ),
        Fault(
            at_us=leg_us,
            kind=chance.choice((Kind.LEG_ERROR, Kind.LEG_HANG)),
            engine=chance.choice((0, 3 - engine)),
            leg=chance.randrange(len(LEGS)),
            for_us=chance.randrange(5 * _MS, 300 * _MS),
        ),
    ]


def _cold(chance: random.Random, at_us: int) -> list[Fault]:
    """Both engines go, a while apart or at once, at times with an array away at the restart."""
    kind = chance.choice((Kind.CRASH, Kind.CRASH, Kind.POWER, Kind.STOP))
    gap_us = chance.choice((0, 3 * _MS, 60 * _MS, 300 * _MS))
    first, second = chance.sample(ENGINES, 2)
    second_us = at_us + chance.randrange(gap_us + 1)
    back_us = second_us + _length_us(chance)
    faults = [
        Fault(at_us=at_us, kind=kind, engine=first, for_us=max(back_us - at_us, gap_us)),
        Fault(at_us=second_us, kind=kind, engine=second, for_us=_length_us(chance)),
    ]
    if chance.random() < 0.5:
        leg_us = at_us + chance.randrange(-20 * _MS, gap_us + 100 * _MS)
        faults.append(_leg(chance, max(leg_us, _FIRST_FAULT_US)))
    return faults


def _site(chance: random.Random, at_us: int) -> list[Fault]:
    """An engine and an array go at once, or nearly; at times the witness was with them."""
    near_us = chance.choice((1, 2 * _MS, 100 * _MS))
    leg_kind = chance.choice((Kind.LEG_ERROR, Kind.LEG_HANG))
    faults = [
        Fault(
            at_us=at_us + chance.randrange(near_us),
            kind=chance.choice((Kind.POWER, Kind.POWER, Kind.HANG)),
            engine=chance.choice(ENGINES),
            for_us=chance.randrange(500 * _MS, 3000 * _MS),
        ),
        Fault(
            at_us=at_us + chance.randrange(near_us),
            kind=leg_kind,
            leg=chance.randrange(len(LEGS)),
            for_us=chance.randrange(500 * _MS, 2500 * _MS),
        ),
    ]
    if chance.random() < 0.3:
        faults.append(_witness(chance, at_us + chance.randrange(near_us)))
    return faults


def _split(chance: random.Random, at_us: int) -> list[Fault]:
    """The engines lose each other, and each keeps one array."""
    for_us = chance.randrange(400 * _MS, 2500 * _MS)
    first = chance.choice(ENGINES)
    faults = [Fault(at_us=at_us, kind=chance.choice((Kind.CUT, Kind.SILENCE)), for_us=for_us)]
    faults += [
        Fault(
            at_us=at_us + chance.randrange(1 + chance.choice((0, 2 * _MS, 200 * _MS))),
            kind=Kind.LEG_ERROR,
            engine=engine,
            leg=leg,
            for_us=chance.randrange(300 * _MS, 2500 * _MS),
        )
        for leg, engine in enumerate((first, 3 - first))
    ]
    if chance.random() < 0.5:
        faults.append(_witness(chance, at_us + chance.randrange(400 * _MS)))
    return faults


def _witness(chance: random.Random, at_us: int) -> Fault:
    return Fault(
        at_us=at_us,
        kind=chance.choice((Kind.WITNESS_DOWN, Kind.WITNESS_CUT)),
        engine=chance.choice((0, *ENGINES)),
        for_us=_length_us(chance, longest_ms=1500),
    )


_FAMILY: dict[str, Callable[[random.Random, int], Fault]] = {
    "crash": _crash,
    "hang": _hang,
    "link": _link,
    "oneway": _oneway,
    "leg": _leg,
    "slow": _slow,
    "media": _media,
    "restart": _restart,
    "operator": _operator,
    "witness": _witness,
}


def _hot_lba(chance: random.Random, blocks: int) -> int:
    """Return a block; most of them lie around the border of two regions, so operations meet."""
    if chance.random() < 0.6:
        return REGION_BLOCKS - _HOT + chance.randrange(2 * _HOT - blocks + 1)
    return chance.randrange(BLOCKS - blocks + 1)


def _operations(chance: random.Random, count: int, faults: list[Fault]) -> tuple[Planned, ...]:
    """Return operations in bursts, many of them where a fault begins, lasts or ends."""
    drawn = []
    burst_us = 0
    for _ in range(count):
        if chance.random() < 0.35 or not burst_us:
            burst_us = _burst_us(chance, faults)
        name = chance.choices(_NAMES, _WEIGHTS)[0]
        blocks = chance.choice((1, 1, 2) if name.startswith("COMP") else (1, 2, 3, 4))
        drawn.append((burst_us + chance.randrange(2 * _MS), name, blocks))
    drawn.sort()
    return tuple(
        Planned(
            number=number,
            at_us=at_us,
            host=chance.randrange(HOSTS),
            op=name,
            lba=_hot_lba(chance, blocks),
            blocks=blocks,
            engine=chance.choice(ENGINES),
            fits=chance.random() < 0.8,
            gives_up=chance.random() < 0.25,
        )
        for number, (at_us, name, blocks) in enumerate(drawn, 1)
    )


def _burst_us(chance: random.Random, faults: list[Fault]) -> int:
    if not faults or chance.random() < 0.3:
        return chance.randrange(_LOAD_US)
    fault = chance.choice(faults)
    when = chance.random()
    if when < 0.4:
        return max(fault.at_us - chance.randrange(2 * _MS), 0)
    if when < 0.8:
        return fault.at_us + chance.randrange(min(fault.for_us, _LOAD_US) + 60 * _MS)
    return max(fault.at_us + fault.for_us - chance.randrange(20 * _MS), 0)
