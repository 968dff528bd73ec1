"""Names of kernel objects are stable, and different for each engine, host and unit."""

from pathlib import Path

import msgspec

from reference_router.config import HostTable, RouterConfig, load_config
from reference_router.configfs import Device, devices_of
from reference_router.transport import transport_of

ROUTER = Path(__file__).parents[3] / "reference_router"
CONFIG = load_config(ROUTER / "router.example.toml")


def devices(
    config: RouterConfig, engine: str, sizes: dict[str, int] | None = None
) -> tuple[Device, ...]:
    table = config.engine_named(engine)
    return devices_of(config, table, sizes or {}, transport_of(config, table).place)


def by_iscsi() -> RouterConfig:
    """Two units, two hosts, and a target in the network for each engine."""
    change = msgspec.structs.replace
    (unit,) = CONFIG.logical_unit
    return change(
        CONFIG,
        cluster=change(CONFIG.cluster, transport="iscsi", target_name="iqn.2026-11.org.example:r"),
        logical_unit=[unit, change(unit, name="lu1")],
        host=[
            HostTable(name=name, initiator=f"iqn.2026-11.org.example:{name}")
            for name in ("host1", "host2")
        ],
    )


def test_by_iscsi_an_engine_has_one_target_with_luns_of_all_hosts():
    found = devices(by_iscsi(), "engine1")

    assert {str(one.port) for one in found} == {
        "/sys/kernel/config/target/iscsi/iqn.2026-11.org.example:r.engine1/tpgt_1"
    }
    assert [(one.key, one.lun, one.port_lun) for one in found] == [
        ("lu0/host1", 0, 0), ("lu1/host1", 1, 1), ("lu0/host2", 0, 2), ("lu1/host2", 1, 3),
    ]  # fmt: skip


def test_device_is_found_by_the_name_that_the_kernel_makes():
    """tcmu_update_uio_info() joins "tcm-user", the HBA index, the name and dev_config."""
    (device,) = devices(CONFIG, "engine1", {"lu0": 1 << 20})

    assert device.uio_name == "tcm-user/101/engine1-lu0-host1/lu0/host1"
    assert (device.lun, device.size_bytes) == (0, 1 << 20)


def test_engines_share_neither_backstores_nor_ports():
    first, second = (devices(CONFIG, name)[0] for name in ("engine1", "engine2"))

    assert first.backstore.parent != second.backstore.parent
    assert first.port != second.port
    assert len(first.port.parent.name) == len("naa.") + 16


def test_every_setting_of_multipath_conf_has_its_reason():
    """Each setting follows a comment, and braces stand at line ends or alone."""
    lines = [line.strip() for line in (ROUTER / "multipath.conf").read_text().splitlines()]
    settings = [index for index, line in enumerate(lines) if line and line[0] not in "#}"]
    grouped = ("product", "defaults", "devices", "device {")

    bare = [
        lines[index]
        for index in settings
        if not lines[index].startswith(grouped) and not lines[index - 1].startswith(("#", "detect"))
    ]
    assert bare == []
    assert all(line.count("{") + line.count("}") <= 1 for line in lines if not line.startswith("#"))
