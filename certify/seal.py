"""Close a run folder: tables instead of spools, the verdict, and last the manifest.

It needs the folder only, so it runs on the host after the guest is gone, and again at any time:
an old run can be judged by a newer judge. The tables are written first and the spools removed
only then, so an interrupted sealing loses nothing.
"""

from pathlib import Path

from certify.checker import judge, unjudgeable
from certify.history import read_history, read_spool, spool_path, table_path
from certify.junit import junit_of
from certify.superseded import without_superseded
from certify.verdict import judge_run
from reports.folder import build_manifest
from reports.record import (
    IO_COLUMNS,
    SCHEMA,
    ConformanceRecord,
    EventKind,
    EventRecord,
    IoRecord,
    JudgementRecord,
    PlanRecord,
    RecordError,
    RunRecord,
    ScenarioJudgement,
    ScenarioPlan,
    encode,
    load,
    read_events,
)

LAB = "lab"
INTERRUPTED = "interrupted"


def seal(folder: Path) -> JudgementRecord:
    """Judge the run in *folder* and seal it; raise RecordError when it is no run."""
    run = load(folder / "run.json", RunRecord)
    plan = load(folder / "plan.json", PlanRecord)
    events_path = folder / "events.jsonl"
    if not events_path.exists():
        events_path.touch()
    for scenario, repeat in _repeats(plan, list(read_events(events_path))):
        tabulate(folder, scenario.id, repeat)
    conformance = _conformance(folder)
    judgement = judge_folder(folder)
    (folder / "verdict.json").write_bytes(encode(judgement))
    (folder / "junit.xml").write_bytes(junit_of(run, plan, judgement, conformance))
    (folder / "manifest.json").write_bytes(encode(build_manifest(folder, run.run_id)))
    return judgement


def judge_folder(folder: Path) -> JudgementRecord:
    """Judge a run folder whose tables are made, changing nothing in it; raise RecordError."""
    run = load(folder / "run.json", RunRecord)
    plan = load(folder / "plan.json", PlanRecord)
    events = list(read_events(folder / "events.jsonl"))
    conformance = load(folder / "conformance.json", ConformanceRecord)
    judgements = [
        _judge(folder, scenario, repeat, events) for scenario, repeat in _repeats(plan, events)
    ]
    counted, replaced = without_superseded(plan, judgements)
    return judge_run(
        plan, counted, conformance, lab_problem=lab_problem(run, events), findings=replaced
    )


def _repeats(plan: PlanRecord, events: list[EventRecord]) -> list[tuple[ScenarioPlan, int]]:
    """Return every repeat that was planned, and those that were made beyond."""
    made = {one.id: one.repeats for one in plan.scenarios}
    for event in events:
        if event.scenario in made:
            made[event.scenario] = max(made[event.scenario], event.repeat)
    return [(one, repeat) for one in plan.scenarios for repeat in range(1, made[one.id] + 1)]


def _judge(
    folder: Path, plan: ScenarioPlan, repeat: int, events: list[EventRecord]
) -> ScenarioJudgement:
    """A judge that fails on a history says so in its judgement: that is never a pass."""
    history = read_history(folder, plan, repeat, events)
    try:
        return judge(history)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return unjudgeable(history, f"The judge failed on this history: {error!r}")


def _conformance(folder: Path) -> ConformanceRecord:
    path = folder / "conformance.json"
    if not path.exists():
        path.write_bytes(encode(ConformanceRecord(schema=SCHEMA, assertions=[])))
    return load(path, ConformanceRecord)


def lab_problem(run: RunRecord, events: list[EventRecord]) -> str:
    """Return in one line why the lab could not be left as it was found; "" if it could."""
    told = [event for event in events if not event.scenario]
    for event in told:
        if event.kind is EventKind.ERROR and event.subject == LAB:
            return event.detail
    stopped = any(event.subject == INTERRUPTED for event in told)
    if not run.complete and not stopped:
        return "the run ended before it was complete; nobody saw the lab healed"
    return ""


def tabulate(folder: Path, scenario: str, repeat: int) -> None:
    """Turn the spool of a repeat into a table, in the order in which the I/Os were due.

    Harmless where there is no spool.
    """
    spool = spool_path(folder, scenario, repeat)
    if not spool.is_file():
        return
    ios = sorted(read_spool(spool), key=lambda io: (io.due_ns, io.probe, io.k))
    write_table(table_path(folder, scenario, repeat), ios)
    spool.unlink()


def write_table(path: Path, ios: list[IoRecord]) -> None:
    """Write I/Os as Parquet, the columns IO_COLUMNS; the same rows give the same bytes."""
    import polars  # slow to load, and not needed where runs are made

    types = {str: polars.String, int: polars.Int64}
    schema = {name: types.get(IoRecord.__annotations__[name], polars.String) for name in IO_COLUMNS}
    columns = {name: [_plain(getattr(io, name)) for io in ios] for name in IO_COLUMNS}
    frame = polars.DataFrame(columns, schema=schema)
    temporary = path.with_suffix(".new")
    frame.write_parquet(temporary, compression="zstd")
    temporary.replace(path)


def _plain(value: str | int) -> str | int:
    """Return an outcome as the word it is: polars wants exactly str."""
    return str(value) if isinstance(value, str) else value


def is_run(folder: Path) -> bool:
    """Say whether a run was begun in *folder*."""
    try:
        load(folder / "run.json", RunRecord)
    except RecordError:
        return False
    return True
