"""The rest of the page: data integrity, conformance, configuration, evidence."""

from reports.counterexamples import TITLES
from reports.model import gravest
from reports.record import AssertionRecord, Counterexample, Verdict
from reports.screen.marks import chip, section
from reports.screen.markup import Html, definitions, row, table, tag
from reports.sections.integrity import integrity_of
from reports.view import View, shape_of_lab
from reports.words import MISSING, count, size

_EXAMPLES_MOST = 50


def integrity(view: View) -> Html:
    """Return what was written and compared, and what proves that data was wrong."""
    rows = []
    for scenario in view.scenarios:
        if scenario.was_run:
            seen = integrity_of(scenario, view.run.events)
            figures = (seen.written, seen.verified, seen.wrong)
            rows.append(
                row(
                    tag("a", scenario.plan.id, href=f"#{scenario.anchor}"),
                    chip(seen.verdict),
                    *(count(value) for value in figures),
                    seen.arrays,
                )
            )
    examples = [
        _example(f"{judgement.id} repeat {judgement.repeat}", one)
        for scenario in view.scenarios
        for judgement in scenario.repeats
        for one in judgement.violations
    ]
    rest = len(examples) - _EXAMPLES_MOST
    return section(
        "integrity",
        "Data integrity",
        table(
            [
                "Id",
                "Verdict",
                "sectors written",
                "read back and right",
                "wrong",
                "Arrays, sector by sector",
            ],
            rows,
            caption="Data integrity",
            unseen=True,
        ),
        examples[:_EXAMPLES_MOST],
        tag("p", f"{count(rest)} more: certify explain shows all.") if rest > 0 else "",
    )


def _example(where: str, one: Counterexample) -> Html:
    first = min((op.sent_ns for op in one.operations), default=0)
    rows = [
        row(
            f"{op.probe} #{op.k}",
            op.op,
            f"{op.lba} + {op.blocks}",
            [op.value, tag("strong", ", wrong", class_="grave") if op.offending else ""],
            f"+{(op.sent_ns - first) / 1e6:.3f}",
            f"+{(op.done_ns - first) / 1e6:.3f}" if op.done_ns >= 0 else "never acknowledged",
        )
        for op in one.operations
    ]
    title = f"{TITLES.get(one.kind, one.kind)}, {where}, LBA {one.lba}"
    return tag(
        "div",
        tag("h3", title),
        tag("p", one.sentence, class_="reason"),
        table(
            ["Operation", "", "LBA", "value", "sent, ms", "ended, ms"],
            rows,
            caption="The fewest operations that show it",
        ),
    )


def conformance(view: View) -> Html:
    """Return every assertion once, with the paths on which it went alike."""
    judged = view.run.judgement
    groups: dict[tuple[str, ...], list[AssertionRecord]] = {}
    for one in view.run.conformance.assertions:
        groups.setdefault((one.family, one.name, one.clause, one.verdict), []).append(one)
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_RUN, Verdict.PASS)
    members = sorted(groups.values(), key=lambda group: order.index(group[0].verdict))
    choices = [tag("option", "all", value="")]
    choices += [tag("option", str(one), value=str(one)) for one in order]
    tools = tag(
        "div",
        tag("label", "Words to look for", for_="assertion-words"),
        tag("input", type="search", id="assertion-words", autocomplete="off"),
        tag("label", "Verdict", for_="assertion-verdict"),
        tag("select", choices, id="assertion-verdict"),
        tag("output", "", id="assertion-count", role="status"),
        class_="tools",
    )
    return section(
        "conformance",
        "Conformance",
        tools if members else tag("p", "No assertion is in the evidence."),
        table(
            ["Assertion", "verdict", "clause", "paths", "expected", "observed"],
            [_assertion(group) for group in members],
            caption="Conformance",
            unseen=True,
            id="assertions",
        )
        if members
        else "",
        note=f"{count(judged.conformance_passed)} assertions passed, "
        f"{count(judged.conformance_failed)} failed, {count(judged.conformance_not_run)} "
        "did not run.",
    )


def _assertion(group: list[AssertionRecord]) -> Html:
    first = group[0]
    paths = sorted({one.path for one in group if one.path})
    shown = ", ".join(paths[:4]) + (f" (+{len(paths) - 4})" if len(paths) > 4 else "")
    why = first.reason if first.verdict is not Verdict.PASS else ""
    verdict = gravest(one.verdict for one in group)
    return row(
        f"{first.family}: {first.name}",
        chip(verdict),
        first.clause,
        shown or MISSING,
        first.expected,
        [first.observed, " " if why else "", why],
        data_verdict=str(verdict),
    )


def configuration(view: View) -> Html:
    """Return what was tested, as it was found."""
    run, lab = view.run.run, view.lab
    target = run.system_under_test
    units = [
        row(one.name, one.purpose, size(one.size_bytes), size(one.block_bytes), one.wwid)
        for one in lab.logical_units
    ]
    paths = [
        row(one.name, one.host, one.engine, one.logical_unit, one.hctl, one.device)
        for one in lab.paths
    ]
    settings = [row(one.name, one.value, one.source) for one in run.host_timers]
    return section(
        "configuration",
        "Configuration tested",
        definitions(
            [
                ("Name", target.name),
                ("Vendor, product", f"{target.vendor} {target.product}"),
                ("Revision", target.revision or MISSING),
                ("Serial numbers", ", ".join(target.serials) or MISSING),
            ]
        ),
        table(["Logical unit", "purpose", "size", "block", "WWID"], units, caption="Logical units"),
        table(
            ["Path", "host", "engine", "logical unit", "host:channel:target:lun", "device"],
            paths,
            caption="Paths",
        ),
        table(
            ["Setting", "value", "read from"], settings, caption="Host settings that bound a stall"
        ),
        tag("h3", "Versions"),
        definitions(run.versions.items()),
        note=f"Lab {lab.name}, topology {lab.topology}: {shape_of_lab(view)}.",
    )


def evidence(view: View) -> Html:
    """Return the evidence root and how to check it."""
    files = view.run.manifest.files
    rows = [row(one.path, count(one.size_bytes), tag("code", one.sha256)) for one in files]
    return section(
        "evidence",
        "Evidence",
        definitions([("Run", view.run.run.run_id), ("Evidence root", tag("code", view.run.root))]),
        tag(
            "p",
            "This page is for reading. What is signed is the PDF beside it, which carries the "
            "evidence. In the run folder, this checks every file, and this page against them:",
        ),
        tag("p", tag("code", "certify verify RUN")),
        tag(
            "details",
            tag("summary", f"Manifest: {count(len(files))} files"),
            table(["File", "bytes", "SHA-256"], rows, caption="Manifest"),
        ),
    )
