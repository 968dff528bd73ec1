"""The large run of the bench: judged as it was made, and taken all the way to its report."""

from pathlib import Path

from certify.bench_report import SPOOLED, make_run
from certify.history import read_spool, spool_path, table_path
from certify.seal import seal, tabulate
from reports.build import build_report
from reports.folder import load_run
from reports.verify import verify_pdf


def test_a_small_one_goes_all_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    make_run(20_000, 2, 1, folder)
    spool = spool_path(folder, SPOOLED, 1)
    spooled = sum(1 for _ in read_spool(spool))
    assert 9_900 < spooled <= 10_000
    tabulate(folder, SPOOLED, 1)
    table_path(folder, SPOOLED, 1).unlink()
    judged = seal(folder).scenarios
    assert [one.mismatches for one in judged] == [0, 0]
    assert all((one.stall_failover_ms or 0) > 100 for one in judged)
    assert verify_pdf(build_report(folder)) == []
    assert load_run(folder).run.run_id == "bench"
