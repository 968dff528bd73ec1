"""The method: how a figure of this report came to be, so that another can get it again."""

from reports.ink import Align
from reports.sheet import Sheet
from reports.style import SMALL
from reports.table import Column, cell, draw_table, strong
from reports.view import View

_PHASES = [
    ("1  Preflight", "Every path, engine and array is healthy, or the scenario does not begin."),
    ("2  Steady", "Load and probes run until nothing changes; this is the measure of normal."),
    (
        "3  Fault",
        "The fault is written to a journal, injected, and proven by something other than the "
        "injector. A fault without proof makes the scenario inconclusive, never passed.",
    ),
    (
        "4  Mend",
        "The fault is undone. Failback is observed until redundancy is shown restored: every path "
        "usable, both arrays equal.",
    ),
    ("5  Judge", "Only now, from what was recorded: availability, stall, integrity, redundancy."),
]
_TERMS = [
    (
        "Open loop",
        "I/O number k is due at a fixed time, whatever became of those before it. Its latency "
        "counts from that time. So I/Os that had to wait for their turn show the wait, and a stall "
        "is not hidden by a load that stopped (coordinated omission).",
    ),
    (
        "Stall",
        "The longest time from due to done of any I/O of the application. At failover: among those "
        "due or outstanding between injection and mend. At failback: from the mend to the end of "
        "the recovery time.",
    ),
    (
        "Noise floor",
        "The slowest I/O, in the same time, of a disk that no fault touches. It bounds what this "
        "measuring machine can tell. Above a tenth of the limit the scenario is inconclusive.",
    ),
    (
        "Host impact",
        "What the application would have seen: an error, wrong data, or a wait. Errors on single "
        "paths that multipathing hid are evidence, not impact.",
    ),
    (
        "Clock",
        "All times are CLOCK_MONOTONIC of the host that ran the suite; zero on a fault page is the "
        "moment at which the injection took effect.",
    ),
]
_GRADES = [
    ("Platinum", "≤ 1 s", "≤ 1 s", "fail-fast and planned failover of the best products"),
    ("Gold", "≤ 5 s", "≤ 2 s", "below the iSCSI NOP and fast_io_fail defaults (5 s)"),
    ("Silver", "< 15 s", "≤ 5 s", "below Oracle ASM heartbeat and iSCSI abort (15 s)"),
    ("Bronze", "< 27 s", "< 15 s", "below Oracle RAC misscount (27 s), Linux SCSI timer (30 s)"),
    ("not certified", "longer", "longer", "or any error, any wrong data, redundancy not restored"),
]
_GRADE_COLUMNS = (
    Column(title="Grade", share=80),
    Column(title="unplanned failover", share=76, align=Align.RIGHT),
    Column(title="planned, failback", share=76, align=Align.RIGHT),
    Column(title="where the edge comes from", share=250),
)


def draw_method(sheet: Sheet, view: View) -> None:
    """Draw the page on the method."""
    sheet.chapter(
        "Method",
        anchor="method",
        subtitle="While a run goes on nothing judges; afterwards nothing acts. The same evidence "
        "can be judged again at any time.",
    )
    sheet.heading("A scenario in five phases")
    sheet.gap(2)
    sheet.definitions(_PHASES)
    sheet.heading("Terms")
    sheet.gap(2)
    sheet.definitions(_TERMS)
    sheet.heading("Grades", note="worst over all repeats of all scenarios")
    rows = [(strong(a), cell(b), cell(c), cell(d)) for a, b, c, d in _GRADES]
    draw_table(sheet, _GRADE_COLUMNS, rows)
    sheet.heading("Decision rule and confidence")
    sheet.paragraph(view.run.judgement.decision_rule, size=SMALL)
    repeats = max((scenario.plan.repeats for scenario in view.scenarios), default=1)
    often = f"Faults were injected up to {repeats} times each."
    if repeats <= 1:
        often = "Each fault was injected once."
    sheet.paragraph(
        f"{often} Where n repeats all pass, the chance that "
        "the next one fails is below about 3/n with 95 % confidence (rule of three); below three "
        "repeats that bound says nothing.",
        size=SMALL,
    )
