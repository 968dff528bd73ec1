"""The router with the kernel's default TCMU settings stalls for half a minute: never certified."""

import pytest

from reports.folder import load_run
from reports.record import Verdict

TCMU_DEFAULT_TIMEOUT_MS = 30_000  # TCMU_TIME_OUT in drivers/target/target_core_user.c


@pytest.fixture(scope="module")
def finished(cli, need_uml):
    """One run of the engine kill against the target without its supervisor."""
    return cli(
        *("run", "--destroy", "--kernel", "uml", "--target", "unsupervised"),
        *("--no-conformance", "--runs", str(cli.runs), "-k", "E1k"),
        timeout_s=900,
    )


@pytest.fixture(scope="module")
def judged(cli, finished):
    """What was judged of the engine kill."""
    assert (cli.latest / "manifest.json").exists(), finished.stderr[-3000:]
    (judgement,) = [one for one in load_run(cli.latest).judgement.scenarios if one.id == "E1k"]
    return judgement


def test_it_is_not_certified(finished):
    """The exit status says failed, not inconclusive: the stall itself is the proof."""
    assert finished.returncode == 1, finished.stdout + finished.stderr[-3000:]
    assert finished.stdout.startswith("NOT CERTIFIED")


def test_the_stall_is_at_least_the_kernels_timeout(judged):
    """The page shows how long applications would have waited."""
    assert judged.verdict is Verdict.FAIL
    assert judged.stall_failover_ms >= TCMU_DEFAULT_TIMEOUT_MS


def test_its_report_is_written(cli, judged):
    """A failed run needs its report more than a passed one."""
    assert (cli.latest / "report.pdf").stat().st_size > 10_000
