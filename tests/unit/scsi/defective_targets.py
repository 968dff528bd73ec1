"""Simulated targets with one defect each, and which conformance tests must find it."""

import dataclasses

import msgspec

from reference_router.scsi import (
    GOOD,
    MISCOMPARE_DURING_VERIFY,
    Fill,
    Op,
    Response,
    check_condition,
    invalid_field,
)
from reference_router.service import AccessState, ServiceState
from tests.unit.scsi.simulated_target import BLOCKS, NAA, SimulatedTarget, place_of, refused_for


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
