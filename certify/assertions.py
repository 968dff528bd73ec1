"""Collects what conformance tests assert into conformance.json.

It runs in the controller of pytest-xdist. A test that crashed, or whose worker did, asserted
nothing: that is recorded as INCONCLUSIVE, so that it cannot pass for done.
"""

from pathlib import Path

import msgspec
import pytest

from reports.record import SCHEMA, AssertionRecord, ConformanceRecord, Verdict, encode

ASSERTION = "assertion"
FOLDER = "/conformance/"


class AssertionCollector:
    """A pytest plugin object; writes *folder*/conformance.json when the session ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._assertions: list[AssertionRecord] = []
        self._seen = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the assertions of one test."""
        if FOLDER not in f"/{report.nodeid}":
            return
        self._seen = True
        asserted = [
            msgspec.convert(value, AssertionRecord)
            for key, value in report.user_properties
            if key == ASSERTION
        ]
        if report.when == "call" or report.skipped:
            self._assertions += asserted
        failed = any(one.verdict is Verdict.FAIL for one in asserted)
        if report.failed and not failed:
            self._assertions.append(_unasserted(report, Verdict.INCONCLUSIVE))
        if report.skipped and not asserted:
            self._assertions.append(_unasserted(report, Verdict.NOT_RUN))

    def pytest_sessionfinish(self) -> None:
        """Write what was collected, in an order that does not depend on the workers."""
        if not self._seen:
            return
        self._assertions.sort(key=lambda one: (one.family, one.name, one.path))
        record = ConformanceRecord(schema=SCHEMA, assertions=self._assertions)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "conformance.json").write_bytes(encode(record))


def _unasserted(report: pytest.TestReport, verdict: Verdict) -> AssertionRecord:
    lines = report.longreprtext.strip().splitlines()
    reason = lines[-1] if lines else f"ended in {report.when}"
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
    return AssertionRecord(
        family="suite",
        name=report.nodeid.rpartition("/")[2],
        path="",
        clause="",
        cdb="",
        expected="an assertion",
        observed="none was made",
        repeat_with=f"pytest {report.nodeid}",
        verdict=verdict,
        reason=reason,
    )
