"""The picture of a counterexample says what was wrong, and no word meets another.

Method: pages of the sample run with counterexamples of every kind in its verdict.
"""

from pathlib import Path

import msgspec
import pytest

from reports.build import lay_out
from reports.folder import Run, load_run
from reports.record import Counterexample, CounterexampleOperation
from tests.unit.reports.test_layout import collisions, outside, words_of

MS = 1_000_000


def operation(
    probe: str, op: str, value: str, sent: float, done: float, *, offending: bool = False
) -> CounterexampleOperation:
    return CounterexampleOperation(
        probe=probe,
        k=int(sent) % 977,
        op=op,
        lba=40,
        blocks=8,
        value=value,
        sent_ns=int(sent * MS),
        done_ns=int(done * MS) if done >= 0 else -1,
        offending=offending,
    )


def example(kind: str, *operations: CounterexampleOperation) -> Counterexample:
    return Counterexample(
        kind=kind,
        lba=40,
        blocks=8,
        sentence=f"LBA 40: this is the {kind} sector of the sample. " * 4,
        operations=list(operations),
    )


STALE = example(
    "stale",
    operation("app-write", "write", "version 4294967301", 0, 1),
    operation("host2-write", "write", "version 4294967312", 700.5, 731),
    operation("readback:host1-engine2", "read", "version 4294967301", 90000, 90001, offending=True),
)
GHOST = example(
    "lost",
    operation("app-write", "write", "version 2", 10, -1),
    operation("app-write", "write", "version 3", 20, 400),
    operation("cross:host1-engine1", "read", "version 2", 30, 35),
    operation("cross:host1-engine2", "read", "version 3", 60, 61),
    operation("app-read", "read", "version 2", 70, 700, offending=True),
    operation("app-read", "read", "version 3", 5, 69),
)
MISPLACED = example(
    "misplaced",
    operation("p" * 80, "read", "misplaced, version 4294967301" * 3, 5, 6, offending=True),
)


def with_examples(folder: Path, examples: list[Counterexample]) -> Run:
    run = load_run(folder)
    first, *rest = run.judgement.scenarios
    first = msgspec.structs.replace(first, violations=examples)
    judgement = msgspec.structs.replace(run.judgement, scenarios=[first, *rest])
    return Run(**{name: getattr(run, name) for name in fields_of(run)} | {"judgement": judgement})


def fields_of(run: Run) -> list[str]:
    return list(run.__dataclass_fields__)


@pytest.mark.parametrize("examples", [[STALE], [GHOST, MISPLACED], [STALE, GHOST] * 8])
def test_words_stay_on_their_page_and_apart(
    samples: dict[str, Path], examples: list[Counterexample]
) -> None:
    pages = lay_out(with_examples(samples["failing"], examples))

    assert [outside(page) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)


def test_every_operation_is_told_with_its_value_and_the_wrong_read_is_marked(
    samples: dict[str, Path],
) -> None:
    pages = lay_out(with_examples(samples["failing"], [STALE]))
    words = [text.text for page in pages for text in words_of(page)]

    assert any(word.endswith("wrote version 4294967301") for word in words)
    assert any(word.endswith("wrote version 4294967312") for word in words)
    assert any(word.endswith("returned version 4294967301, wrong") for word in words)
    assert "+90.0\u202fs" in words


def test_a_write_that_nobody_acknowledged_says_so(samples: dict[str, Path]) -> None:
    pages = lay_out(with_examples(samples["failing"], [GHOST]))
    words = [text.text for page in pages for text in words_of(page)]

    assert any(word.endswith("wrote version 2, never acknowledged") for word in words)
