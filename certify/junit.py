"""The verdicts as JUnit XML, for whatever CI reads. Pure."""

from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reports.record import (
    AssertionRecord,
    ConformanceRecord,
    JudgementRecord,
    PlanRecord,
    RunRecord,
    ScenarioJudgement,
    Verdict,
)

CONFORMANCE = "certify.conformance"
SCENARIOS = "certify.scenarios"


def junit_of(
    run: RunRecord, plan: PlanRecord, judgement: JudgementRecord, conformance: ConformanceRecord
) -> bytes:
    """Return the XML: a test case per repeat of a scenario and per conformance assertion.

    FAIL is a failure, INCONCLUSIVE an error, NOT RUN skipped; only PASS is passed. What was tested
    and with what are properties of the first suite.
    """
    root = Element("testsuites", name="certify", time=f"{_seconds(run):.0f}")
    titles = {one.id: one.title for one in plan.scenarios}
    began = run.started_utc.removesuffix("Z")
    scenarios = SubElement(root, "testsuite", name=SCENARIOS, timestamp=began)
    _properties(scenarios, run, judgement)
    for one in judgement.scenarios:
        _scenario(scenarios, one, titles.get(one.id, one.id))
    assertions = SubElement(root, "testsuite", name=CONFORMANCE)
    for assertion in conformance.assertions:
        _assertion(assertions, assertion)
    _count(scenarios, [one.verdict for one in judgement.scenarios])
    _count(assertions, [one.verdict for one in conformance.assertions])
    parts: list[ScenarioJudgement | AssertionRecord] = [
        *judgement.scenarios,
        *conformance.assertions,
    ]
    _count(root, [one.verdict for one in parts])
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _seconds(run: RunRecord) -> float:
    """Return how long the run took; 0 if it has not ended or its record does not say when."""
    try:
        took = datetime.fromisoformat(run.ended_utc) - datetime.fromisoformat(run.started_utc)
    except ValueError:
        return 0.0
    return took.total_seconds()


def _properties(suite: Element, run: RunRecord, judgement: JudgementRecord) -> None:
    floors = [one.noise_floor_ms for one in judgement.scenarios if one.noise_floor_ms is not None]
    told = {
        "run": run.run_id,
        "verdict": str(judgement.verdict),
        "grade": str(judgement.grade),
        "sentence": judgement.sentence,
        "system under test": run.system_under_test.name,
        "target": run.lab.target,
        "profile": run.profile,
        "seed": str(run.seed),
        "tool": " ".join(filter(None, (run.tool.version, run.tool.commit))),
        "noise floor, ms": f"{max(floors):.1f}" if floors else "",
        **run.versions,
    }
    properties = SubElement(suite, "properties")
    for name, value in told.items():
        if value:
            SubElement(properties, "property", name=_printable(name), value=_printable(value))


def _scenario(suite: Element, one: ScenarioJudgement, title: str) -> None:
    name = f"{one.id}[{one.repeat}] {title}"
    case = SubElement(suite, "testcase", classname=SCENARIOS, name=name)
    lines = [
        f"{check.verdict:<12} {check.name}: expected {check.expected}; observed {check.observed}"
        for check in one.checks
    ]
    _outcome(case, one.verdict, one.reason, "\n".join(lines))


def _assertion(suite: Element, one: AssertionRecord) -> None:
    name = f"{one.name} [{one.path}]" if one.path else one.name
    case = SubElement(suite, "testcase", classname=f"{CONFORMANCE}.{one.family}", name=name)
    message = one.reason or f"expected {one.expected}; observed {one.observed}"
    _outcome(case, one.verdict, message, f"{one.clause}\n{one.repeat_with}".strip())


_TAGS = {Verdict.FAIL: "failure", Verdict.INCONCLUSIVE: "error", Verdict.NOT_RUN: "skipped"}


def _outcome(case: Element, verdict: Verdict, message: str, text: str) -> None:
    tag = _TAGS.get(verdict)
    if tag is not None:
        SubElement(case, tag, message=_printable(message)).text = _printable(text)


def _printable(text: str) -> str:
    """Replace what XML 1.0 does not allow."""
    return "".join(one if one in "\t\n" or one.isprintable() else "�" for one in text)


def _count(suite: Element, verdicts: list[Verdict]) -> None:
    suite.set("tests", str(len(verdicts)))
    for verdict, tag in ((Verdict.FAIL, "failures"), (Verdict.INCONCLUSIVE, "errors")):
        suite.set(tag, str(verdicts.count(verdict)))
    suite.set("skipped", str(verdicts.count(Verdict.NOT_RUN)))
