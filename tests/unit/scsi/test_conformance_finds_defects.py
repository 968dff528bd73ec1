"""The conformance tests pass a sound target and find each planted defect of an unsound one.

The target is simulated: the reference router's command decoder over a bytearray, two ports.
"""

import dataclasses
import io
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import msgspec
import pytest

import certify.conformance
from certify import devices, sg
from certify.devices import MapDevice, ScsiDisk
from certify.plugin import LAB_KEY
from certify.scsi import Completion, decode_sense
from reference_router.device_server import DeviceServer
from reference_router.inquiry import Identity
from reference_router.scsi import GOOD, Op, Response, Transfer

BLOCKS = 1 << 16
NAA = bytes.fromhex("6000000000e500000000000000000002")
WWID = f"3{NAA.hex()}"


class SimulatedTarget:
    """One logical unit behind two ports; descriptor 1 or 2 is the port. Defects override."""

    def __init__(self):
        self.medium = bytearray(BLOCKS * 512)
        self.servers = {port: self.server(port) for port in (1, 2)}

    def identity(self, port):
        return Identity(
            vendor="VENDOR",
            product="Product",
            revision="1",
            serial="S-1",
            naa=NAA,
            engine_id=port,
            max_transfer_blocks=1024,
        )

    def blocks(self, _port):
        return BLOCKS

    def server(self, port):
        return DeviceServer(
            self.identity(port), blocks=self.blocks(port), hosts=("host",), engines=(1, 2)
        )

    def answer(self, port, cdb):
        return self.servers[port].execute(cdb.ljust(16, b"\0"), "host", bytes)

    def move(self, _port, transfer, data_out):
        start, end = transfer.lba * 512, (transfer.lba + transfer.blocks) * 512
        if transfer.op is Op.READ:
            return Response(data=bytes(self.medium[start:end]))
        self.medium[start:end] = data_out
        return GOOD

    def residual(self, asked, moved):
        return asked - moved

    def execute(self, port, cdb, *, data_out=None, data_in_length=0, **_):
        answer = self.answer(port, cdb)
        if isinstance(answer, Transfer):
            answer = self.move(port, answer, data_out)
        data = answer.data[:data_in_length]
        residual = self.residual(data_in_length, len(data))
        return Completion(
            cdb=cdb,
            status=answer.status,
            sense=decode_sense(answer.sense),
            residual=residual,
            host_status=0,
            driver_status=0,
            data=data.ljust(data_in_length - residual, b"\0"),
            sent_ns=0,
            done_ns=0,
        )


def refused_for(answer, asc):
    """Tell whether an answer is a refusal with this additional sense code."""
    return isinstance(answer, Response) and answer.sense[12:13] == bytes((asc,))


class OtherName(SimulatedTarget):
    """The second port shows a logical unit of another name."""

    def identity(self, port):
        own = super().identity(port)
        return own if port == 1 else dataclasses.replace(own, naa=NAA[:-1] + b"\x07")


class SmallerOnOnePort(SimulatedTarget):
    """The second port tells one block less."""

    def blocks(self, port):
        return BLOCKS - (port == 2)


class PastTheEnd(SimulatedTarget):
    """Reads and writes past the end are GOOD."""

    def answer(self, port, cdb):
        answer = super().answer(port, cdb)
        return GOOD if refused_for(answer, 0x21) else answer


class KnowsEverything(SimulatedTarget):
    """Unknown commands are GOOD."""

    def answer(self, port, cdb):
        answer = super().answer(port, cdb)
        return GOOD if refused_for(answer, 0x20) else answer


class SpillsOver(SimulatedTarget):
    """A write of an even number of blocks writes one block more."""

    def move(self, port, transfer, data_out):
        if transfer.op is Op.WRITE and transfer.blocks == 2:
            transfer = transfer._replace(blocks=3)
            data_out += bytes(512)
        return super().move(port, transfer, data_out)


class StaleReads(SimulatedTarget):
    """The second port reads what was there when it last wrote."""

    def __init__(self):
        super().__init__()
        self.cache = bytes(self.medium)

    def move(self, port, transfer, data_out):
        if port == 2 and transfer.op is Op.READ:
            start = transfer.lba * 512
            return Response(data=self.cache[start : start + transfer.blocks * 512])
        moved = super().move(port, transfer, data_out)
        if port == 2:
            self.cache = bytes(self.medium)
        return moved


class NoResidual(SimulatedTarget):
    """Whatever arrives, the initiator is told that its buffer is full."""

    def residual(self, asked, moved):
        return 0


class SaysNoMore(SimulatedTarget):
    """A port is in a group that its own list does not have."""

    def server(self, port):
        server = super().server(port)
        server.engines = (3 - port,)
        return server


class Failures:
    """Collects the files in which something failed, and how many tests ran."""

    def __init__(self):
        self.ran = 0
        self.files = set()

    def pytest_runtest_logreport(self, report):
        self.ran += report.when == "call"
        if report.failed:
            self.files.add(Path(report.fspath).stem.removeprefix("test_"))


@pytest.fixture
def examine(lab, tmp_path, monkeypatch):
    """Run the conformance tests against a target; return what failed."""
    units = [msgspec.structs.replace(lab.logical_unit[1], wwid=WWID)]
    small = msgspec.structs.replace(lab, logical_unit=units, control=None)
    disks = [
        ScsiDisk(
            hctl=f"{port + 1}:0:1:1",
            sd=f"sd{port}",
            sg=f"sg{port}",
            wwids=(WWID,),
            size_bytes=BLOCKS * 512,
            block_bytes=512,
        )
        for port in (1, 2)
    ]
    multipath = MapDevice(unit=units[0], name="m", kernel_name="dm-0", size_bytes=BLOCKS * 512)

    class GivesLab:
        """Takes the place of --lab FILE."""

        def pytest_configure(self, config):
            config.stash[LAB_KEY] = small

    @contextmanager
    def opened(device, **_):
        yield int(device[-1])

    def run(target):
        monkeypatch.setattr(devices, "scsi_disks", lambda *_: disks)
        monkeypatch.setattr(devices, "find_map", lambda *_, **__: multipath)
        monkeypatch.setattr(sg, "opened", opened)
        monkeypatch.setattr(sg, "execute", target.execute)
        failures = Failures()
        where = Path(certify.conformance.__file__).parent
        options = ["-c", "/dev/null", "--rootdir", str(where.parents[1]), "-p", "certify.plugin"]
        quiet = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--tb=no"]
        alone = ["-p", "no:faulthandler", "-p", "no:timeout", "--destroy"]
        files = [
            str(path) for path in sorted(where.glob("test_*.py")) if "witness" not in path.name
        ]
        with redirect_stdout(io.StringIO()):
            pytest.main([*options, *quiet, *alone, *files], plugins=[GivesLab(), failures])
        return failures

    return run


def test_a_sound_target_passes(examine):
    failures = examine(SimulatedTarget())

    assert failures.files == set()
    assert failures.ran > 150


@pytest.mark.parametrize(
    ("defect", "found_by"),
    [
        (OtherName, {"vpd"}),
        (SmallerOnOnePort, {"bounds", "capacity"}),
        (PastTheEnd, {"bounds"}),
        (KnowsEverything, {"bad_cdb"}),
        (SpillsOver, {"read_write"}),
        (StaleReads, {"cross_path"}),
        (NoResidual, {"inquiry"}),
        (SaysNoMore, {"ports"}),
    ],
)
def test_a_defect_is_found_where_it_is(examine, defect, found_by):
    assert examine(defect()).files == found_by
