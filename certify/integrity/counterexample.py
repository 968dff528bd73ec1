"""A finding with its evidence as a record: the operations, and why they cannot be right. Pure."""

from collections.abc import Mapping

from certify.integrity.blame import Why
from certify.integrity.judge import Finding
from certify.verdict import show_ms
from reports.record import Counterexample, CounterexampleOperation, IoOutcome, IoRecord

_NS_PER_MS = 1e6


def counterexample_of(finding: Finding, records: Mapping[int, IoRecord]) -> Counterexample:
    """Return the record of a finding that has evidence; *records* by row."""
    operations = [
        _operation(records[one.row], one.value, offending=one.row == finding.row)
        for one in finding.evidence
    ]
    return Counterexample(
        kind=str(finding.violation),
        lba=finding.lba,
        blocks=finding.blocks,
        sentence=_sentence(finding, operations),
        operations=operations,
    )


def _operation(io: IoRecord, value: str, *, offending: bool) -> CounterexampleOperation:
    return CounterexampleOperation(
        probe=io.probe,
        k=io.k,
        op=io.op,
        lba=io.lba,
        blocks=io.blocks,
        value=value,
        sent_ns=io.sent_ns,
        done_ns=io.done_ns if io.outcome is IoOutcome.GOOD else -1,
        offending=offending,
    )


def _sentence(finding: Finding, operations: list[CounterexampleOperation]) -> str:
    where = f"LBA {finding.lba}"
    read = next(one for one in operations if one.offending)
    match finding.why:
        case None:
            return f"{where}: {_name(read)} returned a sector that is {finding.seen}."
        case Why.EARLY:
            write = next(one for one in operations if not one.offending)
            return (
                f"{where}: {_name(read)} returned {read.value} and had ended "
                f"{_gap(read, write)} before {_name(write)} was sent, which wrote it."
            )
        case Why.UNWRITTEN:
            earlier = next(one for one in operations if not one.offending)
            return (
                f"{where}: {_name(read)} returned {read.value} and {_name(earlier)} returned "
                f"{earlier.value}; neither was written in this history, and only one can have "
                "been there before."
            )
    return f"{where}: {_out_of_order(read, operations)}"


def _out_of_order(read: CounterexampleOperation, operations: list[CounterexampleOperation]) -> str:
    """Say why either of two values must be the older one."""
    own = [one for one in operations if one.value == read.value]
    other = [one for one in operations if one.value != read.value]
    newer = other[0].value
    begun, ended = max(own, key=_sent), min(other, key=_done)
    parts = [
        f"{_did(ended)} and had ended {_gap(ended, begun)} before {_name(begun)} was sent, "
        f"which returned {begun.value}"
        if begun.op == "read"
        else f"{_did(ended)} and had ended {_gap(ended, begun)} before {_did(begun)}"
    ]
    if not any(one.op == "write" for one in own):
        parts.append(f"nobody wrote {read.value} in this history")
    elif not any(one.op == "write" for one in other):
        parts.append(f"nobody wrote {newer} in this history, so {read.value} is the newer")
    else:
        first, last = min(own, key=_done), max(other, key=_sent)
        parts.append(
            f"but {newer} is the newer: {_did(first)} and had ended {_gap(first, last)} before "
            f"{_name(last)} was sent"
        )
    return f"{'; '.join(parts)}."


def _sent(one: CounterexampleOperation) -> int:
    return one.sent_ns


def _done(one: CounterexampleOperation) -> float:
    return one.done_ns if one.done_ns >= 0 else float("inf")


def _gap(ended: CounterexampleOperation, begun: CounterexampleOperation) -> str:
    return show_ms((begun.sent_ns - ended.done_ns) / _NS_PER_MS)


def _name(one: CounterexampleOperation) -> str:
    return f"{one.probe} #{one.k}"


def _did(one: CounterexampleOperation) -> str:
    return f"{_name(one)} {'wrote' if one.op == 'write' else 'returned'} {one.value}"
