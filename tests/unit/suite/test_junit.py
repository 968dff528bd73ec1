"""JUnit XML: the counts and outcomes that a CI server reads."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from certify.junit import junit_of
from reports.folder import Run, load_run
from reports.record import Verdict
from tests.unit.reports.sample_course import Variant
from tests.unit.reports.sample_run import write_sample_run


@pytest.fixture(scope="module", params=[Variant.HEALTHY, Variant.FAILING, Variant.INCONCLUSIVE])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder: Path = tmp_path_factory.mktemp("junit") / str(request.param)
    return load_run(write_sample_run(folder, request.param))


@pytest.fixture
def root(run: Run) -> ElementTree.Element:
    document = junit_of(run.run, run.plan, run.judgement, run.conformance)
    return ElementTree.fromstring(document)  # noqa: S314 - our own


TAGS = {"failure": Verdict.FAIL, "error": Verdict.INCONCLUSIVE, "skipped": Verdict.NOT_RUN}


def test_every_count_is_that_of_its_cases(root: ElementTree.Element) -> None:
    for suite in [root, *root.findall("testsuite")]:
        assert int(suite.get("tests", "-1")) == len(list(suite.iter("testcase")))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
            assert int(suite.get(attribute, "-1")) == len(list(suite.iter(tag))), attribute


def test_only_a_pass_has_no_outcome(root: ElementTree.Element, run: Run) -> None:
    cases = root.findall("testsuite[1]/testcase")
    for case, judged in zip(cases, run.judgement.scenarios, strict=True):
        told = [child for child in case if child.tag in TAGS]
        if judged.verdict is Verdict.PASS:
            assert told == []
        else:
            (outcome,) = told
            assert TAGS[outcome.tag] is judged.verdict
            assert outcome.get("message") == judged.reason


def test_properties_say_what_was_tested_and_how_it_ended(
    root: ElementTree.Element, run: Run
) -> None:
    told = {
        one.get("name"): one.get("value") for one in root.findall("testsuite/properties/property")
    }
    assert told["run"] == run.run.run_id
    assert told["verdict"] == run.judgement.verdict
    assert told["system under test"] == run.run.system_under_test.name
