"""A real PostgreSQL beside a killed engine: no failed transaction, no lost commit."""

import pytest

from reports.folder import load_run
from reports.record import EventKind

RESULTS = ("transactions", "crash recovery", "pg_amcheck", "pg_checksums")


@pytest.fixture(scope="module")
def run(cli, need_uml):
    """A run of one scenario with the application beside it; its verdict on time is not asked."""
    words = ("run", "--destroy", "--no-conformance", "--kernel", "uml", "--runs", str(cli.runs))
    done = cli(*words, "--application", "postgresql", "-k", "E1k", timeout_s=300)
    assert (cli.latest / "manifest.json").exists(), done.stdout + done.stderr[-3000:]
    return load_run(cli.latest)


@pytest.fixture(scope="module")
def results(run):
    """What the exercise said, by name, in the last repeat that was made."""
    told = [event for event in run.events if event.kind is EventKind.EXERCISE]
    return {event.subject.removeprefix("PostgreSQL: "): event for event in told}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_is_good(results, name):
    assert results[name].data["good"] is True, results[name].detail


def test_there_were_transactions_all_through_the_fault(results):
    data = results["transactions"].data

    assert data["transactions"] > 100
    assert data["failed"] == 0
    assert results["crash recovery"].data["acknowledged"] > 100


def test_the_unit_is_left_as_it_was_found(run):
    """Both arrays are equal on the application's unit too, and the log of it all is evidence."""
    compared = [one for one in run.events if one.kind is EventKind.COMPARE and one.subject == "lu2"]

    assert compared
    assert all(event.data["equal"] for event in compared)
    assert list((run.folder / "logs").glob("postgresql-*-transactions.log"))
