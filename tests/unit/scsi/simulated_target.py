"""A logical unit by two engines for two hosts: the router's command decoder over a bytearray."""

import threading

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
)

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
