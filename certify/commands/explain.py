"""The command that tells why data was wrong: the operations of every counterexample."""

import argparse

from certify.commands.output import say, say_json
from certify.verdict import ExitCode, show_ms
from reports.record import (
    Counterexample,
    CounterexampleOperation,
    JudgementRecord,
    RecordError,
    ScenarioJudgement,
    load,
)

_NS_PER_MS = 1e6


def explain(arguments: argparse.Namespace) -> int:
    """Show the fewest operations that prove each violation of a sealed run.

    Raises RecordError when the run has no verdict, or not the scenario that was asked for.
    """
    judgement = load(arguments.run / "verdict.json", JudgementRecord)
    chosen = _chosen(judgement, arguments.scenario, str(arguments.run))
    if arguments.json:
        say_json(
            [
                {"id": one.id, "repeat": one.repeat, "violations": one.violations}
                for one in chosen
                if one.violations
            ]
        )
        return ExitCode.CERTIFIED
    for line in explained(chosen):
        say(line)
    return ExitCode.CERTIFIED


def _chosen(judgement: JudgementRecord, scenario: str, run: str) -> list[ScenarioJudgement]:
    if not scenario:
        return judgement.scenarios
    chosen = [one for one in judgement.scenarios if one.id == scenario]
    if not chosen:
        known = ", ".join(dict.fromkeys(one.id for one in judgement.scenarios)) or "none"
        raise RecordError(f"{run}: no scenario {scenario}; it has {known}")
    return chosen


def explained(scenarios: list[ScenarioJudgement]) -> list[str]:
    """Return the counterexamples of scenarios as text."""
    lines: list[str] = []
    for one in scenarios:
        lines.append(f"{one.id} repeat {one.repeat}  {one.verdict}  {one.reason}")
        if one.mismatches:
            lines.append(f"  {one.mismatches:,} sectors were wrong; of these, shown:")
        for example in one.violations:
            lines += ["", *_example(example)]
        if one.violations:
            lines.append("")
    return lines


def _example(example: Counterexample) -> list[str]:
    begin = min(one.sent_ns for one in example.operations)
    rows = [_row(one, begin) for one in example.operations]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    plural = "" if example.blocks == 1 else "s"
    return [
        f"  {example.kind.upper()}  LBA {example.lba}, {example.blocks} sector{plural}",
        *("    " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows),
        f"  {example.sentence}",
    ]


def _row(one: CounterexampleOperation, begin: int) -> list[str]:
    did = "wrote" if one.op == "write" else "returned"
    ended = "never acknowledged" if one.done_ns < 0 else f"ended +{_ms(one.done_ns - begin)}"
    return [
        "->" if one.offending else "",
        f"{one.probe} #{one.k}",
        f"{did} {one.value}",
        f"LBA {one.lba}+{one.blocks}",
        f"sent +{_ms(one.sent_ns - begin)}",
        ended,
    ]


def _ms(ns: int) -> str:
    return show_ms(ns / _NS_PER_MS)
