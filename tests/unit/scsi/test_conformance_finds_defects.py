"""The conformance tests pass a sound target and find each planted defect of an unsound one.

The target is simulated: the reference router's command decoder over a bytearray, for two hosts.
"""

import dataclasses
import io
import threading
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import msgspec
import pytest

import certify.conformance
from certify import devices, sg
from certify.devices import MapDevice, ScsiDisk
from certify.lab import Host, PathEntry
from certify.plugin import LAB_KEY
from certify.scsi import Completion, decode_sense
from reference_router import service
from reference_router.device_server import DeviceServer
from reference_router.inquiry import Identity
from reference_router.scsi import (
    GOOD,
    MISCOMPARE_DURING_VERIFY,
    Ask,
    Fill,
    Op,
    Response,
    Transfer,
    check_condition,
    invalid_field,
)
from reference_router.service import AccessState, ServiceState

BLOCKS = 1 << 16
NAA = bytes.fromhex("6000000000e500000000000000000002")
WWID = f"3{NAA.hex()}"


HOSTS, ENGINES = ("host1", "host2"), (1, 2)


def place_of(nexus):
    """Return host and engine of the nexus behind descriptor 1 to 4."""
    return HOSTS[(nexus - 1) // 2], ENGINES[(nexus - 1) % 2]


class SimulatedTarget:
    """One logical unit, two hosts, two engines: descriptors 1 to 4. Defects override.

    Descriptors 1 and 2 are host1 through engine 1 and 2, 3 and 4 are host2.
    """

    def __init__(self):
        self.medium = bytearray(BLOCKS * 512)
        self.servers = {port: self.server(port) for port in ENGINES}
        self.lock = threading.Lock()

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
            self.identity(port), blocks=self.blocks(port), hosts=HOSTS, engines=ENGINES
        )

    def answer(self, nexus, cdb, data_out=b""):
        host, port = place_of(nexus)
        answer = self.servers[port].execute(
            cdb.ljust(16, b"\0"), host, lambda most: data_out[:most]
        )
        if isinstance(answer, Ask):
            return self.agree(answer.request)
        return answer

    def agree(self, request):
        change = self.change(request)
        for server in self.servers.values():
            server.service = change.state
        for attention in change.attentions:
            for server in self.servers.values():
                server.attention(attention.host, attention)
        return change.response

    def change(self, request):
        return service.apply(self.servers[1].service, request, hosts=HOSTS, engines=ENGINES)

    def reset(self, nexus):
        host, port = place_of(nexus)
        self.agree(self.servers[port].reset(host))

    def move(self, _port, transfer, data_out):
        start, end = transfer.lba * 512, (transfer.lba + transfer.blocks) * 512
        there = bytes(self.medium[start:end])
        if transfer.op is Op.READ:
            return Response(data=there)
        if transfer.op is Op.VERIFY:
            return GOOD
        if transfer.op in (Op.COMPARE, Op.COMPARE_AND_WRITE):
            found = self.compare(there, data_out[: end - start])
            if found is not None:
                return found
        if transfer.op is Op.COMPARE:
            return GOOD
        self.medium[start:end] = self.written(transfer, data_out)
        return GOOD

    def compare(self, there, wanted):
        if there == wanted:
            return None
        at = next(at for at, byte in enumerate(wanted) if there[at] != byte)
        return check_condition(MISCOMPARE_DURING_VERIFY, information=at)

    def written(self, transfer, data_out):
        if transfer.fill is Fill.ZERO:
            return bytes(transfer.blocks * 512)
        if transfer.fill is Fill.REPEAT:
            return data_out[:512] * transfer.blocks
        return data_out[-transfer.blocks * 512 :]

    def residual(self, asked, moved):
        return asked - moved

    def execute(self, nexus, cdb, *, data_out=None, data_in_length=0, **_):
        with self.lock:
            answer = self.answer(nexus, cdb, data_out or b"")
            if isinstance(answer, Transfer):
                answer = self.move(place_of(nexus)[1], answer, data_out or b"")
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

    def answer(self, nexus, cdb, data_out=b""):
        answer = super().answer(nexus, cdb, data_out)
        return GOOD if refused_for(answer, 0x21) else answer


class KnowsEverything(SimulatedTarget):
    """Unknown commands are GOOD."""

    def answer(self, nexus, cdb, data_out=b""):
        answer = super().answer(nexus, cdb, data_out)
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


class VerifiesNothing(SimulatedTarget):
    """VERIFY with data is GOOD whatever the data."""

    def move(self, port, transfer, data_out):
        return GOOD if transfer.op is Op.COMPARE else super().move(port, transfer, data_out)


class WritesOnce(SimulatedTarget):
    """WRITE SAME writes the first block only."""

    def written(self, transfer, data_out):
        if transfer.fill is Fill.REPEAT:
            return data_out[:512]
        return super().written(transfer, data_out)

    def move(self, port, transfer, data_out):
        if transfer.fill is Fill.REPEAT:
            transfer = transfer._replace(blocks=1)
        return super().move(port, transfer, data_out)


class UnmapsNothing(SimulatedTarget):
    """UNMAP is GOOD and leaves the data."""

    def move(self, port, transfer, data_out):
        return GOOD if transfer.fill is Fill.ZERO else super().move(port, transfer, data_out)


class WritesThoughOther(SimulatedTarget):
    """COMPARE AND WRITE tells a miscompare and writes all the same."""

    def move(self, port, transfer, data_out):
        answer = super().move(port, transfer, data_out)
        if transfer.op is Op.COMPARE_AND_WRITE:
            start = transfer.lba * 512
            half = transfer.blocks * 512
            self.medium[start : start + half] = data_out[half:]
        return answer


class PointsNowhere(SimulatedTarget):
    """A miscompare is told to be at the first byte."""

    def compare(self, there, wanted):
        found = super().compare(there, wanted)
        return found and check_condition(MISCOMPARE_DURING_VERIFY, information=0)


class HidesACommand(SimulatedTarget):
    """UNMAP works, and is told as not supported."""

    def answer(self, nexus, cdb, data_out=b""):
        if cdb[:2] == b"\xa3\x0c" and cdb[2] & 7 and cdb[3] == 0x42:
            return Response(data=bytes((0, 1, 0, 0)))
        return super().answer(nexus, cdb, data_out)


class TellsNobody(SimulatedTarget):
    """Nobody is told what another nexus changed."""

    def change(self, request):
        return super().change(request)._replace(attentions=())


class TellsTwice(SimulatedTarget):
    """A unit attention is told twice."""

    def __init__(self):
        super().__init__()
        self.again = {}

    def answer(self, nexus, cdb, data_out=b""):
        if cdb[0] == 0 and nexus in self.again:
            return self.again.pop(nexus)
        answer = super().answer(nexus, cdb, data_out)
        if isinstance(answer, Response) and answer.sense[2:3] == b"\x06":
            self.again[nexus] = answer
        return answer


class TellsTheSender(SimulatedTarget):
    """Who changed something is told of it too."""

    def change(self, request):
        change = super().change(request)
        host, engine = request.host, request.engine
        told = [
            msgspec.structs.replace(each, host=host, engine=engine)
            for each in change.attentions[:1]
        ]
        return change._replace(attentions=(*change.attentions, *told))


class ServesInStandby(SimulatedTarget):
    """A port in standby goes on as before, but says that it is in standby."""

    def agree(self, request):
        response = super().agree(request)
        for server in self.servers.values():
            server._access = AccessState.ACTIVE_OPTIMIZED
        return response


class ForgetsOnOneEngine(SimulatedTarget):
    """Engine 2 knows of no reservation."""

    def agree(self, request):
        response = super().agree(request)
        self.servers[2]._reserved = False
        self.servers[2]._gated = False
        return response

    def answer(self, nexus, cdb, data_out=b""):
        _, port = place_of(nexus)
        if port == 2 and cdb[0] not in (0x5E, 0x5F):
            server = self.servers[2]
            kept, server.service = server.service, ServiceState()
            try:
                return super().answer(nexus, cdb, data_out)
            finally:
                server.service = kept
        return super().answer(nexus, cdb, data_out)


class CountsReserving(SimulatedTarget):
    """PRGENERATION counts RESERVE too."""

    def change(self, request):
        change = super().change(request)
        if request.cdb[:2] != b"\x5f\x01":
            return change
        state = change.state
        counted = msgspec.structs.replace(state, generation=state.generation + 1)
        return change._replace(state=counted)


class KeepsTheReservation(SimulatedTarget):
    """RELEASE is GOOD and releases nothing."""

    def change(self, request):
        before = self.servers[1].service
        change = super().change(request)
        released = request.cdb[:2] == b"\x5f\x02" and change.response == GOOD
        return change._replace(state=before) if released else change


class PreemptsNobody(SimulatedTarget):
    """PREEMPT takes the reservation and leaves the key of who had it."""

    def change(self, request):
        before = self.servers[1].service
        change = super().change(request)
        if request.cdb[:2] not in (b"\x5f\x04", b"\x5f\x05"):
            return change
        kept = msgspec.structs.replace(change.state, registrations=before.registrations)
        return change._replace(state=kept)


class RefusesFua(SimulatedTarget):
    """FUA is an invalid field, though DPOFUA says that it is not."""

    def answer(self, nexus, cdb, data_out=b""):
        if cdb[0] in (0x2A, 0x8A, 0xAA) and cdb[1] & 0x08:
            return invalid_field(1)
        return super().answer(nexus, cdb, data_out)


class PointsBeside(SimulatedTarget):
    """The field pointer is one too high."""

    def answer(self, nexus, cdb, data_out=b""):
        answer = super().answer(nexus, cdb, data_out)
        if isinstance(answer, Response) and refused_for(answer, 0x24):
            sense = bytearray(answer.sense)
            sense[17] += 1
            answer = answer._replace(sense=bytes(sense))
        return answer


class ShortDefaults(SimulatedTarget):
    """Default values of mode pages are cut."""

    def answer(self, nexus, cdb, data_out=b""):
        answer = super().answer(nexus, cdb, data_out)
        if cdb[0] == 0x1A and cdb[2] >> 6 == 2:
            answer = answer._replace(data=answer.data[:-4])
        return answer


class WillNotStart(SimulatedTarget):
    """START STOP UNIT is known and always refused."""

    def answer(self, nexus, cdb, data_out=b""):
        return invalid_field(4) if cdb[0] == 0x1B else super().answer(nexus, cdb, data_out)


class Failures:
    """Collects the files in which something failed, and how many tests ran."""

    def __init__(self):
        self.ran = 0
        self.files = set()
        self.texts = []

    def pytest_runtest_logreport(self, report):
        self.ran += report.when == "call"
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

        def pytest_configure(self, config):
            config.stash[LAB_KEY] = small

    @contextmanager
    def opened(device, **_):
        yield int(device[-1])

    def run(target, only=()):
        monkeypatch.setattr(devices, "scsi_disks", lambda *_: disks)
        monkeypatch.setattr(devices, "find_map", lambda *_, **__: multipath)
        monkeypatch.setattr(sg, "opened", opened)
        monkeypatch.setattr(sg, "execute", target.execute)
        monkeypatch.setattr(sg, "reset_unit", target.reset)
        failures = Failures()
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
            pytest.main([*options, *quiet, *alone, *files], plugins=[GivesLab(), failures])
        return failures

    return run


def test_a_sound_target_passes(examine):
    failures = examine(SimulatedTarget())

    assert failures.texts == []
    assert failures.ran > 150


DEFECTS = {
    OtherName: {"vpd"},
    SmallerOnOnePort: {"bounds", "capacity"},
    PastTheEnd: {"bounds", "verify", "unmap", "write_same", "compare_and_write"},
    KnowsEverything: {"bad_cdb", "opcodes"},
    SpillsOver: {"read_write"},
    StaleReads: {"cross_path", "compare_and_write"},
    NoResidual: {"inquiry"},
    SaysNoMore: {"ports", "alua"},
    VerifiesNothing: {"verify"},
    WritesOnce: {"write_same"},
    UnmapsNothing: {"unmap", "write_same"},
    WritesThoughOther: {"compare_and_write"},
    PointsNowhere: {"compare_and_write"},
    HidesACommand: {"opcodes"},
    TellsNobody: {"attentions"},
    TellsTwice: {"attentions"},
    TellsTheSender: {"attentions"},
    ServesInStandby: {"alua"},
    ForgetsOnOneEngine: {"reservation_enforcement"},
    CountsReserving: {"reservation_reports"},
    KeepsTheReservation: {"reservations"},
    PreemptsNobody: {"reservation_preempt"},
    RefusesFua: {"read_write"},
    PointsBeside: {"bad_cdb"},
    ShortDefaults: {"mode_sense"},
    WillNotStart: {"ready"},
}
"""The file or files that must find each of them."""


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_a_defect_is_found_where_it_is(examine, defect):
    assert examine(defect(), DEFECTS[defect]).files == DEFECTS[defect]
