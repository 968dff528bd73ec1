"""One run of the suite: its folder, its plan, its scenarios one after another, its end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from certify import health
from certify.bring_back import bring_back
from certify.budget import ROTATE_BYTES
from certify.checker import judge
from certify.checks import untimed
from certify.console import Console
from certify.current_devices import CurrentDevices
from certify.devices import resolve
from certify.exercise import Exercise, Stage
from certify.helper import Helper
from certify.history import NOT_RUN, read_history, spool_path
from certify.lab import Lab, LabError
from certify.load import Load, rates_of
from certify.multipath import daemon_for
from certify.observe import observers_of
from certify.ports import Ports
from certify.preflight import preflight
from certify.probes import Emit
from certify.quiet import quiet_interpreter
from certify.recorder import Recorder
from certify.rundir import RunFolder, make_plan
from certify.runner import EMULATED, Caps, ScenarioRun
from certify.scenarios import MODULES
from certify.seal import tabulate
from certify.settling import settle_hosts
from certify.system_logs import keep_logs
from certify.verdict import EXTRA_REPEATS_MAX
from certify.verify_data import verify_data
from certify.workloads import beside
from fault_injectors import Injection, Journal, Shell, heal_all, shell_for
from reports.record import EventKind, PlanRecord, ScenarioJudgement, ScenarioPlan


@dataclass(slots=True, kw_only=True)
class Suite:
    """A run under way: `open`, `leave_out`, `run` per repeat of a scenario, `close`."""

    lab: Lab
    folder: RunFolder
    plan: PlanRecord
    console: Console
    broken: str = field(init=False, default="")
    _recorder: Recorder | None = field(init=False, default=None)
    _ordinal: int = field(init=False, default=0)
    _extra: dict[str, int] = field(init=False, default_factory=dict)
    _helper: Helper = field(init=False, default_factory=Helper)

    def open(self) -> None:
        """Heal what an earlier run left in the journal, then begin to record."""
        self._heal()
        self._helper.start()
        self._recorder = Recorder(self.folder.path)

    def run(self, scenario: str, repeat: int) -> ScenarioJudgement:
        """Run one repeat of one scenario and judge it, as the sealed run will be judged again.

        A repeat that noise kept from being judged is made again, under a number of its own.
        """
        plan = next(one for one in self.plan.scenarios if one.id == scenario)
        seen = self._run_once(plan, repeat)
        for _ in range(EXTRA_REPEATS_MAX):
            if self.broken or plan.budget_s is not None or not untimed(seen):
                break
            self._extra[scenario] = self._extra.get(scenario, 0) + 1
            self.console.line("     made again: noise kept it from being judged")
            seen = self._run_once(plan, plan.repeats + self._extra[scenario])
        return seen

    def _run_once(self, plan: ScenarioPlan, repeat: int) -> ScenarioJudgement:
        self._ordinal += 1
        if not plan.not_run:
            self._act(plan, repeat)
        seen = judge(read_history(self.folder.path, plan, repeat))
        self.console.verdict(plan, seen)
        self._rotate(plan, repeat)
        return seen

    def _rotate(self, plan: ScenarioPlan, repeat: int) -> None:
        """Make a table of a large spool now: it takes a tenth, and a soak makes many."""
        spool = spool_path(self.folder.path, plan.id, repeat)
        if spool.is_file() and spool.stat().st_size > ROTATE_BYTES:
            tabulate(self.folder.path, plan.id, repeat)

    def leave_out(self, selected: set[str]) -> None:
        """Record of every planned scenario that is not in *selected* that nobody asked for it."""
        self.console.plan([plan for plan in self.plan.scenarios if plan.id in selected])
        for plan in self.plan.scenarios:
            if plan.id not in selected and not plan.not_run:
                self._excuse(plan, 1, "It was not selected for this run.")

    def close(self, *, complete: bool) -> None:
        """Heal, keep the logs, and write how it ended."""
        recorder = self._require()
        self._helper.stop()
        problems = self._heal()
        if not problems and self.broken:
            problems = [self.broken]
        for problem in problems:
            recorder.event(EventKind.ERROR, "lab", problem)
        if not complete:
            recorder.event(EventKind.NOTE, "interrupted", "the run was ended by its user")
        recorder.close()
        self.console.close()
        keep_logs(self.lab, self.folder.path / "logs")
        self.folder.finish(complete=complete)

    def _act(self, plan: ScenarioPlan, repeat: int) -> None:
        recorder = self._require()
        if self.broken:
            self._excuse(plan, repeat, f"The lab was left broken: {self.broken}")
            return
        try:
            ports = self._ports(recorder, plan, repeat)
        except LabError as error:
            self.broken = str(error).splitlines()[0]
            self._excuse(plan, repeat, f"The lab is not what its file says: {self.broken}")
            return
        self.console.scenario(plan, repeat)
        seed = self.folder.record.seed
        broken = MODULES[plan.id].SCENARIO.schedule(self.lab, seed=seed, repeat=repeat)
        if broken is not None:
            broken = replace(broken, budget_s=plan.budget_s)
        with quiet_interpreter():
            problems = ScenarioRun(
                plan=plan,
                repeat=repeat,
                ordinal=self._ordinal,
                broken=broken,
                ports=ports,
                caps=EMULATED if self.lab.lab.times_indicative else Caps(),
            ).run()
        if problems:
            self._bring_back(plan, ports, problems)

    def _bring_back(self, plan: ScenarioPlan, ports: Ports, problems: list[str]) -> None:
        """Start engines that do not serve, so that what follows can be run; else give up."""
        started, left = bring_back(
            self.lab,
            ports.problems,
            shells=self._helper.shell_for,
            clock=ports.clock,
            sleep=ports.sleep,
        )
        if left:
            self.broken = f"not whole after {plan.id}: {left[0]}"
            return
        text = f"after {plan.id} ({problems[0]}): {' and '.join(started) or 'nothing'} started"
        self._require().event(EventKind.NOTE, "brought back", text)
        self.console.line(f"     the lab was brought back: {text}")

    def _excuse(self, plan: ScenarioPlan, repeat: int, why: str) -> None:
        """Record why a repeat is not run."""
        recorder = self._require()
        recorder.begin(plan.id, repeat)
        recorder.event(EventKind.NOTE, NOT_RUN, why)
        recorder.end()

    def _ports(self, recorder: Recorder, plan: ScenarioPlan, repeat: int) -> Ports:
        lab = self.lab
        devices = resolve(lab)
        current = CurrentDevices(lab, devices)
        record = self.folder.record

        def load(ordinal: int, emit: Emit) -> Load:
            return Load(
                lab=lab,
                devices=devices,
                run_id=record.run_id,
                seed=record.seed,
                ordinal=ordinal,
                emit=emit,
                tell=recorder.event,
                may_be_lost=frozenset(plan.hosts_lost),
            )

        def exercises(phase: Callable[[], str]) -> list[Exercise]:
            stage = Stage(
                lab=lab,
                devices=devices,
                events=recorder,
                shells=self._helper.shell_for,
                run_id=record.run_id,
                seed=record.seed + repeat,
                ordinal=self._ordinal,
                phase=phase,
                journal=self.folder.journal,
                logs=self.folder.path / "logs",
            )
            kinds = (*MODULES[plan.id].SCENARIO.exercises, *beside(self.plan, plan))
            return [kind.make(stage) for kind in kinds]

        return Ports(
            history=recorder,
            narrator=self.console,
            clock=time.monotonic_ns,
            sleep=time.sleep,
            observers=lambda: observers_of(lab, poll_s=rates_of(lab).poll_ms / 1e3),
            load=load,
            settle=lambda: settle_hosts(lab, self._helper.shell_for),
            prepare=lambda step: Injection.prepared(
                step.fault, self._helper.shell_for(step.reach), Journal(self.folder.journal)
            ),
            looks=looks(lab, current, shells=self._helper.shell_for),
            verify=lambda history, lbas: verify_data(
                history, lbas, lab=lab, devices=current.now(), run_id=record.run_id
            ),
            exercises=exercises,
        )

    def _heal(self) -> list[str]:
        """Undo what the journal says is outstanding; return one line per thing still broken."""
        results = heal_all(self.folder.journal)
        return [
            f"{result.kind} on {result.subject} is not healed: {result.detail}"
            for result in results
            if not result.healthy
        ]

    def _require(self) -> Recorder:
        if self._recorder is None:
            raise LabError("the run was not opened")
        return self._recorder


def open_suite(
    lab: Lab, path: Path, *, profile: str, seed: int, repeats: int, console: Console
) -> Suite:
    """Open a run in *path*, whether it was begun there or not.

    Raises LabError with one line per problem when the lab is not fit to be broken, RecordError
    when the folder holds something else.
    """
    if (path / "run.json").is_file():
        folder = RunFolder.existing(path)
        plan = folder.plan()
    else:
        found = preflight(lab)
        if found.problems:
            raise LabError("\n".join(found.problems))
        plan = make_plan(lab, profile=profile, seed=seed, repeats=repeats)
        folder = RunFolder.begin(path, lab=lab, found=found, plan=plan)
    suite = Suite(lab=lab, folder=folder, plan=plan, console=console)
    suite.open()
    return suite


def looks(
    lab: Lab, devices: CurrentDevices, *, shells: Callable[[str], Shell] = shell_for
) -> list[Callable[[], list[str]]]:
    """Return the looks at the lab's health, cheap ones first: each asks more of the CPU."""
    daemon = daemon_for(shells(lab.host[0].reach))
    return [
        devices.problems,
        lambda: health.map_problems(devices.now(), daemon),
        lambda: health.array_problems(lab, shells),
        lambda: health.other_map_problems(lab, shells),
        lambda: [text for path in devices.now().all_paths for text in health.path_problems(path)],
        lambda: health.redundancy_problems(lab, shells),
        lambda: [text for one in lab.engine for text in health.engine_problems(one, shells)],
    ]
