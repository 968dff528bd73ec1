"""`router.toml`: the description of a router, as typed and checked values.

Both engines read the same file; each takes its own `[[engine]]` table from it.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from reference_router.metrics import parse_address
from reference_router.transport_checks import transport_problems

SCHEMA = 1
ENGINE_ID_MAX = 15  # four bits of a reservation key
_NAA_6_BYTES = 16
LINK_KEY_BYTES_MIN = 16
_NO_SECRET = b"zerostall: no link_key, so anybody can know this one"
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


class ConfigError(Exception):
    """The router file is wrong; the message names the file, the key, what was expected and seen."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables: immutable and strict about unknown keys."""


class ClusterTable(_Table, frozen=True, kw_only=True):
    """[cluster]: what both engines share."""

    name: str
    vendor: str = "ZEROSTAL"
    product: str = "Reference Router"
    revision: str = "0.1"
    transport: Literal["loopback", "iscsi"] = "loopback"  # how hosts reach the engines
    target_name: str = ""  # iSCSI name of the router; an engine's is this, "." and its name
    supervision: Literal["tombstone", "none"] = "tombstone"
    restart: Literal["auto", "manual"] = "auto"
    cold_start: Literal["", "in_sync"] = ""
    link_key: str = ""  # hexadecimal, a secret; empty: none
    log_format: Literal["text", "json"] = "text"
    heartbeat_interval_ms: int = 50
    heartbeat_timeout_ms: int = 400
    leg_deadline_ms: int = 400
    leg_slow_ms: int = 100  # 0: a leg is never dropped for being slow within its deadline
    leg_slow_s: int = 5
    command_timeout_s: int = 0  # 0: 5 s with a tombstone, the kernel's 30 s without
    peer_wait_ms: int = 500
    link_ping_ms: int = 100
    link_lease_ms: int = 1000
    link_timeout_ms: int = 1500
    lease_limit: int = 64
    resync_region_bytes: int = 1 << 20
    resync_rate_bytes_per_s: int = 64 << 20
    max_transfer_blocks: int = 1024
    max_data_area_mb: int = 16


class EngineTable(_Table, frozen=True, kw_only=True):
    """[[engine]]: one engine; `legs` is its own block device per logical unit and array."""

    id: int
    name: str
    link: str
    control: str
    log: str
    legs: dict[str, dict[str, str]]
    portals: list[str] = []  # where it listens for iSCSI: "ADDRESS:PORT", "[ADDRESS]:PORT"
    hba_index: int = 0  # of user_N in configfs; 0: 100 + id
    state: str = "/var/lib/zerostall"  # folder of the hosts' persistent reservations
    metrics: str = ""  # where to serve metrics: a path or "tcp:127.0.0.1:PORT"; empty: nowhere


class ArrayTable(_Table, frozen=True, kw_only=True):
    """[[array]]: one storage array; the order is the same for all engines."""

    name: str


class LogicalUnitTable(_Table, frozen=True, kw_only=True):
    """[[logical_unit]]: a mirrored logical unit; its LUN is its place in the file."""

    name: str
    naa: str
    serial: str
    size_bytes: int = 0  # 0: the smallest leg
    preferred: int = 0  # id of the engine whose target port group has the PREF bit; 0: none


class HostTable(_Table, frozen=True, kw_only=True):
    """[[host]]: an initiator; it gets devices of its own on each engine, and a way to them.

    By loopback that is a target port of its own; by iSCSI its `initiator` name, to which the
    engine's target shows its devices and no others. `chap_user` and `chap_secret` are its CHAP.
    """

    name: str
    initiator: str = ""
    chap_user: str = ""
    chap_secret: str = ""


class WitnessTable(_Table, frozen=True, kw_only=True):
    """[witness]: who decides between engines that cannot meet on all legs, from a third place."""

    address: str  # where it listens, and engines find it: "tcp:ADDRESS:PORT"
    state: str = "/var/lib/zerostall/witness.json"  # its votes; they must outlive a loss of power
    log: str = "/run/zerostall/witness.log"


class RouterConfig(_Table, frozen=True, kw_only=True):
    """A whole router file."""

    schema: int
    cluster: ClusterTable
    engine: list[EngineTable]
    array: list[ArrayTable]
    logical_unit: list[LogicalUnitTable]
    host: list[HostTable]
    witness: WitnessTable | None = None

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of the arrays, in order: the index of a leg."""
        return tuple(array.name for array in self.array)

    @property
    def command_timeout_s(self) -> int:
        """The kernel's command time-out: the last net."""
        if self.cluster.command_timeout_s:
            return self.cluster.command_timeout_s
        return 5 if self.cluster.supervision == "tombstone" else 30

    def check_of(self, unit: LogicalUnitTable) -> int:
        """Return what reservation keys of a unit carry, so that no leg is taken for another's."""
        return hashlib.sha256(bytes.fromhex(unit.naa)).digest()[0]

    @property
    def link_key(self) -> bytes:
        """The key that authenticates the link; a well-known one if none is configured."""
        return bytes.fromhex(self.cluster.link_key) or _NO_SECRET

    def engine_named(self, name: str) -> EngineTable:
        """Return the table of an engine. Raises ConfigError if there is none of that name."""
        for engine in self.engine:
            if engine.name == name:
                return engine
        known = ", ".join(engine.name for engine in self.engine)
        raise ConfigError(f"engine {name!r}: expected one of {known}")

    def peer_of(self, engine: EngineTable) -> EngineTable | None:
        """Return the other engine's table, or None in a cluster of one."""
        return next((other for other in self.engine if other.id != engine.id), None)

    def digest(self) -> str:
        """Return a digest of what two engines must agree on to work together.

        The lease of the link is in it: an engine promises for as long as its own file says, and
        the other relies on it for as long as the other's says.
        """
        cluster = self.cluster
        times = (cluster.link_lease_ms, cluster.link_timeout_ms, cluster.max_transfer_blocks)
        hosts = [(host.name, host.initiator) for host in self.host]
        nexuses = ([engine.id for engine in self.engine], hosts)
        units = [(unit.name, unit.naa, unit.serial, unit.size_bytes) for unit in self.logical_unit]
        region = cluster.resync_region_bytes
        common: tuple[object, ...] = (
            cluster.name, region, self.arrays, units, times, nexuses
        )  # fmt: skip
        if self.witness is not None:
            common += (self.witness.address,)
        return hashlib.sha256(repr(common).encode()).hexdigest()[:16]


def load_config(path: Path) -> RouterConfig:
    """Read and check a router file.

    Raises ConfigError naming the file, the key, what was expected and what was seen.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        config = msgspec.convert(tomllib.loads(text), RouterConfig)
        _check(config)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return config


def _check(config: RouterConfig) -> None:
    _expect(config.schema == SCHEMA, "schema", SCHEMA, config.schema)
    _expect(len(config.engine) in (1, 2), "[[engine]] tables", "1 or 2", len(config.engine))
    _expect(bool(config.array), "[[array]] tables", "at least 1", 0)
    _expect(bool(config.host), "[[host]] tables", "at least 1", 0)
    _expect(bool(config.logical_unit), "[[logical_unit]] tables", "at least 1", 0)
    ids = [engine.id for engine in config.engine]
    _expect(len(set(ids)) == len(ids), "engine.id", "different ids", ids)
    good = all(0 < each <= ENGINE_ID_MAX for each in ids)
    _expect(good, "engine.id", f"1 to {ENGINE_ID_MAX}", ids)
    for tables in (config.engine, config.array, config.host, config.logical_unit):
        names = [table.name for table in tables]
        _expect(len(set(names)) == len(names), "name", "different names", names)
        for name in names:
            good = bool(name) and set(name) <= _NAME_CHARACTERS
            _expect(good, "name", "letters, digits, '_', '-' and '.'", repr(name))
    _check_cluster(config.cluster)
    _check_link_key(config)
    for problem in transport_problems(config):
        raise ConfigError(problem)
    for unit in config.logical_unit:
        _check_unit(unit)
        good = unit.preferred in (0, *ids)
        _expect(good, f"logical_unit {unit.name}: preferred", f"0 or one of {ids}", unit.preferred)
    for engine in config.engine:
        _check_legs(config, engine)
        _check_metrics(engine)
    if config.witness is not None:
        _check_witness(config, config.witness)


def _check_cluster(cluster: ClusterTable) -> None:
    for key, width in (("vendor", 8), ("product", 16), ("revision", 4)):
        value = getattr(cluster, key)
        good = value.isascii() and len(value) <= width
        _expect(good, f"cluster.{key}", f"at most {width} ASCII characters", repr(value))
    for key in ClusterTable.__struct_fields__:
        value = getattr(cluster, key)
        if isinstance(value, int) and key not in ("command_timeout_s", "leg_slow_ms"):
            _expect(value > 0, f"cluster.{key}", "more than 0", value)
    region, transfer = cluster.resync_region_bytes, cluster.max_transfer_blocks * 512
    good = region % 4096 == 0 and region >= transfer
    expected = f"a multiple of 4096, at least max_transfer_blocks * 512 = {transfer}"
    _expect(good, "cluster.resync_region_bytes", expected, region)
    ping, lease, silence = cluster.link_ping_ms, cluster.link_lease_ms, cluster.link_timeout_ms
    good = 2 * ping <= lease and 5 * lease <= 4 * silence
    expected = "at least 2 * link_ping_ms, and at most 4/5 of link_timeout_ms"
    _expect(good, "cluster.link_lease_ms", expected, lease)


def _check_link_key(config: RouterConfig) -> None:
    """Check the key of the link; a complaint tells its length only, since it is a secret."""
    text = config.cluster.link_key
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    expected = f"empty, or at least {2 * LINK_KEY_BYTES_MIN} hexadecimal digits"
    good = not text or len(key) >= LINK_KEY_BYTES_MIN
    _expect(good, "cluster.link_key", expected, f"{len(text)} characters")
    for engine in config.engine:
        if engine.link.startswith("tcp:"):
            expected = f"a key, since engine {engine.name} is linked by tcp"
            _expect(bool(text), "cluster.link_key", expected, "none")


def _check_unit(unit: LogicalUnitTable) -> None:
    key = f"logical_unit {unit.name}"
    try:
        naa = bytes.fromhex(unit.naa)
    except ValueError:
        naa = b""
    good = len(naa) == _NAA_6_BYTES and naa[0] >> 4 == 6
    _expect(good, f"{key}: naa", "32 hexadecimal digits that begin with 6", repr(unit.naa))
    good = unit.serial.isascii() and 0 < len(unit.serial) <= 36
    _expect(good, f"{key}: serial", "1 to 36 ASCII characters", repr(unit.serial))
    good = unit.size_bytes >= 0 and unit.size_bytes % 512 == 0
    _expect(good, f"{key}: size_bytes", "a multiple of 512", unit.size_bytes)


def _check_legs(config: RouterConfig, engine: EngineTable) -> None:
    units = {unit.name for unit in config.logical_unit}
    seen = set(engine.legs)
    _expect(seen == units, f"engine {engine.name}: legs", sorted(units), sorted(seen))
    for unit, legs in engine.legs.items():
        good = set(legs) == set(config.arrays)
        _expect(good, f"engine {engine.name}: legs.{unit}", list(config.arrays), list(legs))


def _check_metrics(engine: EngineTable) -> None:
    try:
        if engine.metrics:
            parse_address(engine.metrics)
    except ValueError as error:
        raise ConfigError(f"engine {engine.name}: metrics: {error}") from error


def _check_witness(config: RouterConfig, witness: WitnessTable) -> None:
    scheme, _, rest = witness.address.partition(":")
    host, _, port = rest.rpartition(":")
    good = scheme == "tcp" and bool(host) and port.isdecimal() and 0 < int(port) < 1 << 16
    _expect(good, "witness.address", "tcp:ADDRESS:PORT", repr(witness.address))
    expected = "a key, since the witness is reached by tcp"
    _expect(bool(config.cluster.link_key), "cluster.link_key", expected, "none")
    _expect(len(config.engine) == 2, "[witness]", "two engines to decide between", 1)


def _expect(good: bool, key: str, expected: object, seen: object) -> None:
    if not good:
        raise ConfigError(f"{key}: expected {expected}, seen {seen}")
