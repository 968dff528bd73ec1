"""The pytest plugin: every repeat of every scenario is a test item with a node id of its own.

    pytest -p certify.plugin --lab lab.toml --run-dir DIR --destroy certify/scenarios/engine_kill.py

The items run one after another, in one process. Conformance tests run beside each other in a
pass of their own; what they assert comes together in the controller, whatever becomes of workers.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

import msgspec
import pytest
from _pytest._code.code import TerminalRepr, TracebackStyle

from certify.assertions import AssertionCollector
from certify.console import Console, Progress
from certify.extensions import load_scenarios
from certify.lab import Lab, LabError, load_lab
from certify.scenarios import MODULES, PROFILES
from certify.scenarios.profiles import REPEATS
from certify.suite import Suite, open_suite
from fault_injectors import FAULTS
from fault_injectors.extensions import names
from reports.record import PlanRecord, RecordError, ScenarioJudgement, Verdict, load

LAB_KEY = pytest.StashKey[Lab]()
"""Where a test finds the lab: `config.stash[LAB_KEY]`."""
SUITE_KEY = pytest.StashKey[Suite]()
SCENARIOS = Path(__file__).parent / "scenarios"
BASELINE = "baseline"
JUDGEMENT = "judgement"


class NotPassedError(Exception):
    """A scenario was judged, and not PASS; the message says why."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    group = parser.getgroup("certify", "certification of highly available storage")
    group.addoption("--lab", type=Path, help="description of the lab (lab.toml)")
    group.addoption("--run-dir", type=Path, help="folder that the evidence is written to")
    group.addoption("--profile", default="quick", choices=sorted(PROFILES))
    group.addoption("--seed", type=int, default=1, help="of what the probes choose at random")
    group.addoption("--repeat", type=int, help="of each scenario; default: the profile's")
    group.addoption("--progress", default=Progress.AUTO, choices=list(Progress))
    group.addoption(
        "--destroy",
        action="store_true",
        help="yes, write to the logical units that the lab file names, and break its paths, "
        "engines and arrays",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the lab file and make ready to collect assertions."""
    load_scenarios()  # the command line has told what is amiss with some
    for kind in (BASELINE, *FAULTS, *names()):
        config.addinivalue_line("markers", f"{kind}: scenarios of this kind of fault")
    path = config.getoption("--lab")
    if path is None:
        return
    try:
        config.stash[LAB_KEY] = load_lab(path)
    except LabError as error:
        raise pytest.UsageError(str(error)) from error
    folder = config.getoption("--run-dir")
    if folder is not None and not _is_worker(config):
        config.pluginmanager.register(AssertionCollector(folder), "certify-assertions")


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> "ScenarioFile | None":
    """Take the scenario files for ours; other modules stay pytest's."""
    if module_path.parent != SCENARIOS and module_path not in map(_file_of, MODULES.values()):
        return None
    collector: ScenarioFile = ScenarioFile.from_parent(parent, path=module_path)
    return collector


def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the run once it is known that there is something to do."""
    config = session.config
    selected = {item.scenario for item in session.items if isinstance(item, ScenarioItem)}
    if not selected or config.option.collectonly or _is_worker(config):
        return
    suite = config.stash[SUITE_KEY] = _open(config)
    suite.leave_out(selected)
    signal.signal(signal.SIGTERM, _interrupt)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Whatever happened, heal and close the run."""
    suite = session.config.stash.get(SUITE_KEY, None)
    if suite is not None:
        ended = exitstatus not in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        suite.close(complete=ended)


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, str] | None:
    """Say nothing about scenarios as they pass by: the console does, in more words."""
    mine = any(key == JUDGEMENT for key, _ in getattr(report, "user_properties", ()))
    return (report.outcome, "", "") if mine and report.when == "call" else None


class ScenarioFile(pytest.File):
    """One file of certify/scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one item per repeat; none for a file that describes no scenario."""
        module = next((one for one in MODULES.values() if _file_of(one) == self.path), None)
        if module is None:
            return
        scenario = module.SCENARIO
        for repeat in range(1, _repeats(self.config, scenario.id) + 1):
            item: ScenarioItem = ScenarioItem.from_parent(self, name=f"{scenario.id}[{repeat}]")
            item.scenario, item.repeat = scenario.id, repeat
            item.add_marker(scenario.kind or BASELINE)
            yield item


class ScenarioItem(pytest.Item):
    """One repeat of one scenario."""

    scenario: str
    repeat: int

    def runtest(self) -> None:
        """Run it; fail unless it was judged PASS, skip if the lab cannot express it."""
        seen = self.config.stash[SUITE_KEY].run(self.scenario, self.repeat)
        self.user_properties.append((JUDGEMENT, msgspec.to_builtins(seen)))
        if seen.verdict is Verdict.NOT_RUN:
            pytest.skip(seen.reason)
        if seen.verdict is not Verdict.PASS:
            raise NotPassedError(_told(seen))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Show the judge's reason rather than where in our code it was raised."""
        if isinstance(excinfo.value, NotPassedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the scenario is and what it is called."""
        return self.path, 0, self.name


def _file_of(module: ModuleType) -> Path:
    return Path(module.__file__ or "")


def _told(seen: ScenarioJudgement) -> str:
    return f"{seen.id}, repeat {seen.repeat}: {seen.verdict}: {seen.reason}"


def _open(config: pytest.Config) -> Suite:
    lab, folder = config.stash.get(LAB_KEY, None), config.getoption("--run-dir")
    if lab is None or folder is None:
        raise pytest.UsageError("scenarios need --lab FILE and --run-dir DIR")
    if not config.getoption("--destroy"):
        raise pytest.UsageError(
            "scenarios overwrite the logical units that the lab file names and break its paths, "
            "engines and arrays; say --destroy if that is meant"
        )
    try:
        return open_suite(
            lab,
            folder,
            profile=config.getoption("--profile"),
            seed=config.getoption("--seed"),
            repeats=_repeats(config),
            console=Console(sys.stderr, progress=Progress(config.getoption("--progress"))),
        )
    except (LabError, RecordError) as error:
        raise pytest.UsageError(str(error)) from error


def _repeats(config: pytest.Config, scenario: str = "") -> int:
    """Return how often a scenario is run: what the protocol says, if it is written already."""
    folder = config.getoption("--run-dir")
    if scenario and folder is not None and (folder / "plan.json").is_file():
        plan = load(folder / "plan.json", PlanRecord)
        known = [one.repeats for one in plan.scenarios if one.id == scenario]
        if known:
            return known[0]
    told: int | None = config.getoption("--repeat")
    return told or REPEATS[config.getoption("--profile")]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Take SIGTERM for Ctrl-C, so that it heals first too."""
    raise KeyboardInterrupt
