"""A device server to send CDBs to, and two of them that agree as engines do."""

from reference_router.device_server import DeviceServer
from reference_router.inquiry import Identity
from reference_router.scsi import Ask, Response, Status, Transfer
from reference_router.service import ServiceRequest, ServiceState, apply

BLOCKS = 131072
NAA = bytes.fromhex("60014057a65726f7374616c6c00000a0")
HOSTS = ("alpha", "beta", "gamma")
ENGINES = (1, 2)
CONFLICT = Response(Status.RESERVATION_CONFLICT)


def make_server(engine_id: int = 1, *, blocks: int = BLOCKS) -> DeviceServer:
    identity = Identity(
        vendor="ZEROSTAL",
        product="Reference Router",
        revision="0.1",
        serial="ZS1",
        naa=NAA,
        engine_id=engine_id,
        max_transfer_blocks=1024,
    )
    return DeviceServer(identity, blocks=blocks, hosts=HOSTS, engines=ENGINES)


def execute(
    text: str, server: DeviceServer | None = None, *, host: str = "alpha", data: bytes = b""
) -> Response | Transfer | Ask:
    """Execute a CDB in hexadecimal, with data-out."""
    cdb = bytes.fromhex(text).ljust(16, b"\0")
    return (server or make_server()).execute(cdb, host, lambda size: data[:size])


def sense_of(response: Response | Transfer | Ask) -> tuple[int, int, int]:
    assert isinstance(response, Response)
    assert response.status == Status.CHECK_CONDITION
    assert response.sense[0] & 0x7F == 0x70
    return response.sense[2], response.sense[12], response.sense[13]


def pointer_of(response: Response | Transfer | Ask) -> tuple[str, int]:
    """Return what the field pointer points into, and at which byte."""
    assert isinstance(response, Response)
    where = {0xC0: "cdb", 0x80: "data"}[response.sense[15]]
    return where, int.from_bytes(response.sense[16:18], "big")


class Pair:
    """Two device servers that share one state, without the barrier between them."""

    def __init__(self) -> None:
        self.servers = {engine: make_server(engine) for engine in ENGINES}
        self.state = ServiceState()

    def send(
        self, text: str, host: str = "alpha", engine: int = 1, *, data: bytes = b""
    ) -> Response | Transfer:
        """Execute a CDB; what must be agreed on is agreed at once."""
        done = execute(text, self.servers[engine], host=host, data=data)
        if not isinstance(done, Ask):
            return done
        return self.agree(done.request)

    def agree(self, request: ServiceRequest) -> Response:
        """Let both engines agree on a request."""
        change = apply(self.state, request, hosts=HOSTS, engines=ENGINES)
        self.state = change.state
        for server in self.servers.values():
            server.service = change.state
            for each in change.attentions:
                server.attention(each.host, each)
        return change.response

    def reserve_out(
        self,
        action: int,
        kind: int = 0,
        *,
        host: str = "alpha",
        engine: int = 1,
        key: int = 0,
        new: int = 0,
        flags: int = 0,
    ) -> Response:
        """PERSISTENT RESERVE OUT; `flags` is byte 20: SPEC_I_PT, ALL_TG_PT, APTPL."""
        data = key.to_bytes(8, "big") + new.to_bytes(8, "big") + bytes((0, 0, 0, 0, flags, 0, 0, 0))
        done = self.send(f"5f {action:02x} {kind:02x} 00 00 00 00 00 18", host, engine, data=data)
        assert isinstance(done, Response)
        return done

    def register(self, host: str = "alpha", engine: int = 1, *, key: int) -> None:
        """Register `key`, whatever is registered."""
        assert self.reserve_out(6, host=host, engine=engine, new=key) == Response()

    def look(self, text: str, engine: int = 1) -> bytes:
        """Return data-in of a command through a nexus that has no unit attention."""
        server = make_server(engine)
        server.service = self.state
        done = execute(text, server)
        assert isinstance(done, Response)
        assert done.status == Status.GOOD
        return done.data

    def attention_of(self, host: str, engine: int = 1) -> tuple[int, int] | None:
        """Take the next unit attention of a nexus by REQUEST SENSE."""
        data = execute("03 00 00 00 12", self.servers[engine], host=host).data
        return (data[12], data[13]) if data[2] == 6 else None
