"""The failure matrix says of an outage that is meant that it is, and what must hold."""

from dataclasses import replace as with_fields
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.build import lay_out
from reports.folder import Run, load_run
from reports.record import OutagePlan
from tests.unit.reports.test_layout import collisions, outside, words_of


def with_outage(run: Run, why: str) -> Run:
    meant = OutagePlan(why=why, return_ms=10_000.0, errors=True)
    plans = [replace(one, outage=meant) if one.id == "E1k" else one for one in run.plan.scenarios]
    return with_fields(run, plan=replace(run.plan, scenarios=plans))


@pytest.mark.parametrize("why", ["no engine is left", "The only whole copy is out of reach."])
def test_an_outage_that_is_meant_is_told(healthy: Path, why: str) -> None:
    pages = lay_out(with_outage(load_run(healthy), why))
    assert [outside(page) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)
    text = " ".join(text.text for text in words_of(pages[1])).replace("\u202f", " ")
    assert f"An outage is meant: {why.rstrip('.')}. I/O must flow again" in text
    assert text.count("An outage is meant") == 1
