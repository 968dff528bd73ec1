"""Questions to the evidence that only some scenarios ask, by name. Pure.

A scenario names them in `asks`; a new one is one function and one line of the table.
"""

from collections.abc import Callable

from certify.history import APPLICATION, History
from certify.stall import NS_PER_MS, done_ns
from certify.step_checks import planned_steps
from certify.verdict import show_ms
from reports.record import Check, EventKind, IoRecord, Verdict

HELD_MS = 50.0
"""A write that was sent before a hang and not answered so long after it is in the engine's hands:
far above the latency of a healthy engine, far below the time any host takes to give up a path."""


def held_writes(history: History) -> list[Check]:
    """Were writes in flight when the engine hung, and were their blocks written again since?

    Without both, a ghost write could not have shown itself.
    """
    name = "Writes in flight at the hang"
    expected = "at least 1 held, and its block written again before the engine went on"
    injected, mended = history.first(EventKind.INJECTED), history.first(EventKind.MENDED)
    if injected is None or mended is None:
        return [_check(name, expected, "no hang, or no end of it", Verdict.INCONCLUSIVE)]
    effect = injected.t_ns + int(float(injected.data.get("took_ms", 0.0)) * NS_PER_MS)
    writes = [io for io in history.of_probe(APPLICATION) if io.op == "write"]
    held = [io for io in writes if _is_held(io, effect, mended.t_ns, history.end_ns)]
    again = [io for io in held if _written_again(io, writes, mended.t_ns)]
    observed = f"{len(held)} held, {len(again)} of their blocks written again"
    verdict = Verdict.PASS if again else Verdict.INCONCLUSIVE
    return [_check(name, expected, observed, verdict)]


def _is_held(io: IoRecord, effect_ns: int, mended_ns: int, end_ns: int) -> bool:
    """Sent around the hang, not answered long after it: at first the engine's, then retried."""
    waited = done_ns(io, end_ns) - max(io.sent_ns, effect_ns)
    return 0 <= io.sent_ns < mended_ns and waited > HELD_MS * NS_PER_MS


def _written_again(held: IoRecord, writes: list[IoRecord], mended_ns: int) -> bool:
    return any(
        io.lba == held.lba
        and io.k != held.k
        and held.done_ns <= io.sent_ns <= io.done_ns < mended_ns
        for io in writes
        if held.done_ns >= 0
    )


def steady_paths(history: History) -> list[Check]:
    """Did a path that came back stay, and did one that nobody touched never fail? No ping-pong."""
    name = "No ping-pong of paths"
    touched = {step.subject for step in planned_steps(history)}
    injected, mended = history.first(EventKind.INJECTED), history.mended_ns
    if injected is None or mended is None:
        return [_check(name, "every path stays", "no fault, or no mend", Verdict.INCONCLUSIVE)]
    back: set[tuple[str, str]] = set()
    lost: list[str] = []
    for event in history.of_kind(EventKind.PATH_STATE):
        who = (event.subject, str(event.data.get("lu", "")))
        usable = event.data.get("state") == "active"
        if event.t_ns < mended:
            continue
        if usable:
            back.add(who)
        elif who in back:
            after = show_ms((event.t_ns - mended) / NS_PER_MS)
            lost.append(f"{event.subject} failed again {after} after mending")
    expected = "a path that returned after mending stays"
    if lost:
        return [_check(name, expected, f"{len(lost)}: {lost[0]}", Verdict.FAIL)]
    told = f"{len(back)} returned and stayed; broken was {', '.join(sorted(touched))}"
    return [_check(name, expected, told, Verdict.PASS)]


ASKS: dict[str, Callable[[History], list[Check]]] = {
    "held_writes": held_writes,
    "steady_paths": steady_paths,
}


def check_asks(history: History) -> list[Check]:
    """Return the lines of every question that the plan asks."""
    checks: list[Check] = []
    for name in history.plan.asks:
        ask = ASKS.get(name)
        if ask is None:
            text = "this version knows no such question"
            checks.append(_check(name, "an answer", text, Verdict.INCONCLUSIVE))
        else:
            checks += ask(history)
    return checks


def _check(name: str, expected: str, observed: str, verdict: Verdict) -> Check:
    return Check(name=name, expected=expected, observed=observed, verdict=verdict)
