"""The device servers of one engine, kept as the agreed state of their units says."""

from reference_router.cluster import Cluster
from reference_router.config import EngineTable, LogicalUnitTable, RouterConfig
from reference_router.device_server import DeviceServer
from reference_router.inquiry import Identity
from reference_router.scsi import (
    BECOMING_READY,
    BLOCK_BYTES,
    MANUAL_INTERVENTION_REQUIRED,
    TARGET_PORT_UNAVAILABLE,
    Sense,
)
from reference_router.service_state import Attention
from reference_router.unit import Phase

_ACCESS_STATE_CHANGED = (0x2A, 0x06)  # ASYMMETRIC ACCESS STATE CHANGED (SPC-4 5.15.2.7)


class Ports:
    """What hosts see of the units through this engine. `stopping`: a planned stop has begun."""

    def __init__(
        self,
        config: RouterConfig,
        table: EngineTable,
        *,
        sizes: dict[str, int],
        cluster: Cluster,
    ) -> None:
        self.stopping = False
        self._config = config
        self._engine_id = table.id
        self._cluster = cluster
        self._epochs: dict[str, int] = {}
        self.servers = {
            unit.name: self._server(unit, sizes[unit.name] // BLOCK_BYTES)
            for unit in config.logical_unit
        }

    @property
    def all_ready(self) -> bool:
        """Tell whether hosts can use every unit."""
        return all(server.not_ready is None for server in self.servers.values())

    def stop(self) -> None:
        """Begin a planned stop: tell each host once that access states change, then serve none.

        The unit attention goes first (SPC-4 5.15.2.7), NOT READY to what comes after it.
        """
        self.stopping = True
        for server in self.servers.values():
            for host in server.hosts:
                self._attend(server, host, *_ACCESS_STATE_CHANGED)
        self.set_readiness()

    def set_readiness(self) -> None:
        """Look at each unit and say whether it is ready."""
        for name, server in self.servers.items():
            server.not_ready = self._why_not_ready(name)

    def adopt(self, name: str) -> None:
        """Let the agreed state of a unit hold for hosts, and establish its unit attentions."""
        state, server = self._cluster.units[name].state, self.servers[name]
        if self._epochs.get(name) == state.epoch:
            server.members = state.members
            return
        self._epochs[name] = state.epoch
        if server.members and server.members != state.members:
            for host in server.hosts:
                self._attend(server, host, *_ACCESS_STATE_CHANGED)
        server.members = state.members
        server.service = state.services
        for attention in state.attentions:
            server.attention(attention.host, attention)

    def _attend(self, server: DeviceServer, host: str, asc: int, ascq: int) -> None:
        attention = Attention(host=host, engine=self._engine_id, asc=asc, ascq=ascq)
        server.attention(host, attention)

    def _server(self, unit: LogicalUnitTable, blocks: int) -> DeviceServer:
        cluster = self._config.cluster
        identity = Identity(
            vendor=cluster.vendor,
            product=cluster.product,
            revision=cluster.revision,
            serial=unit.serial,
            naa=bytes.fromhex(unit.naa),
            engine_id=self._engine_id,
            max_transfer_blocks=cluster.max_transfer_blocks,
            max_write_same_blocks=cluster.resync_region_bytes // BLOCK_BYTES,
        )
        server = DeviceServer(
            identity,
            blocks=blocks,
            hosts=tuple(host.name for host in self._config.host),
            engines=tuple(engine.id for engine in self._config.engine),
        )
        server.not_ready = BECOMING_READY
        server.members = ()
        self._cluster.units[unit.name].adopted = lambda: self.adopt(unit.name)
        mirror = self._cluster.units[unit.name].mirror
        mirror.refuses = lambda command: server.refusal(command.op, command.host)
        return server

    def _why_not_ready(self, name: str) -> Sense | None:
        unit = self._cluster.units[name]
        if self.stopping:
            return TARGET_PORT_UNAVAILABLE
        if unit.phase is Phase.STARTING and unit.starting.assessment.operator:
            return MANUAL_INTERVENTION_REQUIRED
        return None if unit.serves else BECOMING_READY
