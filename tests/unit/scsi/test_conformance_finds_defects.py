"""The conformance tests pass a sound target and find each planted defect of an unsound one.

The target is simulated: the reference router's command decoder over a bytearray, for two hosts.
"""

import io
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import msgspec
import pytest

import certify.conformance
from certify import devices, sg
from certify.conformance.conftest import NO_PAIR
from certify.devices import MapDevice, ScsiDisk
from certify.lab import Host, PathEntry
from certify.plugin import LAB_KEY
from tests.unit.scsi.defective_targets import DEFECTS
from tests.unit.scsi.simulated_target import BLOCKS, ENGINES, HOSTS, WWID, SimulatedTarget


class Failures:
    """Collects the files in which something failed, and how many tests ran."""

    def __init__(self):
        self.ran = 0
        self.files = set()
        self.texts = []
        self.left_out = []

    def pytest_runtest_logreport(self, report):
        self.ran += report.when == "call"
        if report.skipped:
            self.left_out.append(report)
        if report.failed:
            self.texts.append(report.longreprtext)
            self.files.add(Path(report.fspath).stem.removeprefix("test_"))


@pytest.fixture
def examine(lab, tmp_path, monkeypatch):
    """Run the conformance tests against a target; return what failed."""
    units = [msgspec.structs.replace(lab.logical_unit[1], wwid=WWID, also_on=["host2"])]
    small = msgspec.structs.replace(
        lab,
        logical_unit=units,
        control=None,
        array=[],
        host=[Host(name=host) for host in HOSTS],
        path=[
            PathEntry(
                name=f"{host}-engine{engine}",
                host=host,
                engine=f"engine{engine}",
                hctl=f"{2 * HOSTS.index(host) + engine}:0:1:*",
            )
            for host in HOSTS
            for engine in ENGINES
        ],
    )
    disks = [
        ScsiDisk(
            hctl=f"{nexus}:0:1:1",
            sd=f"sd{nexus}",
            sg=f"sg{nexus}",
            wwids=(WWID,),
            size_bytes=BLOCKS * 512,
            block_bytes=512,
        )
        for nexus in range(1, 5)
    ]
    multipath = MapDevice(unit=units[0], name="m", kernel_name="dm-0", size_bytes=BLOCKS * 512)

    class GivesLab:
        """Takes the place of --lab FILE."""

        def __init__(self, lab):
            self.lab = lab

        def pytest_configure(self, config):
            config.stash[LAB_KEY] = self.lab

    @contextmanager
    def opened(device, **_):
        yield int(device[-1])

    def run(target, only=(), paths=4):
        monkeypatch.setattr(devices, "scsi_disks", lambda *_: disks)
        monkeypatch.setattr(devices, "find_map", lambda *_, **__: multipath)
        monkeypatch.setattr(sg, "opened", opened)
        monkeypatch.setattr(sg, "execute", target.execute)
        monkeypatch.setattr(sg, "reset_unit", target.reset)
        failures = Failures()
        lab = msgspec.structs.replace(small, path=small.path[:paths])
        where = Path(certify.conformance.__file__).parent
        options = ["-c", "/dev/null", "--rootdir", str(where.parents[1]), "-p", "certify.plugin"]
        quiet = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--tb=no"]
        alone = ["-p", "no:faulthandler", "-p", "no:timeout", "--destroy"]
        files = [
            str(path)
            for path in sorted(where.glob("test_*.py"))
            if path.stem != "test_witness" and (not only or path.stem.removeprefix("test_") in only)
        ]
        with redirect_stdout(io.StringIO()):
            pytest.main([*options, *quiet, *alone, *files], plugins=[GivesLab(lab), failures])
        return failures

    return run


def test_a_sound_target_passes(examine):
    failures = examine(SimulatedTarget())

    assert failures.texts == []
    assert failures.ran > 150


def test_with_one_path_what_needs_two_is_left_out_with_the_reason(examine):
    failures = examine(SimulatedTarget(), {"cross_path", "reservations", "bounds"}, paths=1)

    assert failures.texts == []
    assert {report.longrepr[2] for report in failures.left_out} == {f"Skipped: {NO_PAIR}"}
    told = [dict(report.user_properties)["assertion"] for report in failures.left_out]
    assert {one["family"] for one in told} == {"Across paths", "Persistent reservations"}
    assert {one["verdict"] for one in told} == {"NOT RUN"}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_a_defect_is_found_where_it_is(examine, defect):
    assert examine(defect(), DEFECTS[defect]).files == DEFECTS[defect]
