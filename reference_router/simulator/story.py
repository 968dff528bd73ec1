"""Tells a run so that a human can follow it: who did what, when, and why it is wrong."""

from collections.abc import Iterable, Iterator
from typing import Any

from reference_router.keys import unpack
from reference_router.simulator.plan import LEGS, Plan

_MESSAGES_LEFT_OUT = ("ping", "pong")


def tell(trace: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """Return the lines of a story. `trace` is `World.trace`."""
    for now_ns, what, *rest in trace:
        line = _TELL.get(what, _plain)(what, rest)
        if line:
            yield f"{now_ns / 1e6:10.3f} ms  {line}"


def outline(plan: Plan) -> Iterator[str]:
    """Return the lines that say what a plan does."""
    proof = "is known to its peer" if plan.proof_of_death else "looks like silence to its peer"
    yield f"seed {plan.seed}; an engine's death {proof}"
    yield from (f"  fault at {fault}" for fault in plan.faults)
    for planned in plan.operations:
        last = planned.lba + planned.blocks - 1
        yield (
            f"  operation at {planned.at_us / 1000:.1f} ms: #{planned.number} {planned.op} blocks "
            f"{planned.lba} to {last} through engine {planned.engine}"
            f"{', not sent again' if planned.gives_up else ''}"
        )


def key_words(key: int) -> str:
    """Return what a reservation key says: engine@epoch."""
    known = unpack(key)
    if known is None:
        return f"{key:#x}" if key else "none"
    return f"{known.engine}@{known.epoch}{' clean' if known.clean else ''}"


def _plain(what: str, rest: list[Any]) -> str:
    return " ".join(map(str, (what, *rest)))


def _fault(_: str, rest: list[Any]) -> str:
    return f"=== FAULT {rest[0].partition(': ')[2]}"


def _engine(what: str, rest: list[Any]) -> str:
    tail = f" ({rest[1]})" if len(rest) > 1 and isinstance(rest[1], str) else ""
    length = f" for {rest[1] / 1e6:.1f} ms" if what == "hang" else ""
    return f"*** engine {rest[0]}: {what}{length}{tail}"


def _ask(_: str, rest: list[Any]) -> str:
    return f"host {rest[1]} asks engine {rest[0]} to register key {rest[2]}"


def _asked(_: str, rest: list[Any]) -> str:
    return f"host is told by engine {rest[0]}: key {rest[1]} {'' if rest[2] else 'not '}registered"


def _operator(what: str, rest: list[Any]) -> str:
    return f"*** operator to engine {rest[0]}: {what} leg {LEGS[rest[1]]}"


def _note(_: str, rest: list[Any]) -> str:
    return f"engine {rest[0]} says: {rest[1]}"


def _state(_: str, rest: list[Any]) -> str:
    engine, epoch, states, members = rest
    legs = ", ".join(f"{LEGS[leg]} {state}" for leg, state in enumerate(states))
    return f"engine {engine} is at epoch {epoch}: {legs}; members {members}"


def _io(what: str, rest: list[Any]) -> str:
    engine, leg, lba, blocks, value, copies = rest
    last = lba + blocks - 1
    written = f" with {value}" if what == "write" else ""
    verb = f"{'copies: ' if copies else ''}{what}s"
    return f"engine {engine} {verb} leg {LEGS[leg]} {lba}-{last}{written}"


def _io_end(_: str, rest: list[Any]) -> str:
    engine, leg, lba, write, error = rest
    if not error:
        return ""
    verb = "write" if write else "read"
    return f"engine {engine}: {verb} of leg {LEGS[leg]} at {lba} fails: errno {error}"


def _control(_: str, rest: list[Any]) -> str:
    engine, leg, op, key, other = rest
    words = f" {key_words(key)} -> {key_words(other)}" if key or other else ""
    return f"engine {engine} to leg {LEGS[leg]}: {op}{words}"


def _controlled(_: str, rest: list[Any]) -> str:
    engine, leg, op, outcome, keys, reserved = rest
    words = ", ".join(key_words(key) for _, key in keys) or "none"
    tail = "" if reserved else ", not reserved"
    return f"leg {LEGS[leg]} to engine {engine}: {op}: {outcome}; keys {words}{tail}"


def _send(_: str, rest: list[Any]) -> str:
    text = rest[1].decode()
    if any(f'"kind":"{kind}"' in text for kind in _MESSAGES_LEFT_OUT):
        return ""
    return f"engine {rest[0]} tells its peer {text}"


def _command(_: str, rest: list[Any]) -> str:
    return f"host sends {rest[1]} to engine {rest[0]}"


def _answer(_: str, rest: list[Any]) -> str:
    engine, operation, fate, read = rest
    seen = f", read {list(read)}" if any(value >= 0 for value in read) else ""
    return f"host is told by engine {engine}: {operation}: {fate}{seen}"


def _violation(_: str, rest: list[Any]) -> str:
    return f"!!! {rest[0]}: {rest[1]}"


_TELL = {
    "fault": _fault,
    "start": _engine,
    "die": _engine,
    "hang": _engine,
    "wake": _engine,
    "ask": _ask,
    "asked": _asked,
    "attach": _operator,
    "detach": _operator,
    "note": _note,
    "state": _state,
    "read": _io,
    "write": _io,
    "io": _io_end,
    "control": _control,
    "controlled": _controlled,
    "send": _send,
    "send command": _command,
    "answer": _answer,
    "violation": _violation,
}
