"""The verdicts as JUnit XML, for whatever CI reads. Pure."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reports.record import (
    AssertionRecord,
    ConformanceRecord,
    JudgementRecord,
    PlanRecord,
    ScenarioJudgement,
    Verdict,
)

CONFORMANCE = "certify.conformance"
SCENARIOS = "certify.scenarios"


def junit_of(plan: PlanRecord, judgement: JudgementRecord, conformance: ConformanceRecord) -> bytes:
    """Return the XML: a test case per repeat of a scenario and per conformance assertion.

    FAIL is a failure, INCONCLUSIVE an error, NOT RUN skipped; only PASS is passed.
    """
    root = Element("testsuites", name="certify")
    titles = {one.id: one.title for one in plan.scenarios}
    scenarios = SubElement(root, "testsuite", name=SCENARIOS)
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
