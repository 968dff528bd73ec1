"""What a router file says of its transport, and what iSCSI makes of it in configfs."""

from pathlib import Path

import msgspec
import pytest

from reference_router import configfs, iscsi
from reference_router.config import ConfigError, HostTable, RouterConfig, load_config
from reference_router.transport_checks import is_portal

EXAMPLE = Path(__file__).parents[3] / "reference_router" / "router.example.toml"
NAME = "iqn.2026-11.org.example"
ISCSI = {
    'transport = "loopback"': f'transport = "iscsi"\ntarget_name = "{NAME}:r"',
    'name = "engine1"': 'name = "engine1"\nportals = ["192.0.2.1:3260", "[2001:db8::1]:3260"]',
    'name = "engine2"': 'name = "engine2"\nportals = ["192.0.2.2:3260"]',
    'name = "host1"': f'name = "host1"\ninitiator = "{NAME}:h1"\n'
    f'[[host]]\nname = "host2"\ninitiator = "{NAME}:h2"',
}


def load(tmp_path: Path, *changes: dict[str, str]) -> RouterConfig:
    text = EXAMPLE.read_text(encoding="utf-8")
    for change in changes:
        for old, new in change.items():
            assert old in text, old
            text = text.replace(old, new, 1)
    path = tmp_path / "router.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_an_iscsi_router_is_taken(tmp_path):
    config = load(tmp_path, ISCSI)
    assert config.cluster.transport == "iscsi"
    assert [host.initiator for host in config.host] == [f"{NAME}:h1", f"{NAME}:h2"]


def test_engines_that_would_take_a_host_for_another_do_not_work_together(tmp_path):
    swapped = {f"{NAME}:h1": f"{NAME}:x", f"{NAME}:h2": f"{NAME}:h1", f"{NAME}:x": f"{NAME}:h2"}
    assert load(tmp_path, ISCSI).digest() != load(tmp_path, ISCSI, swapped).digest()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({f"{NAME}:h2": f"{NAME}:h1"}, "host: initiator: expected different names"),
        ({f'"{NAME}:h2"': '"host two"'}, "host host2: initiator: expected an iSCSI name"),
        ({f'"{NAME}:h2"': '"iqn.2026-11.org.Example:h"'}, "host2: initiator: expected an iSCSI"),
        ({f'"{NAME}:r"': '""'}, "cluster.target_name: with 'engine1', expected an iSCSI name"),
        ({'["192.0.2.2:3260"]': "[]"}, "engine engine2: portals: expected at least one"),
        ({"192.0.2.2:3260": "192.0.2.2"}, "portals: expected .*, seen '192.0.2.2'"),
        (
            {'name = "host2"': 'name = "host2"\nchap_user = "u"'},
            "host host2: expected chap_user and chap_secret together",
        ),
        (
            {'name = "host2"': 'name = "host2"\nchap_user = "u"\nchap_secret = "short"'},
            "host host2: chap_secret: expected 12 to 16 bytes, seen 5",
        ),
        (
            {'name = "host2"': 'name = "host2"\nchap_user = "u"\nchap_secret = "twelve bytes"'},
            "chap_user: expected for all hosts or for none, seen for ..host2",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, change, complaint):
    with pytest.raises(ConfigError, match=complaint):
        load(tmp_path, ISCSI, change)


@pytest.mark.parametrize("key", ['target_name = "iqn.2026-11.org.example:r"'])
def test_what_loopback_has_no_use_for_is_refused(tmp_path, key):
    with pytest.raises(ConfigError, match=r"cluster\.target_name: expected none, since"):
        load(tmp_path, {'name = "router"': f'name = "router"\n{key}'})


def test_a_secret_is_never_told(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {'name = "host1"': 'name = "host1"\nchap_secret = "tell nobody"'})
    assert "tell nobody" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("192.0.2.1:3260", True),
        ("[2001:db8::1]:3260", True),
        ("2001:db8::1:3260", False),
        ("[192.0.2.1]:3260", False),
        ("192.0.2.1:0", False),
        ("192.0.2.1:65536", False),
        ("name:3260", False),
        ("192.0.2.1:3260/../x", False),
    ],
)
def test_a_portal_is_an_address_with_a_port(text, good):
    assert is_portal(text) is good


class Kernel:
    """Makes folders as configfs does: with the groups that the kernel puts in them."""

    GROUPS = ("attrib", "acls", "np", "lun", "auth")

    def __init__(self, root: Path) -> None:
        self.root = root

    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        if path.parent.name in ("acls",) or path.name == "tpgt_1":
            for name in self.GROUPS:
                (path / name).mkdir(exist_ok=True)

    def links(self) -> dict[str, str]:
        return {
            str(one.relative_to(self.root)): str(one.readlink().relative_to(self.root))
            for one in self.root.rglob("*")
            if one.is_symlink()
        }


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    kernel = Kernel(tmp_path / "target")
    for module in (configfs, iscsi):
        monkeypatch.setattr(module, "TARGET", kernel.root)
        monkeypatch.setattr(module, "make_folder", kernel.make_folder)
    return kernel


def test_each_host_is_shown_its_own_devices(kernel, tmp_path):
    config = load(tmp_path, ISCSI)
    secret = HostTable(
        name="host1",
        initiator=f"{NAME}:h1",
        chap_user="u",
        chap_secret="0123456789ab",  # noqa: S106 - an example
    )
    config = msgspec.structs.replace(config, host=[secret, config.host[1]])
    engine = config.engine[0]
    transport = iscsi.Iscsi(config, engine)
    for device in configfs.devices_of(config, engine, {}, transport.place):
        transport.export(device)
    transport.open()

    group = f"iscsi/{NAME}:r.engine1/tpgt_1"
    assert kernel.links() == {
        f"{group}/lun/lun_0/port": "core/user_101/engine1-lu0-host1",
        f"{group}/lun/lun_1/port": "core/user_101/engine1-lu0-host2",
        f"{group}/acls/{NAME}:h1/lun_0/unit": f"{group}/lun/lun_0",
        f"{group}/acls/{NAME}:h2/lun_0/unit": f"{group}/lun/lun_1",
    }
    root = kernel.root / group
    assert sorted(one.name for one in (root / "np").iterdir()) == [
        "192.0.2.1:3260", "[2001:db8::1]:3260",
    ]  # fmt: skip
    assert (root / "enable").read_text() == "1"
    assert (root / "attrib/authentication").read_text() == "1"
    assert (root / "attrib/generate_node_acls").read_text() == "0"
    assert (root / f"acls/{NAME}:h1/auth/password").read_text() == "0123456789ab"
    assert not (root / f"acls/{NAME}:h2/auth/password").exists()

    transport.close()
    assert (root / "enable").read_text() == "0"
