"""The configuration tested: drawing, inventory, host settings that bound a stall, versions."""

from reports.ink import Align
from reports.language.speech import said
from reports.sheet import Sheet
from reports.style import MONO, MUTED, TINY
from reports.table import DENSE, Column, Words, cell, draw_table, strong
from reports.topology import Broken, broken_of, draw_topology, not_drawn, topology_height
from reports.view import View, lab_notice, shape_of_lab
from reports.words import MISSING, size

_OTHERS_MOST = 12
_UNIT_COLUMNS = (
    Column(title="Logical unit", share=80),
    Column(title="purpose", share=80),
    Column(title="size", share=60, align=Align.RIGHT),
    Column(title="block", share=50, align=Align.RIGHT),
    Column(title="WWID", share=212),
)
_PATH_COLUMNS = (
    Column(title="Path", share=132),
    Column(title="host", share=70),
    Column(title="engine", share=70),
    Column(title="logical unit", share=80),
    Column(title="host:channel:target:lun", share=80),
    Column(title="device", share=50),
)
_SETTING_COLUMNS = (
    Column(title="Setting", share=132),
    Column(title="value", share=150),
    Column(title="read from", share=200),
)


def draw_configuration(sheet: Sheet, view: View) -> None:
    """Draw the configuration tested."""
    run, lab = view.run.run, view.lab
    notice = lab_notice(view)
    kind = f"{notice[0]}. {notice[1]}" if notice else "Physical lab."
    sheet.chapter(
        "Configuration tested",
        anchor="configuration",
        subtitle=f"Lab {lab.name}, topology {lab.topology}: {shape_of_lab(view)}. {kind}",
    )
    height = topology_height(lab)
    sheet.need(height + 10)
    broken = broken_of(view.scenarios)
    sheet.add(*draw_topology(lab, top=sheet.y, broken=broken))
    sheet.y += height + 2
    _draw_legend(sheet, view, broken)
    sheet.heading("System under test")
    target = run.system_under_test
    sheet.gap(2)
    sheet.definitions(
        [
            ("Name", target.name),
            ("Vendor, product", f"{target.vendor} {target.product}"),
            ("Revision", target.revision or MISSING),
            ("Serial numbers", ", ".join(target.serials) or MISSING),
            *([("Note", target.note)] if target.note else []),
        ]
    )
    _draw_inventory(sheet, view)
    _draw_settings(sheet, view)


def _draw_legend(sheet: Sheet, view: View, broken: dict[str, Broken]) -> None:
    """Say what the marks of the drawing are, and what was broken that is not in it."""
    text = "Nothing was broken in this run."
    if broken:
        text = "Hatched or crossed: broken in this run, with the ids of the scenarios."
    others = [f"{name} ({one.words})" for name, one in not_drawn(view.lab, broken).items()]
    if others:
        more = f" and {len(others) - _OTHERS_MOST} more" if len(others) > _OTHERS_MOST else ""
        text += f" Broken, too: {', '.join(others[:_OTHERS_MOST])}{more}."
    sheet.paragraph(text, size=TINY, colour=MUTED, max_lines=4)
    sheet.gap(2)


def _mono(text: str) -> Words:
    return Words(text=text, font=MONO, size=TINY)


def _draw_inventory(sheet: Sheet, view: View) -> None:
    sheet.heading("Logical units")
    units = [
        (
            strong(said(unit.name)),
            cell(unit.purpose),
            cell(size(unit.size_bytes)),
            cell(size(unit.block_bytes)),
            _mono(unit.wwid),
        )
        for unit in view.lab.logical_units
    ]
    draw_table(sheet, _UNIT_COLUMNS, units)
    sheet.heading("Paths", note="device names as they were during the run")
    paths = [
        (
            strong(said(path.name)),
            cell(said(path.host)),
            cell(said(path.engine)),
            cell(said(path.logical_unit)),
            _mono(path.hctl),
            _mono(path.device.removeprefix("/dev/")),
        )
        for path in view.lab.paths
    ]
    draw_table(sheet, _PATH_COLUMNS, paths)


def _draw_settings(sheet: Sheet, view: View) -> None:
    sheet.heading("Host settings that bound a stall")
    settings = [
        (
            cell(timer.name),
            _mono(timer.value if timer.name.startswith("Bound: ") else said(timer.value)),
            Words(text=timer.source, size=TINY, colour=MUTED),
        )
        for timer in view.run.run.host_timers
    ]
    draw_table(sheet, _SETTING_COLUMNS, settings, pad=DENSE)
    sheet.heading("Versions")
    sheet.gap(2)
    sheet.definitions(list(view.run.run.versions.items()), label_width=130)
