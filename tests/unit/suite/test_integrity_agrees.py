"""The judge of the data against a slow, obvious one, on histories of many writers.

Method: operations on a few sectors that overlap in time and in space, with failed writes. Either
every read is what an atomic register would have returned, or some reads return anything. A search
over all orders of the operations on each sector must come to the same verdict.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from certify.integrity import Integrity, check, check_tables
from certify.seal import write_table
from reports.record import Counterexample, IoOutcome, IoRecord

from .all_orders import Op, some_order_explains
from .conftest import MS, make_io

SECTORS = 3
ZERO = -2
PROBES = ("app-write", "host2-write", "cross:p1", "readback:p2")


@dataclass(frozen=True)
class Step:
    """One operation: when it took effect, and how long before and after it was under way."""

    write: bool
    lba: int
    blocks: int
    before: int
    after: int
    ending: str  # of a write: "good", "late" (failed, takes effect later), "never"
    probe: str


STEPS = st.builds(
    lambda write, lba, more, before, after, ending, probe: Step(
        write, lba, min(1 + more, SECTORS - lba), before, after, ending, probe
    ),
    st.booleans(),
    st.integers(0, SECTORS - 1),
    st.integers(0, 2),
    st.integers(0, 30),
    st.integers(0, 30),
    st.sampled_from(["good", "good", "good", "late", "never"]),
    st.sampled_from(PROBES),
)
HISTORIES = st.lists(STEPS, min_size=2, max_size=8)
ANYTHING = st.lists(
    st.one_of(st.none(), st.integers(0, 9)), min_size=SECTORS * 8, max_size=SECTORS * 8
)


def simulate(steps: list[Step]) -> list[IoRecord]:
    """Run the steps on atomic registers, ten ms apart; what failed late lands three steps on."""
    held = dict.fromkeys(range(SECTORS), ZERO)
    late: list[tuple[int, Step, int]] = []
    ios = []
    for number, step in enumerate(steps, start=1):
        due = [one for one in late if one[0] <= number]
        late = [one for one in late if one[0] > number]
        for _, old, value in due:
            held.update(dict.fromkeys(range(old.lba, old.lba + old.blocks), value))
        if step.write and step.ending == "good":
            held.update(dict.fromkeys(range(step.lba, step.lba + step.blocks), number))
        elif step.write and step.ending == "late":
            late.append((number + 3, step, number))
        ios.append(record(number, step, [held[lba] for lba in range(SECTORS)]))
    return ios


def record(number: int, step: Step, held: list[int]) -> IoRecord:
    """Return what the probe records of a step."""
    common: dict[str, Any] = {
        "probe": step.probe,
        "k": number,
        "lba": step.lba,
        "blocks": step.blocks,
        "due": 1000 + 10 * number - step.before,
        "done": 1000 + 10 * number + step.after,
    }
    if not step.write:
        seen = held[step.lba : step.lba + step.blocks]
        return make_io(op="read", **common, **answer(step.lba, seen))
    if step.ending == "good":
        return make_io(tag=number, **common)
    return make_io(tag=number, outcome=IoOutcome.ERROR, errno=5, **common)


def answer(lba: int, seen: list[int]) -> dict[str, Any]:
    """Return `tag` and `sectors` of a read."""
    if len(set(seen)) == 1 and seen[0] != ZERO:
        return {"tag": seen[0]}
    words = ["zero" if value == ZERO else f"{value}@{lba + at}" for at, value in enumerate(seen)]
    return {"tag": -1, "sectors": ",".join(words)}


def falsify(ios: list[IoRecord], anything: list[int | None]) -> list[IoRecord]:
    """Let reads return anything: versions of others, of nobody, or zeros."""
    choices = iter(anything)
    changed = []
    for io in ios:
        if io.op == "write":
            changed.append(io)
            continue
        seen = [seen_at(io, lba) for lba in range(io.lba, io.lba + io.blocks)]
        lies = [next(choices) for _ in seen]
        values = [
            truth if lie is None else ZERO if lie == 0 else lie
            for truth, lie in zip(seen, lies, strict=True)
        ]
        told = answer(io.lba, values)
        changed.append(
            make_io(
                probe=io.probe,
                k=io.k,
                op="read",
                lba=io.lba,
                blocks=io.blocks,
                due=io.due_ns / MS,
                done=io.done_ns / MS,
                **told,
            )
        )
    return changed


def seen_at(io: IoRecord, lba: int) -> int:
    """Return the value of one sector of an operation."""
    if not io.sectors:
        return io.tag
    word = io.sectors.split(",")[lba - io.lba]
    return ZERO if word == "zero" else int(word.split("@")[0])


def ops_on(lba: int, ios: list[IoRecord]) -> list[Op]:
    """Return the operations on one sector."""
    return [
        Op(
            name=io.k,
            write=io.op == "write",
            sent=io.sent_ns,
            done=io.done_ns if io.outcome is IoOutcome.GOOD else float("inf"),
            value=seen_at(io, lba),
        )
        for io in ios
        if io.lba <= lba < io.lba + io.blocks
    ]


def wrong_sectors(ios: list[IoRecord]) -> set[int]:
    """Return the sectors that the slow judge finds wrong, of those that somebody wrote."""
    written = {lba for io in ios if io.op == "write" for lba in range(io.lba, io.lba + io.blocks)}
    return {lba for lba in written if not some_order_explains(ops_on(lba, ios))}


def accused(found: Integrity) -> set[int]:
    """Return the sectors that the judge finds wrong."""
    return {mismatch.lba for mismatch in found.mismatches}


@settings(max_examples=800, deadline=None)
@given(HISTORIES)
def test_atomic_registers_are_never_accused(steps: list[Step]) -> None:
    ios = simulate(steps)

    assert wrong_sectors(ios) == set()
    assert check(ios).mismatches == []


@settings(max_examples=2000, deadline=None)
@given(HISTORIES, ANYTHING)
def test_verdict_is_that_of_a_search_over_all_orders(
    steps: list[Step], anything: list[int | None]
) -> None:
    ios = falsify(simulate(steps), anything)

    assert accused(check(ios)) == wrong_sectors(ios)


@settings(max_examples=800, deadline=None)
@given(HISTORIES, ANYTHING)
def test_no_operation_can_be_left_out_of_the_evidence(
    steps: list[Step], anything: list[int | None]
) -> None:
    ios = falsify(simulate(steps), anything)

    for example in check(ios).violations:
        ops = evidence(example, ios)
        assert not some_order_explains(ops)
        for op in ops:
            assert some_order_explains(without(op, ops)), (op, ops)
        assert 2 <= len(ops) <= 6
        assert sum(one.offending for one in example.operations) == 1


def evidence(example: Counterexample, ios: list[IoRecord]) -> list[Op]:
    """Return the operations of a counterexample, on its sector."""
    names = {one.k for one in example.operations}
    return ops_on(example.lba, [io for io in ios if io.k in names])


def without(op: Op, ops: list[Op]) -> list[Op]:
    """Leave out an operation, and with a write the reads that would lose their origin."""
    return [one for one in ops if one is not op and not (op.write and one.value == op.value)]


@settings(max_examples=25, deadline=None)
@given(HISTORIES, ANYTHING)
def test_a_table_gives_what_the_records_give(
    tmp_path_factory: Any, steps: list[Step], anything: list[int | None]
) -> None:
    ios = falsify(simulate(steps), anything)
    far = [moved(io, lba=io.lba + 10_000) for io in simulate(steps)]
    path: Path = tmp_path_factory.mktemp("io") / "S1-r1.parquet"
    write_table(path, [*ios, *far])

    found = check_tables([path], part_rows=1)

    assert found == check([*ios, *far])


def moved(io: IoRecord, *, lba: int) -> IoRecord:
    """Return the same operation elsewhere."""
    text = ",".join(
        word if word == "zero" else f"{word.split('@')[0]}@{lba + at}"
        for at, word in enumerate(io.sectors.split(","))
        if word
    )
    return make_io(
        probe=io.probe,
        k=io.k,
        op=io.op,
        lba=lba,
        blocks=io.blocks,
        due=io.due_ns / MS,
        done=io.done_ns / MS,
        outcome=io.outcome,
        tag=io.tag,
        sectors=text,
    )
