"""Time and memory of a large run: judged, sealed, reported, verified; `certify.bench_report`.

It makes a run folder of many I/Os and scenarios, the same for the same seed, with one stall after
each fault. Each step then runs in a process of its own, so that its peak of memory is its own.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import polars as pl

from certify.bench_checker import make_history
from certify.history import spool_path, table_path
from certify.seal import seal, tabulate
from reports.build import build_report
from reports.record import (
    IO_COLUMNS,
    SCHEMA,
    Acceptance,
    EventKind,
    EventRecord,
    LabRecord,
    PlanRecord,
    RunRecord,
    ScenarioPlan,
    SystemUnderTest,
    Tool,
    encode,
)
from reports.verify import verify_run

NS = 1_000_000_000
FAULT_AT, MEND_AT = 0.25, 0.6
"""When in its time a scenario's fault comes and is mended, as shares."""
STALL_NS = 200_000_000
CONTROL_EVERY = 64
SPOOLED = "S0"
PATHS = ("host1-engine1", "host1-engine2")


def make_run(ios: int, scenarios: int, seed: int, folder: Path) -> str:
    """Write a run folder of *ios* I/Os that was not judged yet."""
    (folder / "io").mkdir(parents=True)
    each = ios // scenarios
    plans = [_plan(number) for number in range(1, scenarios + 1)]
    events: list[EventRecord] = []
    for number, plan in enumerate(plans, start=1):
        start_ns = number * 1000 * NS
        (slice_path,) = make_history(folder, each, seed + number, stale=0)
        frame = _with_stall(pl.read_parquet(slice_path), start_ns)
        slice_path.unlink()
        frame.write_parquet(table_path(folder, plan.id, 1), compression="zstd")
        events += _events(plan.id, start_ns, int(frame["due_ns"][-1]))
    _write_spool(spool_path(folder, SPOOLED, 1), table_path(folder, plans[0].id, 1))
    records = {"run.json": _run(), "plan.json": _protocol(plans, seed)}
    for name, record in records.items():
        (folder / name).write_bytes(encode(record))
    lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
    (folder / "events.jsonl").write_bytes(lines)
    return ""


def _with_stall(frame: pl.DataFrame, start_ns: int) -> pl.DataFrame:
    """Move a history to *start_ns* and let nothing end for a while after the fault.

    Most of it is of the application; some is made the control probe's, which the stall spares.
    """
    fault = int(int(frame["due_ns"][-1]) * FAULT_AT)
    control = (pl.col("op") == "read") & (pl.col("k") % CONTROL_EVERY == 0)
    held = ~control & (pl.col("done_ns") >= fault) & (pl.col("sent_ns") < fault + STALL_NS)
    late = pl.max_horizontal("done_ns", fault + STALL_NS + pl.col("done_ns") % 5_000_000)
    own = pl.lit("app-") + pl.col("op")
    return (
        frame.filter(pl.col("outcome") == "good")
        .with_columns(
            pl.when(control).then(pl.lit("control")).otherwise(own).alias("probe"),
            pl.when(held).then(late).otherwise("done_ns").alias("done_ns"),
        )
        .with_columns(pl.col("due_ns", "sent_ns", "done_ns") + start_ns)
    )


def _events(scenario: str, start_ns: int, end_ns: int) -> list[EventRecord]:
    """Return what was told of a scenario that went as it should."""
    span = end_ns - start_ns
    fault, mend = start_ns + int(span * FAULT_AT), start_ns + int(span * MEND_AT)
    rows: list[tuple[int, EventKind, str, dict[str, object]]] = [
        (start_ns, EventKind.PHASE, "steady", {}),
        (fault, EventKind.PHASE, "fault", {}),
        (fault, EventKind.INJECTED, "engine1", {}),
        (fault + 1_000_000, EventKind.PROVEN, "engine1", {}),
        (fault + 2_000_000, EventKind.PATH_STATE, PATHS[0], {"state": "failed", "lu": "lu0"}),
        (mend, EventKind.MENDED, "engine1", {}),
        (mend + 1_000_000, EventKind.MEND_PROVEN, "engine1", {}),
        (mend + 2_000_000, EventKind.PATH_STATE, PATHS[0], {"state": "active", "lu": "lu0"}),
        (mend + 3_000_000, EventKind.REDUNDANCY, "lu0", {"restored": True}),
        (end_ns, EventKind.PHASE, "undo", {}),
        (end_ns + 1_000_000, EventKind.COMPARE, "lu0", {"equal": True, "sectors": 32768}),
        (end_ns + 2_000_000, EventKind.PHASE, "done", {}),
    ]
    return [
        EventRecord(t_ns=at, scenario=scenario, repeat=1, kind=kind, subject=subject, data=data)
        for at, kind, subject, data in rows
    ]


def _write_spool(path: Path, table: Path) -> None:
    """Write the I/Os of a table as the recorder does while a scenario goes on."""
    rows = pl.read_parquet(table, columns=list(IO_COLUMNS)).rows()
    encoder = msgspec.json.Encoder()
    with path.open("wb") as stream:
        stream.writelines(encoder.encode(row) + b"\n" for row in rows)


def _plan(number: int) -> ScenarioPlan:
    return ScenarioPlan(
        id=f"E{number}",
        title=f"Engine 1 kill, number {number}",
        fault="engine-kill",
        subject="engine1",
        description="An engine is killed under load.",
        expected="I/O goes on by the other engine.",
        requirement=f"HA-{number:03}",
        reference="",
        limit_failover_ms=1000,
        limit_failback_ms=1000,
        steady_s=0.6,
        fault_s=0.9,
        recover_s=1.0,
        repeats=1,
    )


def _protocol(plans: list[ScenarioPlan], seed: int) -> PlanRecord:
    return PlanRecord(schema=SCHEMA, profile="bench", seed=seed, scenarios=plans)


def _run() -> RunRecord:
    name = "Nothing: an invented run, to measure the report"
    lab = LabRecord(
        name="bench",
        kind="virtual",
        kernel="kvm",
        topology="single",
        hosts=["host1"],
        engines=["engine1", "engine2"],
        arrays=["A", "B"],
        logical_units=[],
        paths=[],
    )
    target = SystemUnderTest(name=name, vendor="", product="", revision="", serials=[])
    return RunRecord(
        schema=SCHEMA,
        run_id="bench",
        tool=Tool(version="0", commit="", modified=False),
        lab=lab,
        system_under_test=target,
        acceptance=Acceptance(),
        versions={},
        host_timers=[],
        profile="bench",
        seed=1,
        started_utc="2026-01-01T00:00:00Z",
        ended_utc="2026-01-01T01:00:00Z",
        anchor_utc_ns=0,
        anchor_monotonic_ns=0,
        times_indicative=False,
        complete=True,
    )


def _tabulate(folder: Path) -> str:
    tabulate(folder, SPOOLED, 1)
    table_path(folder, SPOOLED, 1).unlink()
    return ""


def _seal(folder: Path) -> str:
    return seal(folder).sentence


def _report(folder: Path) -> str:
    return f"{build_report(folder).stat().st_size / 2**20:.1f} MiB"


def _verify(folder: Path) -> str:
    return "; ".join(verify_run(folder)) or "intact"


Step = Callable[[Path], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a step told and took; the CPU time has the start of its process in it."""

    told: str
    took_s: float
    cpu_s: float
    peak_mib: float


def _measured(step: Step, folder: Path, answer: Connection) -> None:
    begun = time.perf_counter()
    told = step(folder)
    took_s = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = used.ru_utime + used.ru_stime
    answer.send(Figures(told=told, took_s=took_s, cpu_s=cpu_s, peak_mib=used.ru_maxrss / 1024))


def measure(step: Step, folder: Path) -> Figures:
    """Run a step in a process of its own and return what it took there."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(step, folder, theirs))
    process.start()
    theirs.close()
    try:
        found: Figures = ours.recv()
    finally:
        process.join()
    return found


def main() -> int:
    """Make a run, take it to its report, print the figures; 1 if it does not verify."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ios", type=int, default=10_000_000)
    parser.add_argument("--scenarios", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    each = arguments.ios // arguments.scenarios
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bench"
        make = partial(make_run, arguments.ios, arguments.scenarios, arguments.seed)
        measure(make, folder)  # elsewhere too: a process begins with the peak of its parent
        size_mib = sum(path.stat().st_size for path in folder.glob("io/*.parquet")) / 2**20
        sys.stdout.write(
            f"a large run: {arguments.ios:,} I/Os ({size_mib:.0f} MiB of Parquet) in "
            f"{arguments.scenarios} scenarios\n"
        )
        told = ""
        for title, step in (
            (f"one spool of {each:,} I/Os to its table", _tabulate),
            ("judge and seal", _seal),
            ("report, PDF and JSON", _report),
            ("verify the folder, with its report", _verify),
        ):
            seen = measure(step, folder)
            told = seen.told
            sys.stdout.write(
                f"  {title}: {seen.took_s:.1f} s ({seen.cpu_s:.1f} s of CPU), "
                f"peak {seen.peak_mib:.0f} MiB  {told}\n"
            )
            sys.stdout.flush()
    return 0 if told == "intact" else 1


if __name__ == "__main__":
    sys.exit(main())
