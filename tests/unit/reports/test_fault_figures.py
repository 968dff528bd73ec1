"""The line of latencies on a scenario's page: of the application, in each window."""

import msgspec

from reports.record import Statistic, Verdict
from reports.sections.fault import figures_of
from tests.unit.reports.test_model import judged


def statistic(window: str, op: str, p99_ms: float, plane: str = "application") -> Statistic:
    return Statistic(
        window=window, plane=plane, op=op, count=100, good=100,
        p50_ms=1.0, p90_ms=2.0, p99_ms=p99_ms, p999_ms=p99_ms, max_ms=p99_ms,
        gap_ms=30.0, silent_ms=0.0, steady_after_ms=None if window == "before" else 400.0,
    )  # fmt: skip


def test_latencies_of_the_application_before_and_after() -> None:
    taken = [
        statistic("before", "write", 3.0),
        statistic("before", "read", 2.0),
        statistic("failover", "write", 213.0),
        statistic("failover", "read", 12.0),
        statistic("failover", "read", 999.0, plane="control"),
    ]

    line = figures_of(
        msgspec.structs.replace(judged(1, Verdict.PASS, 213.0), statistics=taken)
    ).replace("\u202f", " ")

    assert line.startswith(
        "p99 before, failover: writes 3.00 ms / 213 ms · reads 2.00 ms / 12.0 ms"
    )
    assert line.endswith("longest gap 30.0 ms · steady after 400 ms")


def test_no_line_where_nothing_was_taken() -> None:
    assert figures_of(judged(1, Verdict.PASS, 213.0)) == ""
