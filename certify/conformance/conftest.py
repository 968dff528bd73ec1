"""Fixtures of the conformance tests: paths of the lab, blocks of their own, recorded assertions.

pytest-xdist may run any two tests at once, also on one path. Only blocks of a test's own `window`
are written: each worker has a part of the unit for itself. What a test changes for all hosts
(reservations, access states, resets) it changes `alone`: no other test uses the unit meanwhile.

A test marked `long` is left out of the profile quick, which is told as NOT RUN.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from certify import sg
from certify.conformance.examiner import (
    ConformancePath,
    Examiner,
    Keep,
    Pattern,
    Record,
    RecordAll,
    Window,
)
from certify.conformance.nexus import Nexuses, NexusPair, tidy
from certify.conformance.places import (
    Place,
    nexus_pairs_of,
    pairs_of,
    paths_of,
    two_paths_of,
)
from certify.devices import resolve
from certify.lab import Lab
from certify.plugin import LAB_KEY
from reports.record import AssertionRecord, Verdict

WINDOW_BLOCKS = 512
TAIL_BLOCKS = 2048
"""Blocks at the end that no window covers: tests of the bounds read and write there."""
WINDOW_KEY = pytest.StashKey[int]()
SHORT_PROFILE = "quick"
NO_PAIR = "the lab file names no second path to a unit for conformance tests, by another engine"


def _lab_to_write_to(config: pytest.Config) -> Lab:
    """Return the lab; raise UsageError unless it is given and may be written to."""
    lab = config.stash.get(LAB_KEY, None)
    if lab is None or not config.getoption("--destroy"):
        raise pytest.UsageError(
            "conformance tests need --lab FILE, and write to its logical units of purpose "
            '"conformance"; say --destroy if that is meant'
        )
    return lab


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on every path, or on every pair of paths through different engines."""
    lab = _lab_to_write_to(metafunc.config)
    thorough = metafunc.config.getoption("--profile") != SHORT_PROFILE
    if "path_pair" in metafunc.fixturenames:
        _run_on_pairs(metafunc, "path_pair", pairs_of(lab))
    elif "nexus_pair" in metafunc.fixturenames:
        _run_on_pairs(metafunc, "nexus_pair", nexus_pairs_of(lab, thorough=thorough))
    elif "two_paths" in metafunc.fixturenames:
        places = two_paths_of(lab)
        metafunc.parametrize("two_paths", places, ids=[one[0][1] for one in places], indirect=True)
    elif "conformance_path" in metafunc.fixturenames:
        paths = paths_of(lab)
        ids = [f"{path}-{unit}" for path, unit in paths]
        metafunc.parametrize("conformance_path", paths, ids=ids, indirect=True)


def _run_on_pairs(
    metafunc: pytest.Metafunc, fixture: str, pairs: list[tuple[Place, Place]]
) -> None:
    if not pairs:
        metafunc.parametrize(fixture, [None], ids=["no-pair"], indirect=True)
        return
    ids = [f"{one}-to-{other}-{unit}" for (one, unit), (other, _) in pairs]
    metafunc.parametrize(fixture, pairs, ids=ids, indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of this folder."""
    config.addinivalue_line("markers", f"long: left out of the profile {SHORT_PROFILE}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Number the windows; of what the profile leaves out keep one item each, which tells so."""
    numbered = [item for item in items if "window" in getattr(item, "fixturenames", ())]
    for number, item in enumerate(numbered):
        item.stash[WINDOW_KEY] = number
    if config.getoption("--profile") != SHORT_PROFILE:
        return
    kept: list[pytest.Item] = []
    told: set[str] = set()
    for item in items:
        name = item.nodeid.partition("[")[0]
        if item.get_closest_marker("long") is None or name not in told:
            kept.append(item)
        if item.get_closest_marker("long") is not None:
            told.add(name)
    items[:] = kept


@pytest.fixture(autouse=True)
def _long(request: pytest.FixtureRequest) -> None:
    """Leave out what is long in the short profile, and say so."""
    if request.node.get_closest_marker("long") is None:
        return
    profile = request.config.getoption("--profile")
    if profile == SHORT_PROFILE:
        _leave_out(request, f"left out of the profile {profile}")


def _leave_out(request: pytest.FixtureRequest, reason: str) -> NoReturn:
    """Record that a whole test did not run, and end it."""
    words = (request.function.__doc__ or "").partition("Method:")
    record = AssertionRecord(
        family=request.module.FAMILY,
        name=request.function.__name__.removeprefix("test_").replace("_", " "),
        path="",
        clause=getattr(request.module, "CLAUSE", ""),
        cdb="",
        expected=" ".join(words[0].split()),
        observed="",
        repeat_with="",
        verdict=Verdict.NOT_RUN,
        reason=reason,
    )
    request.node.user_properties.append(("assertion", msgspec.to_builtins(record)))
    pytest.skip(reason)


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Lab:
    """The lab file given by --lab."""
    return pytestconfig.stash[LAB_KEY]


@pytest.fixture(scope="session")
def lab_paths(lab: Lab) -> dict[tuple[str, str], ConformancePath]:
    """All paths of the lab as devices, of every host on this machine, by path and unit."""
    return {
        (device.path, device.unit.name): ConformancePath.of(device)
        for device in resolve(lab).all_paths
    }


@pytest.fixture
def conformance_path(
    request: pytest.FixtureRequest, lab_paths: dict[tuple[str, str], ConformancePath]
) -> ConformancePath:
    """The path under test."""
    return lab_paths[request.param]


@pytest.fixture
def unit_paths(
    conformance_path: ConformancePath, lab_paths: dict[tuple[str, str], ConformancePath]
) -> list[ConformancePath]:
    """All paths to the logical unit under test, the one under test among them."""
    return [path for path in lab_paths.values() if path.wwid == conformance_path.wwid]


@pytest.fixture
def window(
    request: pytest.FixtureRequest, lab_paths: dict[tuple[str, str], ConformancePath]
) -> Window:
    """Blocks that no other test writes at the same time: in this worker's part of the unit."""
    params = request.node.callspec.params
    pair = params.get("path_pair") or params.get("nexus_pair")
    place = pair[0] if pair else params.get("conformance_path")
    if place is None:
        _leave_out(request, NO_PAIR)
    worker = getattr(request.config, "workerinput", {"workerid": "gw0", "workercount": 1})
    share = (lab_paths[place].blocks - TAIL_BLOCKS) // int(worker["workercount"])
    windows = share // WINDOW_BLOCKS
    if windows < 1:
        blocks = lab_paths[place].blocks
        wanted = WINDOW_BLOCKS * int(worker["workercount"]) + TAIL_BLOCKS
        pytest.fail(f"{place[1]}: {blocks} blocks; expected {wanted} or more")
    first = int(worker["workerid"].removeprefix("gw")) * share
    lba = first + request.node.stash[WINDOW_KEY] % windows * WINDOW_BLOCKS
    return Window(lba=lba, blocks=WINDOW_BLOCKS)


@pytest.fixture
def assertion(request: pytest.FixtureRequest) -> Record:
    """Keep a record with the test's report, which pytest-xdist carries to the controller."""

    def record(one: AssertionRecord) -> None:
        request.node.user_properties.append(("assertion", msgspec.to_builtins(one)))
        if one.verdict is Verdict.FAIL:
            pytest.fail(
                f"{one.path}: {one.name} [{one.clause}]\n  expected: {one.expected}\n"
                f"  observed: {one.observed}\n  CDB: {one.cdb}\n  repeat: {one.repeat_with}",
                pytrace=False,
            )

    return record


@contextmanager
def _unit_lock(path: ConformancePath, *, alone: bool) -> Iterator[None]:
    """Hold a unit for one test alone, or together with others that change nothing for all."""
    name = f"certify-conformance-{os.getuid()}-{path.wwid}.lock"
    with (Path(tempfile.gettempdir()) / name).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def _examiner(
    request: pytest.FixtureRequest, path: ConformancePath, record: Record
) -> Iterator[Examiner]:
    """Open *path* and read away unit attentions, while nobody has the unit for itself."""
    with _unit_lock(path, alone=False), sg.opened(path.sg) as descriptor:
        examiner = Examiner(path, descriptor, request.module.FAMILY, record)
        examiner.settle()
        yield examiner


@contextmanager
def _nexuses(
    request: pytest.FixtureRequest, paths: list[ConformancePath], record: Record
) -> Iterator[dict[str, Examiner]]:
    """Open all *paths* of one unit for a test that has it alone; nothing is left of what it did."""
    with _unit_lock(paths[0], alone=True), ExitStack() as stack:
        opened = {
            path.name: Examiner(
                path, stack.enter_context(sg.opened(path.sg)), request.module.FAMILY, record
            )
            for path in paths
        }
        tidy(list(opened.values()))
        stack.callback(tidy, list(opened.values()))
        yield opened


@pytest.fixture
def nexuses(
    request: pytest.FixtureRequest,
    conformance_path: ConformancePath,
    lab_paths: dict[tuple[str, str], ConformancePath],
    assertion: Record,
) -> Iterator[Nexuses]:
    """All I_T nexuses of the unit, held alone: the path under test, then the others."""
    paths = [path for path in lab_paths.values() if path.wwid == conformance_path.wwid]
    with _nexuses(request, paths, assertion) as opened:
        mine = opened.pop(conformance_path.name)
        yield Nexuses(mine, tuple(opened.values()))


@pytest.fixture
def nexus_pair(
    request: pytest.FixtureRequest,
    lab_paths: dict[tuple[str, str], ConformancePath],
    assertion: Record,
) -> Iterator[NexusPair]:
    """Two I_T nexuses and all the others of the unit, held alone."""
    if request.param is None:
        _leave_out(request, NO_PAIR)
    one, other = (lab_paths[place] for place in request.param)
    paths = [path for path in lab_paths.values() if path.wwid == one.wwid]
    with _nexuses(request, paths, assertion) as opened:
        first, second = opened.pop(one.name), opened.pop(other.name)
        yield NexusPair(first, second, tuple(opened.values()))


@pytest.fixture
def examiner(
    request: pytest.FixtureRequest, conformance_path: ConformancePath, assertion: Record
) -> Iterator[Examiner]:
    """The path under test, open and ready."""
    yield from _examiner(request, conformance_path, assertion)


@pytest.fixture
def path_pair(
    request: pytest.FixtureRequest, lab_paths: dict[tuple[str, str], ConformancePath]
) -> tuple[ConformancePath, ConformancePath]:
    """Two paths through different engines: one to write by, one to read by."""
    if request.param is None:
        _leave_out(request, NO_PAIR)
    one, other = request.param
    return lab_paths[one], lab_paths[other]


@pytest.fixture
def writer(
    request: pytest.FixtureRequest,
    path_pair: tuple[ConformancePath, ConformancePath],
    assertion: Record,
) -> Iterator[Examiner]:
    """The first path of a pair."""
    yield from _examiner(request, path_pair[0], assertion)


@pytest.fixture
def reader(
    request: pytest.FixtureRequest,
    path_pair: tuple[ConformancePath, ConformancePath],
    assertion: Record,
) -> Iterator[Examiner]:
    """The second path of a pair."""
    yield from _examiner(request, path_pair[1], assertion)


@pytest.fixture
def two_paths(
    request: pytest.FixtureRequest,
    lab_paths: dict[tuple[str, str], ConformancePath],
    assertion: Record,
) -> Iterator[list[Examiner]]:
    """Two paths of a unit by different engines, or one; the unit is held alone."""
    paths = [lab_paths[place] for place in request.param]
    everybody = [path for path in lab_paths.values() if path.wwid == paths[0].wwid]
    with _nexuses(request, everybody, assertion) as opened:
        yield [opened[path.name] for path in paths]


@pytest.fixture
def record_all(request: pytest.FixtureRequest) -> RecordAll:
    """Keep many records at once."""

    def record(found: list[AssertionRecord]) -> None:
        request.node.user_properties += [("assertion", msgspec.to_builtins(one)) for one in found]
        failed = [one for one in found if one.verdict is Verdict.FAIL]
        if failed:
            lines = [f"{one.name}: {one.observed}" for one in failed]
            pytest.fail(
                "\n  ".join((f"{len(failed)} of {len(found)} failed:", *lines)), pytrace=False
            )

    return record


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Keep:
    """Keep a text of this test in the run folder's logs, where there is a run folder."""

    def keep(name: str, text: str) -> None:
        folder = request.config.getoption("--run-dir")
        if folder is None:
            return
        logs = folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        path = logs / f"{name}-{request.node.callspec.id}.txt"
        path.write_text(text, encoding="utf-8")

    return keep


@pytest.fixture
def pattern(request: pytest.FixtureRequest) -> Pattern:
    """Make *blocks* blocks of *block_bytes* that differ from every other test's and each other."""
    mark = hashlib.sha256(request.node.name.encode()).hexdigest()[:16]

    def make(blocks: int, block_bytes: int) -> bytes:
        return b"".join(
            f"{mark}/{block:014d}\n".encode() * (block_bytes // 32) for block in range(blocks)
        )

    return make
