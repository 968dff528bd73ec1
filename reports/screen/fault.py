"""The part of the page on one fault: timeline with its table, sequence, expected and observed."""

from reports.chronology import Moment, load_units, sequence_of
from reports.model import Scenario
from reports.screen.course import EVENTS_MOST, ScreenCourse
from reports.screen.marks import chip, class_of
from reports.screen.markup import Html, definitions, row, table, tag
from reports.sections.fault import figures_of, reproduce_command
from reports.view import View
from reports.words import count, duration, limit, offset, plural, seconds

_SLOWEST = 15
_BUTTONS = (
    ("in", "Zoom in"),
    ("out", "Zoom out"),
    ("earlier", "Earlier"),
    ("later", "Later"),
    ("fault", "Fault"),
    ("mend", "Mend"),
    ("all", "All"),
)
KEYS = (
    "Arrow keys move, plus and minus zoom, F goes to the fault, M to the mend, Home shows all. "
    "Drag to move, double-click or the wheel with Ctrl to zoom."
)


def fault_section(
    view: View, scenario: Scenario, course: ScreenCourse | None, *, number: int
) -> Html:
    """Return the part on *scenario*; *number* is that of its timeline in the page's data."""
    plan = scenario.plan
    parts: list[Html] = []
    if course is None:
        parts.append(tag("p", "There is no measurement to show.", class_="note"))
    else:
        parts += [_timeline(scenario, course, number), _sequence(view, course)]
    return tag(
        "article",
        tag(
            "h3",
            tag("span", plan.id, class_="id"),
            " ",
            plan.title,
            " ",
            chip(scenario.verdict),
            id=f"{scenario.anchor}-title",
        ),
        tag("p", scenario.reason, class_="reason"),
        tag("p", plan.description) if plan.description else "",
        _facts(scenario),
        *parts,
        _checks(scenario),
        tag("p", "Reproduce", ": ", tag("code", reproduce_command(view, scenario))),
        tag("p", tag("a", "Back to the failure matrix", href="#matrix"), class_="back"),
        id=scenario.anchor,
        class_=f"fault edge {class_of(scenario.verdict)}",
        tabindex="-1",
        aria_labelledby=f"{scenario.anchor}-title",
    )


def _facts(scenario: Scenario) -> Html:
    plan, worst = scenario.plan, scenario.worst
    stalls = [
        (name, f"{duration(stall.worst_ms)} ({limit(stall.limit_ms)} s)")
        for name, stall in (("Failover", scenario.failover), ("Failback", scenario.failback))
        if stall.worst_ms is not None
    ]
    pairs = [
        ("Requirement", plan.requirement),
        ("Reference", plan.reference),
        ("Expected", plan.expected),
        *stalls,
        ("Repeats", f"{len(scenario.repeats)} of {plan.repeats}"),
        ("Shown", f"repeat {worst.repeat}, the worst" if worst and plan.repeats > 1 else ""),
        ("Latencies", figures_of(worst) if worst else ""),
    ]
    return definitions((name, value) for name, value in pairs if value)


def _timeline(scenario: Scenario, course: ScreenCourse, number: int) -> Html:
    label = f"{scenario.plan.id}: latency of the application's I/O"
    buttons = [
        tag("button", words, type="button", data_do=name, disabled=_useless(name, course))
        for name, words in _BUTTONS
    ]
    return tag(
        "figure",
        tag("figcaption", label),
        tag(
            "p",
            f"The slowest I/O of every {duration(course.column_ms)}, finer around fault and mend; "
            f"{plural(len(course.points), 'point')} of {count(course.count)} I/Os. "
            "Latency counts from when an I/O was due.",
            class_="note",
        ),
        tag("div", buttons, class_="tools", role="group", aria_label=label),
        tag(
            "div",
            tag("canvas", role="img", aria_label=label),
            class_="plot",
            tabindex="0",
            role="application",
            aria_roledescription="timeline",
            aria_label=label,
            aria_describedby="keys",
        ),
        tag("p", tag("output", "")),
        _as_table(course),
        class_="timeline",
        data_course=str(number),
    )


def _useless(name: str, course: ScreenCourse) -> bool:
    if name == "fault":
        return course.fault is None
    return name == "mend" and (course.fault is None or course.when.mended_ms is None)


def _as_table(course: ScreenCourse) -> Html:
    slow = sorted(course.points, key=lambda point: (-point[1], point[0]))[:_SLOWEST]
    ios = [
        row(offset(due), seconds(took), "did not end well" if bad else "good")
        for due, took, bad in sorted(slow)
    ]
    states = [
        row(path, offset(start), offset(end), state or "no state reported")
        for path, spans in course.spans.items()
        for start, end, state in spans
    ]
    return tag(
        "details",
        tag("summary", "The chart as a table"),
        table(["due at, s", "took, s", "ended"], ios, caption="The slowest I/Os"),
        table(["path", "from, s", "to, s", "state"], states, caption="States of the paths"),
    )


def _sequence(view: View, course: ScreenCourse) -> Html:
    moments, others = sequence_of(
        course.when,
        limit=EVENTS_MOST,
        explained=course.judgement.attribution,
        units=load_units(view.lab),
    )
    note = "time after the fault" if course.when.injected else "time after the steady load began"
    if others:
        note += f" · {others} more in events.jsonl"
    return table(
        ["", "at, s", "took, s", "seen by"],
        [_moment(one) for one in moments],
        caption=f"What happened, and where the time went ({note})",
    )


def _moment(one: Moment) -> Html:
    took = seconds(one.part[1] - one.part[0]) if one.part else ""
    title = tag("strong", one.title, class_="grave") if one.grave else one.title
    return row(title, offset(one.at_ms), took, one.text)


def _checks(scenario: Scenario) -> Html:
    worst = scenario.worst
    if worst is None or not worst.checks:
        return Html("")
    return table(
        ["", "expected", "observed", "verdict"],
        [row(one.name, one.expected, one.observed, chip(one.verdict)) for one in worst.checks],
        caption="Expected and observed",
    )
