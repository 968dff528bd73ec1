"""Fixtures of the conformance tests: paths of the lab, blocks of their own, recorded assertions.

pytest-xdist may run any two tests at once, also on one path. Only blocks of a test's own `window`
are written, and every worker numbers the windows alike, since all collect the same tests.
"""

import hashlib
from collections.abc import Iterator
from itertools import permutations

import msgspec
import pytest

from certify import sg
from certify.conformance.examiner import (
    ConformancePath,
    Examiner,
    Keep,
    Pattern,
    Record,
    Window,
)
from certify.devices import resolve
from certify.lab import Lab
from certify.plugin import LAB_KEY
from reports.record import AssertionRecord, Verdict

WINDOW_BLOCKS = 512
TAIL_BLOCKS = 2048
"""Blocks at the end that no window covers: tests of the bounds read and write there."""
WINDOW_KEY = pytest.StashKey[int]()
PURPOSE = "conformance"


def _lab_to_write_to(config: pytest.Config) -> Lab:
    """Return the lab; raise UsageError unless it is given and may be written to."""
    lab = config.stash.get(LAB_KEY, None)
    if lab is None or not config.getoption("--destroy"):
        raise pytest.UsageError(
            "conformance tests need --lab FILE, and write to its logical units of purpose "
            '"conformance"; say --destroy if that is meant'
        )
    return lab


def _paths(lab: Lab) -> list[tuple[str, str]]:
    """Return (path, logical unit) for every path to a logical unit for conformance tests."""
    return [
        (path.name, unit.name)
        for unit in lab.logical_unit
        if unit.purpose == PURPOSE
        for path in lab.path
        if path.host == unit.host
    ]


def _pairs(lab: Lab) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return ordered pairs of paths to the same unit through different engines."""
    engine = {path.name: path.engine for path in lab.path}
    return [
        (one, other)
        for one, other in permutations(_paths(lab), 2)
        if one[1] == other[1] and engine[one[0]] != engine[other[0]]
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on every path, or on every pair of paths through different engines."""
    lab = _lab_to_write_to(metafunc.config)
    if "path_pair" in metafunc.fixturenames:
        pairs = _pairs(lab)
        ids = [f"{one}-to-{other}-{unit}" for (one, unit), (other, _) in pairs]
        metafunc.parametrize("path_pair", pairs, ids=ids, indirect=True)
    elif "conformance_path" in metafunc.fixturenames:
        paths = _paths(lab)
        ids = [f"{path}-{unit}" for path, unit in paths]
        metafunc.parametrize("conformance_path", paths, ids=ids, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Number the windows before anything is deselected, so that every worker numbers alike."""
    numbered = [item for item in items if "window" in getattr(item, "fixturenames", ())]
    for number, item in enumerate(numbered):
        item.stash[WINDOW_KEY] = number


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Lab:
    """The lab file given by --lab."""
    return pytestconfig.stash[LAB_KEY]


@pytest.fixture(scope="session")
def lab_paths(lab: Lab) -> dict[tuple[str, str], ConformancePath]:
    """All paths of the lab as devices, by path and logical unit."""
    return {
        (device.path, device.unit.name): ConformancePath.of(device) for device in resolve(lab).paths
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
def window(request: pytest.FixtureRequest) -> Window:
    """Blocks that no other test writes."""
    lba = request.node.stash[WINDOW_KEY] * WINDOW_BLOCKS
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


def _examiner(
    request: pytest.FixtureRequest, path: ConformancePath, record: Record
) -> Iterator[Examiner]:
    """Open *path*, read away unit attentions, and check that a window fits on the unit."""
    if "window" in request.fixturenames:
        end = (request.node.stash[WINDOW_KEY] + 1) * WINDOW_BLOCKS
        if end > path.blocks - TAIL_BLOCKS:
            pytest.fail(f"{path.wwid}: {path.blocks} blocks; expected {end + TAIL_BLOCKS} or more")
    with sg.opened(path.sg) as descriptor:
        examiner = Examiner(path, descriptor, request.module.FAMILY, record)
        examiner.settle()
        yield examiner


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
    name = request.node.name

    def make(blocks: int, block_bytes: int) -> bytes:
        return b"".join(
            (hashlib.sha256(f"{name}/{block}".encode()).digest() * (block_bytes // 32))
            for block in range(blocks)
        )

    return make
