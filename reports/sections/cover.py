"""The cover: a certificate that stands alone, also when copied in grey."""

from dataclasses import dataclass

from reports import emblems
from reports.ink import Anchor, Box, Line, Picture, Text
from reports.logo import LogoError, inspect_logo
from reports.qr import qr_marks, qr_text
from reports.record import LabRecord, RecordError, Verdict, credibility_sentence
from reports.sheet import Sheet
from reports.stall_bars import HEAD_HEIGHT, ROW_HEIGHT, draw_stall_bars
from reports.style import (
    BODY,
    BOLD,
    DOUBT_FILL,
    DOUBT_TEXT,
    FILL,
    HEADING,
    INK,
    LEAD,
    LEADING,
    LEFT,
    MM,
    MONO,
    MUTED,
    PALE,
    REGULAR,
    RIGHT,
    SMALL,
    TEXT,
    TINY,
    TITLE,
    WIDTH,
    text_width,
)
from reports.tolerance import exposure_of, safe_words
from reports.view import View, lab_notice, shape_of_lab
from reports.words import count, duration, fit, plural, printable, span_of_time, wrap

_SIGNATURE_ROW = 52.0
_PER_ROW = 3
_GUTTER = 24.0
_SIGNATURES = 9
_ROW_MOST = 29.0
_ROOT = 54.0
_QR = 52.0
"""Edge of the QR code, points: its modules are 0.45 mm, which cameras read from paper."""
_OCCASION = 62.0
_LOGO_WIDTH, _LOGO_HEIGHT = 50 * MM, 12 * MM
_PAIRED = 4
"""Facts of the occasion that share a line with another."""
_STATEMENT = (
    "We have read the whole report. Our signatures apply to the evidence whose root is printed "
    "below. The results relate only to the items tested, in the configuration tested."
)


def draw_cover(sheet: Sheet, view: View) -> None:
    """Draw page one."""
    sheet.new_page()
    sheet.add(Anchor(name="cover", y=0, title="Certificate"))
    _draw_title(sheet, view)
    _draw_notice(sheet, view)
    _draw_verdict(sheet, view)
    _draw_figures(sheet, view)
    _draw_stalls(sheet, view)
    _draw_occasion(sheet, view)
    _draw_signatures(sheet, view)


def _draw_title(sheet: Sheet, view: View) -> None:
    target = view.run.run.system_under_test
    _draw_logo(sheet, view)
    sheet.y += 26
    sheet.line_of("Zero-downtime report of", size=LEAD, colour=MUTED, advance=TITLE * 1.2)
    _draw_name(sheet, target.name)
    identity = " ".join(part for part in (target.vendor, target.product, target.revision) if part)
    sheet.line_of(
        f"{identity} · {shape_of_lab(view)}", size=LEAD, colour=MUTED, advance=SMALL * 1.8
    )
    if target.serials:
        serials = "Serial numbers " + ", ".join(target.serials)
        sheet.line_of(serials, size=SMALL, colour=MUTED, advance=SMALL * 1.6)
    accepted = view.run.run.acceptance
    parts = [("Customer", accepted.customer), ("Contract", accepted.contract)]
    parts.append(("Requirements", accepted.requirements))
    parts.append(("Revision", accepted.revision_words))
    known = " · ".join(f"{name}: {value}" for name, value in parts if value)
    if known:
        sheet.line_of(known, size=SMALL, colour=MUTED, advance=SMALL * 1.6)
    sheet.y += 2


def _draw_logo(sheet: Sheet, view: View) -> None:
    """Draw the customer's logo in the upper right corner, as large as its room lets it be."""
    name = view.run.run.acceptance.logo
    if not name:
        return
    path = view.run.folder / name
    try:
        data = path.read_bytes()
        logo = inspect_logo(data)
    except (OSError, LogoError) as error:
        raise RecordError(f"{path}: not a logo: {error}") from error
    scale = min(_LOGO_WIDTH / logo.width, _LOGO_HEIGHT / logo.height)
    width, height = logo.width * scale, logo.height * scale
    sheet.add(Picture(x=RIGHT - width, y=sheet.y - 4, width=width, height=height, data=data))


def _draw_name(sheet: Sheet, name: str) -> None:
    """Draw the name of the system under test, smaller and on two lines if it is long."""
    if text_width(printable(name, BOLD), BOLD, TITLE) <= WIDTH:
        sheet.line_of(name, font=BOLD, size=TITLE, advance=LEAD * 1.7)
        return
    sheet.y -= TITLE * 1.1
    sheet.paragraph(name, font=BOLD, size=HEADING, max_lines=2)
    sheet.y += LEAD * 1.3


def _draw_notice(sheet: Sheet, view: View) -> None:
    notice = lab_notice(view)
    if notice is None:
        sheet.y += 6
        return
    title, text = notice
    lines = wrap(text, REGULAR, SMALL, WIDTH - 26)
    height = 17 + len(lines) * SMALL * LEADING + 3
    top = sheet.y
    sheet.add(
        Box(x=LEFT, y=top, width=WIDTH, height=height, outline=DOUBT_FILL, line_width=0.8),
        *emblems.verdict_mark(
            Verdict.INCONCLUSIVE, x=LEFT + 9, y=top + 6.4, size=7, colour=DOUBT_FILL
        ),
    )
    x = LEFT + 22
    sheet.add(Text(x=x, y=top + 13, text=title, font=BOLD, size=BODY, colour=DOUBT_TEXT))
    sheet.y = top + 15.5
    sheet.paragraph(text, size=SMALL, x=x, width=WIDTH - 26)
    sheet.y = top + height + 10


def _draw_verdict(sheet: Sheet, view: View) -> None:
    verdict, judgement = view.verdict, view.run.judgement
    inner = WIDTH - 26
    sentence = wrap(judgement.sentence, REGULAR, LEAD, inner, max_lines=3)
    rule = wrap(f"Decision rule: {judgement.decision_rule}", REGULAR, SMALL, inner, max_lines=3)
    height = 33 + len(sentence) * LEAD * LEADING + 4 + len(rule) * SMALL * LEADING + 9
    top = sheet.y
    sheet.add(
        Box(x=LEFT, y=top, width=WIDTH, height=height, fill=PALE[verdict]),
        Box(x=LEFT, y=top, width=5, height=height, fill=FILL[verdict]),
        *emblems.badge(verdict, x=LEFT + 16, y=top + 11, size=17),
        Text(
            x=LEFT + 40,
            y=top + 26,
            text=fit(view.verdict_words, BOLD, TITLE, inner - 30),
            font=BOLD,
            size=TITLE,
            colour=TEXT[verdict],
        ),
    )
    sheet.y = top + 34
    for line in sentence:
        sheet.paragraph(line, size=LEAD, x=LEFT + 16, width=inner)
    sheet.y += 3
    for line in rule:
        sheet.paragraph(line, size=SMALL, colour=MUTED, x=LEFT + 16, width=inner)
    sheet.y = top + height + 26


def figures_of_cover(view: View) -> list[tuple[str, str]]:
    """Return the five key figures as they are written, each with what it counts."""
    figures = view.figures
    longest = figures.longest
    stall = ("–", "longest stall")
    if longest is not None:
        note = f"longest stall, {longest.scenario_id} {longest.direction}"
        stall = (duration(longest.ms), note)
    return [
        stall,
        (count(figures.io_errors), "I/O errors at the application"),
        (count(figures.mismatches), "data mismatches"),
        (count(figures.sectors_verified), "sectors verified"),
        (f"{figures.faults_within} / {figures.faults}", "faults passed"),
    ]


def _draw_figures(sheet: Sheet, view: View) -> None:
    step = WIDTH / 5
    for index, (value, label) in enumerate(figures_of_cover(view)):
        x = LEFT + index * step
        value = fit(value, BOLD, HEADING, step - 8)
        sheet.add(Text(x=x, y=sheet.y, text=value, font=BOLD, size=HEADING, colour=INK))
        label = fit(label, REGULAR, TINY, step - 8)
        sheet.add(Text(x=x, y=sheet.y + 13, text=label, font=REGULAR, size=TINY, colour=MUTED))
    sheet.y += 30


def _signature_height(view: View) -> float:
    rows = -(-len(view.run.run.acceptance.signatories[:_SIGNATURES]) // _PER_ROW)
    return 42 + rows * _SIGNATURE_ROW + _ROOT


def _draw_stalls(sheet: Sheet, view: View) -> None:
    room = view.paper.bottom - _signature_height(view) - _OCCASION - sheet.y - HEAD_HEIGHT - 56
    most = max(1, int(room // ROW_HEIGHT))
    scenarios = view.faults
    shown = scenarios[:most]  # the gravest are first
    repeats = max((scenario.plan.repeats for scenario in scenarios), default=1)
    note = "each bar is the worst I/O as % of its own limit"
    if any(scenario.verdict is Verdict.INCONCLUSIVE for scenario in shown):
        note += " · outlined = not graded"
    if repeats > 1:
        note += f" · worst of {repeats}, white tick = median"
    sheet.heading("Stall per fault, against its limit", note=note)
    if not scenarios:
        sheet.gap(10)
        sheet.line_of("No fault was planned in this run.", colour=MUTED, advance=10)
        return
    pitch = min(max(room / len(shown), ROW_HEIGHT), _ROW_MOST)
    sheet.add(*draw_stall_bars(shown, top=sheet.y + 3, pitch=pitch))
    sheet.y += 3 + HEAD_HEIGHT + pitch * len(shown)
    if len(shown) < len(scenarios):
        sheet.y += 11
        rest = plural(len(scenarios) - len(shown), "more fault")
        sheet.line_of(f"and {rest}: see the failure matrix", size=SMALL, colour=MUTED)


def _lab_of(lab: LabRecord) -> str:
    """Return what the lab is, and what `--target` put under test in a virtual one."""
    more = f"target {lab.target}" if lab.target else f"topology {lab.topology}"
    return f"{lab.kind} lab {lab.name}, {more}"


def _draw_occasion(sheet: Sheet, view: View) -> None:
    """Draw when, where, how often and with what, just above the signatures."""
    run = view.run.run
    repeats = max((scenario.plan.repeats for scenario in view.scenarios), default=0)
    commit = f", commit {run.tool.commit[:12]}" if run.tool.commit else ""
    changed = " (changed)" if run.tool.modified else ""
    facts = [
        ("Tested", span_of_time(run.started_utc, run.ended_utc)),
        ("Lab", _lab_of(run.lab)),
        ("Profile", f"{run.profile}, {plural(repeats, 'repeat')} of each fault, seed {run.seed}"),
        ("Tool", f"zerostall {run.tool.version}{commit}{changed}"),
        ("Suite", credibility_sentence(run.credibility)),
        ("Safe for", safe_words(exposure_of(view.scenarios, indicative=run.times_indicative))),
    ]
    y = view.paper.bottom - _signature_height(view) - _OCCASION
    column = WIDTH / 2
    for index, (name, value) in enumerate(facts):
        x, line = LEFT + (index % 2) * column, y + (index // 2) * 13
        room = column
        if index >= _PAIRED:  # the last ones have lines of their own
            x, line, room = LEFT, y + (_PAIRED // 2 + index - _PAIRED) * 13, WIDTH
        value = fit(value, REGULAR, SMALL, room - 46)
        sheet.add(
            Text(x=x, y=line, text=name, font=BOLD, size=SMALL, colour=INK),
            Text(x=x + 36, y=line, text=value, font=REGULAR, size=SMALL, colour=INK),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """Where a role signs: the line's left end, its width, and its height on the page."""

    role: str
    x: float
    y: float
    width: float


def signature_lines(view: View) -> list[SignatureLine]:
    """Return the lines of the cover on which people sign, by ink or by certificate."""
    top = view.paper.bottom - _signature_height(view)
    top += len(_statement_lines()) * SMALL * LEADING
    width = (WIDTH - _GUTTER * (_PER_ROW - 1)) / _PER_ROW
    return [
        SignatureLine(
            role=role,
            x=LEFT + (index % _PER_ROW) * (width + _GUTTER),
            y=top + (index // _PER_ROW + 1) * _SIGNATURE_ROW - 12,
            width=width,
        )
        for index, role in enumerate(view.run.run.acceptance.signatories[:_SIGNATURES])
    ]


def _statement_lines() -> list[str]:
    return wrap(_STATEMENT, REGULAR, SMALL, WIDTH)


def _draw_signatures(sheet: Sheet, view: View) -> None:
    sheet.y = view.paper.bottom - _signature_height(view)
    sheet.add(Text(x=LEFT, y=sheet.y, text="Signatures", font=BOLD, size=LEAD, colour=INK))
    for index, line in enumerate(_statement_lines(), start=1):
        y = sheet.y + 3 + index * SMALL * LEADING
        sheet.add(Text(x=LEFT, y=y, text=line, font=REGULAR, size=SMALL, colour=MUTED))
    for one in signature_lines(view):
        role = fit(one.role, BOLD, SMALL, one.width)
        x, y = one.x, one.y
        name = view.run.run.acceptance.names.get(one.role, "name")
        below = fit(f"{name} · date", REGULAR, TINY, one.width)
        sheet.add(
            Line(x0=x, y0=y, x1=x + one.width, y1=y, colour=INK, width=0.6),
            Text(x=x, y=y + 10, text=role, font=BOLD, size=SMALL, colour=INK),
            Text(x=x, y=y + 19, text=below, font=REGULAR, size=TINY, colour=MUTED),
        )
    bottom = view.paper.bottom
    y = bottom - 8
    sheet.add(
        Text(
            x=LEFT,
            y=y - 10,
            text="Evidence root: the SHA-256 of the manifest of all evidence of this run",
            font=REGULAR,
            size=TINY,
            colour=MUTED,
        ),
        Text(x=LEFT, y=y, text=view.run.root, font=MONO, size=SMALL, colour=INK),
        *qr_marks(qr_text(view.run.root), x=RIGHT - _QR, y=bottom - _QR, size=_QR),
    )
