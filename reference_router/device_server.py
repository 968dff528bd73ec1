"""The SCSI device server: a CDB becomes a response, a transfer, or a request to agree on. Pure.

The command table says what a command is; here is what every command must pass first, in the order
of SAM-5 5.3.3: resets to be reported, reservations, other unit attentions, then the rest.
"""

from reference_router.attentions import Attentions
from reference_router.commands_table import (
    BY_ACTION,
    BY_CODE,
    CODES_WITH_ACTIONS,
    Answer,
    Row,
)
from reference_router.conflicts import Conflict, conflicts
from reference_router.inquiry import Identity
from reference_router.scsi import (
    INVALID_OPERATION,
    NO_SENSE,
    RESERVED,
    TARGET_PORT_STANDBY,
    TARGET_PORT_UNAVAILABLE,
    Op,
    Response,
    Sense,
    check_condition,
    invalid_field,
)
from reference_router.service_state import (
    LOGICAL_UNIT_RESET,
    AccessState,
    Attention,
    Nexus,
    ServiceRequest,
    ServiceState,
)
from reference_router.transfers import DataOut

_CDB_BYTES = 16
_NOT_ACTIVE = {
    AccessState.STANDBY: TARGET_PORT_STANDBY,
    AccessState.UNAVAILABLE: TARGET_PORT_UNAVAILABLE,
}


class DeviceServer:
    """Answers the commands of one logical unit through one engine's port.

    The shell sets `service` at each commit, and `members` and `not_ready` as they change.
    """

    def __init__(
        self, identity: Identity, *, blocks: int, hosts: tuple[str, ...], engines: tuple[int, ...]
    ) -> None:
        """Serve `blocks` blocks to `hosts`; `engines` are all ids, each a target port group."""
        self.identity = identity
        self.blocks = blocks
        self.hosts = hosts
        self.engines = engines
        self.engine_id = identity.engine_id
        self.members = engines
        """The engines that serve now; the others' target port groups are unavailable."""
        self.not_ready: Sense | None = None
        """Why the medium is not accessible now; None while it is."""
        self._service = ServiceState()
        self._reserved = False
        self._access = AccessState.ACTIVE_OPTIMIZED
        self._attentions = Attentions()
        self._gated = False

    @property
    def service(self) -> ServiceState:
        """What the engines agree on: reservations and access states."""
        return self._service

    @service.setter
    def service(self, service: ServiceState) -> None:
        self._service = service
        self._reserved = service.reservation is not None or service.legacy is not None
        self._access = service.access_of(self.engine_id)
        self._set_gated()

    def execute(self, cdb: bytes, host: str, data_out: DataOut) -> Answer:
        """Decode `cdb` (16 bytes, shorter CDBs padded) and answer it.

        `data_out(n)` returns up to n bytes of the command's data-out.
        """
        row = BY_CODE.get(cdb[0]) or BY_ACTION.get((cdb[0], cdb[1] & 0x1F))
        if self._gated:
            refused = self._gate(row, host)
            if refused is not None:
                return refused
        if row is None:
            return invalid_field(1) if cdb[0] in CODES_WITH_ACTIONS else INVALID_OPERATION
        wrong = int.from_bytes(cdb, "big") & row.refused
        if wrong:
            return invalid_field(_CDB_BYTES - (wrong.bit_length() + 7) // 8)
        if row.waits and self.not_ready is not None:
            return check_condition(self.not_ready)
        return row.handler(self, cdb, host, data_out)

    def refusal(self, op: Op, host: str) -> Response | None:
        """Return RESERVATION CONFLICT if a transfer that was held may not start now."""
        if not self._reserved:
            return None
        kind = Conflict.READ if op < Op.WRITE else Conflict.WRITE
        nexus = Nexus(host, self.engine_id)
        return RESERVED if conflicts(self._service, nexus, kind) else None

    def attention(self, host: str, attention: Attention) -> None:
        """Establish a unit attention for this engine's nexus of `host`; another engine's is not."""
        if attention.engine == self.engine_id:
            self._attentions.add(host, attention.asc, attention.ascq)
            self._set_gated()

    def reset(self, host: str) -> ServiceRequest:
        """Return the request that makes a LOGICAL UNIT RESET by `host` true in both engines."""
        return ServiceRequest(host=host, engine=self.engine_id, cdb=LOGICAL_UNIT_RESET)

    def take_sense(self, host: str) -> Sense:
        """Return what REQUEST SENSE reports to `host`, and clear it if it is a unit attention."""
        sense = self._attentions.take(host)
        if sense is not None:
            self._set_gated()
            return sense
        return _NOT_ACTIVE.get(self._access) or self.not_ready or NO_SENSE

    def _set_gated(self) -> None:
        self._gated = bool(self._attentions) or self._reserved or self._access in _NOT_ACTIVE

    def _gate(self, row: Row | None, host: str) -> Response | None:
        attends = row is None or row.attends
        sense = self._attentions.take(host, only_resets=True) if attends else None
        if sense is None:
            nexus = Nexus(host, self.engine_id)
            if row is not None and conflicts(self._service, nexus, row.conflict):
                return RESERVED
            sense = self._attentions.take(host) if attends else None
        if sense is not None:
            self._set_gated()
        elif row is not None and self._access > row.served_in:
            sense = _NOT_ACTIVE[self._access]
        return None if sense is None else check_condition(sense)
