"""Names of kernel objects are stable, and different for each engine, host and unit."""

from pathlib import Path

from reference_router.config import load_config
from reference_router.configfs import devices_of

ROUTER = Path(__file__).parents[3] / "reference_router"
CONFIG = load_config(ROUTER / "router.example.toml")


def test_device_is_found_by_the_name_that_the_kernel_makes():
    """tcmu_update_uio_info() joins "tcm-user", the HBA index, the name and dev_config."""
    (device,) = devices_of(CONFIG, CONFIG.engine_named("engine1"), {"lu0": 1 << 20})

    assert device.uio_name == "tcm-user/101/engine1-lu0-host1/lu0/host1"
    assert (device.lun, device.size_bytes) == (0, 1 << 20)


def test_engines_share_neither_backstores_nor_ports():
    first, second = (
        devices_of(CONFIG, CONFIG.engine_named(name), {})[0] for name in ("engine1", "engine2")
    )

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
