"""How far this report can be believed: what the suite finds, what it missed here, its limits."""

import math

from reports.ink import Align
from reports.model import Scenario
from reports.record import Credibility, EventKind, ScenarioJudgement, Verdict, credibility_sentence
from reports.sheet import Sheet
from reports.style import DOUBT_TEXT, INK, MONO, MUTED, SMALL
from reports.table import DENSE, Cell, Chip, Column, Row, Words, cell, draw_table
from reports.view import View
from reports.words import MISSING, count, duration, plural

_NOISY = 0.1
"""Share of a limit above which noise could have made or hidden a verdict (the decision rule)."""

_SELF_COLUMNS = (
    Column(title="What was tried on the suite itself", share=230),
    Column(title="had to be", share=70),
    Column(title="was", share=112),
    Column(title="", share=70, align=Align.RIGHT),
)
_NOISE_COLUMNS = (
    Column(title="Id", share=34),
    Column(title="Scenario", share=140),
    Column(title="noise floor", share=56, align=Align.RIGHT),
    Column(title="of its limit, %", share=56, align=Align.RIGHT),
    Column(title="suite stood still", share=62, align=Align.RIGHT),
    Column(title="before the fault, slowest", share=70, align=Align.RIGHT),
    Column(title="stall without evidence", share=72, align=Align.RIGHT),
)
_LIMITS = (
    ("Presence, not absence", "Tests show that errors are there, never that there are none."),
    (
        "What was broken",
        "Only the faults of the failure matrix, on the logical units of the inventory. What breaks "
        "otherwise, or elsewhere, is not covered.",
    ),
    (
        "Short stalls",
        "A stall that is shorter than the time between two I/Os of the application may fall "
        "between them. Longer ones are found however long.",
    ),
    (
        "One clock",
        "All times are of the host that ran the suite. What a target or an array says of itself "
        "is placed by when this host read it.",
    ),
    (
        "Noise",
        "What the measuring host loses can only make a stall longer. So a stall within its limit "
        "holds, and a longer one that noise may have made is inconclusive.",
    ),
    (
        "Often enough",
        "Some faults fail one time in a thousand. Few repeats do not find that; the page “Method” "
        "says what the number of repeats proves.",
    ),
)
_VIRTUAL = (
    "Virtual lab",
    "No storage hardware, cable, switch, adapter or firmware took part. For them this report says "
    "nothing.",
)
_EMULATED = ("Emulated CPU", "Function and data hold; no time of this report does.")


def draw_credibility(sheet: Sheet, view: View) -> None:
    """Draw the page on the suite itself."""
    sheet.chapter(
        "How far this report can be believed",
        anchor="credibility",
        subtitle="A judge that has never been wrong on purpose proves little. So the suite is run "
        "against saboteurs, systems with one known defect each, that it must fail for the right "
        "reason, and against a good system, that it must pass.",
    )
    _draw_self_test(sheet, view)
    _draw_faults(sheet, view)
    _draw_noise(sheet, view)
    sheet.heading("Known limits")
    sheet.gap(2)
    sheet.definitions([*_LIMITS, *_limits_of_lab(view)])


def _draw_self_test(sheet: Sheet, view: View) -> None:
    seen = view.run.run.credibility
    sheet.heading("The suite against known defects")
    if seen is None:
        sheet.paragraph(
            f"Planted defects: {credibility_sentence(seen)}. Until they are, only the evidence "
            "speaks for this report.",
            colour=DOUBT_TEXT,
        )
        return
    found = Verdict.PASS if seen.defects_found == seen.defects > 0 else Verdict.FAIL
    alarms = Verdict.FAIL if seen.false_alarms else Verdict.PASS
    rows: list[Row] = [
        (
            cell("Systems with one planted defect each"),
            cell("all found"),
            cell(f"{count(seen.defects_found)} of {count(seen.defects)} found"),
            Chip(verdict=found),
        ),
        (
            cell("Runs of a good system"),
            cell("no false alarm"),
            cell(f"{plural(seen.false_alarms, 'false alarm')} in {plural(seen.clean_runs, 'run')}"),
            Chip(verdict=alarms if seen.clean_runs else Verdict.NOT_RUN),
        ),
    ]
    draw_table(sheet, _SELF_COLUMNS, rows)
    for text in _remarks(view, seen):
        sheet.paragraph(text, size=SMALL, colour=MUTED)


def _remarks(view: View, seen: Credibility) -> list[str]:
    tool = view.run.run.tool
    remarks = [
        f"Measured {seen.measured_utc} with version {seen.version}, commit "
        f"{seen.commit[:12] or 'unknown'}, in virtual labs of kernel {seen.kernel}. "
        f"{plural(seen.inconclusive_runs, 'more run')} of the good system said nothing."
    ]
    if seen.clean_runs and not seen.false_alarms:
        bound = 1 - 0.05 ** (1 / seen.clean_runs)
        remarks.append(
            f"No false alarm in {plural(seen.clean_runs, 'run')}: the chance of one in the next is "
            f"below {100 * bound:.2g} % with 95 % confidence."
        )
    same = seen.version == tool.version and _same_commit(seen.commit, tool.commit)
    if not same or tool.modified:
        changed = ", with local changes" if tool.modified else ""
        remarks.append(
            f"This run was made with version {tool.version}, commit "
            f"{tool.commit[:12] or 'unknown'}{changed}: not the very code that was measured."
        )
    return remarks


def _same_commit(one: str, other: str) -> bool:
    length = min(len(one), len(other))
    return length > 0 and one[:length] == other[:length]


def _draw_faults(sheet: Sheet, view: View) -> None:
    """Say of how many faults something other than the injector saw that they were there."""
    kinds = [event.kind for event in view.run.events]
    injected, proven = kinds.count(EventKind.INJECTED), kinds.count(EventKind.PROVEN)
    unproven = kinds.count(EventKind.NOT_PROVEN)
    mended, seen = kinds.count(EventKind.MENDED), kinds.count(EventKind.MEND_PROVEN)
    sheet.heading("Faults of this run")
    sheet.paragraph(
        f"{plural(injected, 'fault')} injected; {count(proven)} seen by something other than the "
        f"injector, {count(unproven)} looked for and not seen. {count(mended)} mended; "
        f"{count(seen)} seen to be mended. Errors of the suite or the lab: "
        f"{count(kinds.count(EventKind.ERROR))}.",
        size=SMALL,
    )


def _draw_noise(sheet: Sheet, view: View) -> None:
    rows = [_noise(one) for one in view.scenarios if one.was_run]
    if not rows:
        return
    sheet.heading(
        "What the measuring host missed", note="the worst of all repeats; above 10 % is marked"
    )
    draw_table(sheet, _NOISE_COLUMNS, rows, pad=DENSE)
    sheet.paragraph(
        "The noise floor is the slowest I/O of a disk that no fault touches. The suite stood still "
        "when its own threads were not let run. A stall without evidence is the part of the "
        "longest stall that nothing in the record explains.",
        size=SMALL,
        colour=MUTED,
    )


def _noise(one: Scenario) -> Row:
    limits = [ms for ms in (one.plan.limit_failover_ms, one.plan.limit_failback_ms) if ms > 0]
    floor = _worst(one, "noise_floor_ms")
    still = _worst(one, "standstill_ms")
    share = floor / min(limits) if floor is not None and limits else None
    return (
        Words(text=one.plan.id, font=MONO, colour=MUTED, goes_to=one.anchor, max_lines=1),
        Words(text=one.plan.title, max_lines=1),
        cell(duration(floor), font=MONO),
        _marked(MISSING if share is None else f"{100 * share:.1f}", (share or 0.0) > _NOISY),
        _marked(duration(still), bool(still and limits and still > _NOISY * min(limits))),
        cell(duration(_worst(one, "steady_ms_max")), font=MONO),
        cell(duration(_worst(one, "unattributed_ms")), font=MONO),
    )


def _marked(text: str, doubtful: bool) -> Cell:
    return cell(text, font=MONO, colour=DOUBT_TEXT if doubtful else INK)


def _worst(one: Scenario, name: str) -> float | None:
    values = [_figure(judgement, name) for judgement in one.repeats]
    return max((value for value in values if value is not None), default=None)


def _figure(judgement: ScenarioJudgement, name: str) -> float | None:
    value = getattr(judgement, name)
    return value if isinstance(value, float | int) and math.isfinite(value) else None


def _limits_of_lab(view: View) -> list[tuple[str, str]]:
    limits = []
    if view.lab.kind == "virtual":
        limits.append(_VIRTUAL)
    if view.run.run.times_indicative:
        limits.append(_EMULATED)
    return limits
