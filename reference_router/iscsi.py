"""Hosts in the network: one iSCSI target of LIO's per engine, with an ACL per host. Shell.

The target has a LUN per (unit, host). An ACL maps those of its host to the numbers that the host
sees, so each host has devices of its own and no ring entry needs to say whose it is. The sessions
are the kernel's: they live on when the engine dies, and its tombstone answers in them at once.
"""

from pathlib import Path

from reference_router.config import EngineTable, HostTable, RouterConfig
from reference_router.configfs import (
    TARGET,
    ConfigfsError,
    Device,
    link_lun,
    make_folder,
    remove_linked,
    unlink_lun,
    write,
)


class Iscsi:
    """See `transport.Transport`."""

    def __init__(self, config: RouterConfig, engine: EngineTable) -> None:
        self._units = len(config.logical_unit)
        self._hosts = {host.name: host for host in config.host}
        self._portals = engine.portals
        self._group = TARGET / "iscsi" / f"{config.cluster.target_name}.{engine.name}" / "tpgt_1"

    def place(self, host: int, unit: int) -> tuple[Path, int]:
        """Return the engine's one target port group, in which LUNs count through all hosts."""
        return self._group, host * self._units + unit

    def export(self, device: Device) -> None:
        """Link the device as a LUN and map it for its host; nobody can log in yet."""
        if not self._group.exists():
            self._make_group()
        link_lun(device)
        host = self._hosts[device.host]
        acl = self._acl(host)
        if not acl.exists():
            make_folder(acl)
            if host.chap_user:
                write(acl / "auth" / "userid", host.chap_user)
                write(acl / "auth" / "password", host.chap_secret)
        mapped = acl / f"lun_{device.lun}"
        make_folder(mapped)
        try:
            if not (mapped / "unit").is_symlink():
                (mapped / "unit").symlink_to(device.lun_folder)
        except OSError as error:
            raise ConfigfsError(f"{mapped}: not mapped: {error.strerror}") from error

    def open(self) -> None:
        """Let hosts log in."""
        write(self._group / "enable", "1")

    def close(self) -> None:
        """Close all sessions at once, and let nobody log in."""
        if self._group.exists():
            write(self._group / "enable", "0")

    def remove(self, device: Device) -> None:
        """Unmap and unlink the LUN, and the target after its last LUN."""
        acl = self._acl(self._hosts[device.host])
        remove_linked(acl / f"lun_{device.lun}")
        if acl.exists() and not any(acl.glob("lun_*")):
            acl.rmdir()
        unlink_lun(device)
        if self._group.exists() and not any((self._group / "lun").iterdir()):
            for portal in (self._group / "np").iterdir():
                portal.rmdir()
            self._group.rmdir()
            self._group.parent.rmdir()

    def _make_group(self) -> None:
        make_folder(self._group)
        chap = any(host.chap_user for host in self._hosts.values())
        # Only hosts of the file may log in, each to what is its own.
        for name, value in {
            "authentication": "1" if chap else "0",
            "generate_node_acls": "0",
            "demo_mode_discovery": "0",
        }.items():
            write(self._group / "attrib" / name, value)
        for portal in self._portals:
            make_folder(self._group / "np" / portal)

    def _acl(self, host: HostTable) -> Path:
        return self._group / "acls" / host.initiator
