"""What a router file must say of its transport without contradicting itself. Pure."""

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_router.config import EngineTable, HostTable, RouterConfig

CHAP_SECRET_BYTES = (12, 16)
"""At least 96 bits (RFC 7143, 9.2.1); open-iscsi and Windows take no more than 16 bytes."""
CHAP_USER_BYTES_MAX = 255  # MAX_USER_LEN of LIO is 256 (iscsi_target_auth.h)
_ISCSI_NAME = re.compile(r"iqn\.\d{4}-\d{2}\.[a-z0-9.-]+(:[a-z0-9.:_-]+)?|eui\.[0-9a-f]{16}")
_ISCSI_NAME_BYTES_MAX = 223  # RFC 7143, 4.2.7.1
_PORTAL = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>\d{1,5})")
_PORT_MAX = 65_535


def transport_problems(config: "RouterConfig") -> Iterator[str]:
    """Yield a line per contradiction: the key, what was expected and what was seen."""
    if config.cluster.transport == "iscsi":
        yield from _iscsi(config)
    else:
        yield from _loopback(config)


def _loopback(config: "RouterConfig") -> Iterator[str]:
    keys: list[tuple[str, object]] = [("cluster.target_name", config.cluster.target_name)]
    keys += [(f"engine {one.name}: portals", one.portals) for one in config.engine]
    for host in config.host:
        for key in ("initiator", "chap_user", "chap_secret"):
            keys.append((f"host {host.name}: {key}", getattr(host, key)))
    for key, value in keys:
        if value:
            yield f'{key}: expected none, since cluster.transport is "loopback", seen one'


def _iscsi(config: "RouterConfig") -> Iterator[str]:
    for engine in config.engine:
        yield from _engine(config, engine)
    initiators = [host.initiator for host in config.host]
    if len(set(initiators)) != len(initiators):
        yield f"host: initiator: expected different names, seen {initiators}"
    for host in config.host:
        yield from _host(host)
    with_chap = [host.name for host in config.host if host.chap_user]
    if with_chap and len(with_chap) != len(config.host):
        yield f"host: chap_user: expected for all hosts or for none, seen for {with_chap}"


def _engine(config: "RouterConfig", engine: "EngineTable") -> Iterator[str]:
    name = f"{config.cluster.target_name}.{engine.name}"
    if problem := _name_problem(name):
        yield f"cluster.target_name: with {engine.name!r}, {problem}"
    if not engine.portals:
        yield f"engine {engine.name}: portals: expected at least one, seen none"
    for portal in engine.portals:
        if not is_portal(portal):
            expected = '"ADDRESS:PORT" or "[ADDRESS]:PORT"'
            yield f"engine {engine.name}: portals: expected {expected}, seen {portal!r}"


def _host(host: "HostTable") -> Iterator[str]:
    if problem := _name_problem(host.initiator):
        yield f"host {host.name}: initiator: {problem}"
    if bool(host.chap_user) != bool(host.chap_secret):
        yield f"host {host.name}: expected chap_user and chap_secret together, seen one"
    least, most = CHAP_SECRET_BYTES
    length = len(host.chap_secret.encode())
    if host.chap_secret and not least <= length <= most:
        yield f"host {host.name}: chap_secret: expected {least} to {most} bytes, seen {length}"
    if len(host.chap_user.encode()) > CHAP_USER_BYTES_MAX:
        yield f"host {host.name}: chap_user: expected at most {CHAP_USER_BYTES_MAX} bytes"


def _name_problem(name: str) -> str:
    """Return what is wrong with an iSCSI name (RFC 7143, 4.2.7; RFC 3722: no capitals)."""
    if _ISCSI_NAME.fullmatch(name) and len(name) <= _ISCSI_NAME_BYTES_MAX:
        return ""
    return f"expected an iSCSI name such as iqn.2026-11.org.example:one, seen {name!r}"


def is_portal(text: str) -> bool:
    """Tell whether *text* is an address with a port, as LIO's folder np wants it."""
    found = _PORTAL.fullmatch(text)
    if not found or not 0 < int(found["port"]) <= _PORT_MAX:
        return False
    try:
        address = ipaddress.ip_address(found["six"] or found["four"])
    except ValueError:
        return False
    return address.version == (6 if found["six"] else 4)
