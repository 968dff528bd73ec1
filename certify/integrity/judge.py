"""From operations to what is wrong with the data: registers, blame, kinds, evidence. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from certify.integrity.blame import Account, Blamed, Op, Why, blame
from certify.integrity.evidence import evidence_of
from certify.integrity.model import Doubt, Violation
from certify.integrity.operations import FOREVER, Flags, Operations, Run, show_value
from certify.integrity.registers import (
    Registers,
    filter_registers,
    registers_of,
    without_untold,
)

FINDINGS_MAX = 256
"""So many findings are kept, the first ones; all are counted."""
EVIDENCE_MAX = 8
"""So many findings get evidence: the first of each kind, then the first ones."""

OLDER = frozenset({Violation.LOST, Violation.STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One operation of an evidence: where its record is, and its value at the place in question."""

    row: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A range of sectors of one read that is wrong."""

    row: int  # of the read
    lba: int
    blocks: int
    sent: int
    done: int
    violation: Violation
    why: Why | None  # None: the sectors themselves are damaged
    seen: str
    expected: str
    evidence: tuple[Witness, ...] = ()  # () where none was asked for; the read is one of them


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was found in a history, or in a part of its sectors."""

    sectors_written: int = 0
    sectors_verified: int = 0
    wrong: Counter[Violation] = field(default_factory=Counter)  # in sectors
    findings: list[Finding] = field(default_factory=list)  # at most about FINDINGS_MAX

    def add(self, other: "Outcome") -> None:
        """Take in what was found in other sectors of the same history."""
        self.sectors_written += other.sectors_written
        self.sectors_verified += other.sectors_verified
        self.wrong.update(other.wrong)
        self.findings = _kept([*self.findings, *other.findings])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A finding, and what its evidence can be made from."""

    finding: Finding
    account: Account | None = None
    blamed: Blamed | None = None
    prefer: int | None = None


def judge(operations: Operations, doubts: Sequence[Doubt] = ()) -> Outcome:
    """Judge every read against the writes; raise ValueError if a value was written twice."""
    registers = without_untold(operations, registers_of(operations), doubts)
    filtered = filter_registers(operations, registers)
    touched = registers.register
    is_read = ~operations.write[registers.operation]
    known = is_read & filtered.written[touched]
    cases = [*_damaged(operations), *_wrong(operations, registers, filtered.wrong)]
    damaged = sum(case.finding.blocks for case in cases if case.finding.why is None)
    wrong: Counter[Violation] = Counter()
    for case in cases:
        wrong[case.finding.violation] += case.finding.blocks
    cases.sort(key=lambda case: _order(case.finding))
    kept = {id(one) for one in _kept([case.finding for case in cases])}
    shown = {id(one) for one in _shown([case.finding for case in cases])}
    return Outcome(
        sectors_written=int(operations.blocks[operations.acknowledged].sum()),
        sectors_verified=int(registers.length[touched[known]].sum()) + damaged,
        wrong=wrong,
        findings=[
            _with_evidence(case, operations) if id(case.finding) in shown else case.finding
            for case in cases
            if id(case.finding) in kept
        ],
    )


def _order(finding: Finding) -> tuple[int, int, int]:
    return finding.done, finding.row, finding.lba


def _shown(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings to show: the first of each kind, then the first reads that are wrong."""
    ordered = sorted(findings, key=_order)
    kinds: dict[Violation, Finding] = {}
    reads: dict[tuple[int, Violation], Finding] = {}
    for one in ordered:
        kinds.setdefault(one.violation, one)
        reads.setdefault((one.row, one.violation), one)
    firsts = list(kinds.values())
    known = {id(one) for one in firsts}
    rest = [one for one in reads.values() if id(one) not in known]
    return sorted([*firsts, *rest][:EVIDENCE_MAX], key=_order)


def shown(outcome: Outcome) -> list[Finding]:
    """Return the findings that have evidence and are to be shown, in the order of the reads."""
    return _shown(one for one in outcome.findings if one.evidence)


def _kept(findings: list[Finding]) -> list[Finding]:
    first = sorted(findings, key=_order)[:FINDINGS_MAX]
    return [*first, *(one for one in _shown(findings) if one not in first)]


def _damaged(operations: Operations) -> Iterator[_Case]:
    """Yield the sectors that are wrong whatever was written."""
    for at, runs in operations.mixed.items():
        for run in runs:
            if run.damage is not None:
                yield _Case(finding=_damage(operations, at, run, run.damage))


def _damage(operations: Operations, at: int, run: Run, violation: Violation) -> Finding:
    row = int(operations.row[at])
    return Finding(
        row=row,
        lba=run.lba,
        blocks=run.blocks,
        sent=int(operations.sent[at]),
        done=int(operations.done[at]),
        violation=violation,
        why=None,
        seen=run.text,
        expected="an intact sector of this LBA",
        evidence=(Witness(row=row, value=run.text),),
    )


def _wrong(operations: Operations, registers: Registers, wrong: Flags) -> Iterator[_Case]:
    """Yield the reads that cannot be explained, each with the register that shows it."""
    accounts = {
        register: blame(ops) for register, ops in _touches(operations, registers, wrong).items()
    }
    blamed = {(found.op.at, found.op.value) for one in accounts.values() for found in one.blamed}
    for register, account in accounts.items():
        lba, blocks = int(registers.start[register]), int(registers.length[register])
        for found in account.blamed:
            torn = _torn_from(operations, account, found, blamed)
            yield _Case(
                finding=_finding(operations, account, found, lba, blocks, torn),
                account=account,
                blamed=found,
                prefer=torn,
            )


def _touches(operations: Operations, registers: Registers, wrong: Flags) -> dict[int, list[Op]]:
    """Return the operations on each register that is wrong."""
    grouped: dict[int, list[Op]] = {}
    chosen = np.flatnonzero(wrong[registers.register])
    at = registers.operation[chosen]
    columns = (
        registers.register[chosen],
        at,
        operations.write[at],
        operations.sent[at],
        operations.done[at],
        registers.value[chosen],
    )
    for register, index, write, sent, done, value in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        op = Op(at=index, write=write, sent=sent, done=done, value=value)
        grouped.setdefault(register, []).append(op)
    return grouped


def _torn_from(
    operations: Operations, account: Account, found: Blamed, blamed: set[tuple[int, int]]
) -> int | None:
    """Return the write that is there in other sectors of the same read, and should be here too.

    It had been acknowledged before the read was sent, and came after what was read.
    """
    if found.why is not Why.OUT_OF_ORDER or account.kind_of(found) not in OLDER:
        return None
    read = found.op
    own = account.zones.get(read.value)
    ended = own.acknowledged if own else -FOREVER
    for run in operations.mixed.get(read.at, ()):
        zone = account.zones.get(run.value)
        if (
            zone is not None
            and run.damage is None
            and run.value != read.value
            and (read.at, run.value) not in blamed
            and zone.acknowledged < read.sent
            and zone.written_from > ended
        ):
            return run.value
    return None


def _finding(
    operations: Operations,
    account: Account,
    found: Blamed,
    lba: int,
    blocks: int,
    torn: int | None,
) -> Finding:
    read = found.op
    rival = torn if torn is not None else found.rival
    expected = "a version that had been written"
    if found.why is Why.OUT_OF_ORDER and rival is not None:
        expected = f"{show_value(rival)} or newer"
    return Finding(
        row=int(operations.row[read.at]),
        lba=lba,
        blocks=blocks,
        sent=read.sent,
        done=read.done,
        violation=Violation.TORN if torn is not None else account.kind_of(found),
        why=found.why,
        seen=show_value(read.value),
        expected=expected,
    )


def _with_evidence(case: _Case, operations: Operations) -> Finding:
    if case.account is None or case.blamed is None:
        return case.finding
    ops = evidence_of(case.account, case.blamed, prefer=case.prefer)
    witnesses = tuple(
        Witness(row=int(operations.row[op.at]), value=show_value(op.value)) for op in ops
    )
    return replace(case.finding, evidence=witnesses)
