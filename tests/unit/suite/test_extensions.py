"""A package beside Zerostall brings a fault, a scenario and a target: the example of the docs.

Method: the example is installed into a folder of the test, with the metadata that pip would write
from its pyproject.toml, and found there by its entry points.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from certify.extensions import TARGET_GROUP, load_module, load_scenarios, module_of
from certify.lab import LabError
from certify.virtual_lab.guest.targets import builder_of
from certify.virtual_lab.targets import target_named
from fault_injectors import FaultError, Injection, Journal, heal_all, outstanding
from fault_injectors.extensions import names, third_party
from fault_injectors.kinds import fault_class
from tests.unit.faults.conftest import FakeShell

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "acme"
FLAGS = "/sys/class/net/storage0/flags"
PARAMS = {"subject": "host1 storage0", "interface": "storage0"}


def install(project: dict, site: Path) -> None:
    """Write the metadata of *project* (a pyproject.toml) into *site*."""
    about = project["project"]
    folder = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    folder.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    (folder / "METADATA").write_text(metadata)
    lines = []
    for group, entries in about["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site-packages folder with the example in it."""
    shutil.copytree(EXAMPLE / "zerostall_acme", tmp_path / "zerostall_acme")
    install(tomllib.loads((EXAMPLE / "pyproject.toml").read_text()), tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield tmp_path
    for name in [one for one in sys.modules if one.startswith("zerostall_acme")]:
        del sys.modules[name]


def add(site, group, name, value, *, package="broken-thing"):
    """Install one more package, which has this entry point."""
    about = {"name": package, "version": "0.3", "entry-points": {group: {name: value}}}
    install({"project": about}, site)
    importlib.invalidate_caches()


class Port(FakeShell):
    """A host with a port that `ip` opens and shuts."""

    def __init__(self):
        super().__init__(files={FLAGS: "0x1003\n"})
        for state, flags in (("up", "0x1003\n"), ("down", "0x1002\n")):
            self.commands[f"ip link set dev storage0 {state}"] = lambda flags=flags: self.set(flags)

    def set(self, flags):
        self.files[FLAGS] = flags
        return 0, ""


def certify(site, *words):
    """Run the command line with *site* among its packages."""
    return subprocess.run(
        [sys.executable, "-m", "certify", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=False,
    )


def test_a_fault_of_another_package_is_found_by_its_kind(site):
    assert fault_class("port_shut").label == "Port shut"
    assert "port_shut" in names()


def test_its_fault_goes_through_the_journal_and_is_healed_after_a_crash(site, tmp_path):
    """Whoever injected is gone; the journal and the entry point are all there is."""
    shell, path = Port(), tmp_path / "journal.jsonl"
    fault = fault_class("port_shut").from_params(PARAMS)
    injection = Injection.prepared(fault, shell, Journal(path))
    injection.inject()
    assert injection.prove(timeout_s=0).effective
    assert len(outstanding(path)) == 1

    results = heal_all(path, lambda _reach: shell, timeout_s=1)

    assert [(one.kind, one.healthy) for one in results] == [("port_shut", True)]
    assert shell.files[FLAGS] == "0x1003\n"
    assert outstanding(path) == []


def test_a_journal_of_a_package_that_is_gone_says_so(tmp_path):
    """Nothing is healed that nobody knows how to heal, and nobody calls it healthy."""
    entry = {"schema": 1, "key": "k", "step": "intent", "utc": "t", "kind": "port_shut"}
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({**entry, "reach": "local", "params": PARAMS}) + "\n")

    (result,) = heal_all(path, lambda _reach: Port(), timeout_s=0)

    assert not result.healthy
    assert "'port_shut': expected one of" in result.detail


def test_its_scenario_is_in_a_profile_of_the_packages_name(site):
    done = certify(site, "list", "--profile", "zerostall-acme", "--json")
    told = json.loads(done.stdout)

    assert told["profiles"]["zerostall-acme"] == ["B0", "X1"]
    assert done.stderr == ""


def test_its_scenario_is_a_test_item_as_ours_are(site):
    """`certify run` hands the file to pytest, where it is an item with its fault as a mark."""
    words = ("--collect-only", "-q", "-m", "port_shut", "-c", "/dev/null", "-p", "certify.plugin")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *words, "--import-mode=importlib"),
            *("-p", "no:cacheprovider", str(site / "zerostall_acme" / "storage_port_shut.py")),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": f"{site}:{EXAMPLE.parents[2]}"},
        cwd=site,
        check=False,
    )

    assert "X1[1]" in done.stdout, done.stdout + done.stderr


def test_a_broken_package_is_named_and_the_rest_works(site):
    add(site, "zerostall.scenarios", "X9", "broken_thing.nowhere")

    done = certify(site, "list", "--profile", "zerostall-acme", "--json")

    assert done.returncode == 0
    assert "package broken-thing 0.3, entry point zerostall.scenarios X9" in done.stderr
    assert json.loads(done.stdout)["profiles"]["zerostall-acme"] == ["B0", "X1"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X1", "zerostall_acme.port_shut", "has no SCENARIO"),
        ("X8", "zerostall_acme.storage_port_shut", "describes 'X1'; expected the entry point's"),
        ("E1k", "zerostall_acme.storage_port_shut", "describes 'X1'"),
        ("X8", "zerostall_acme.storage_port_shut:SCENARIO", "without a colon"),
    ],
)
def test_what_is_wrong_with_a_scenario_is_said(site, name, value, words):
    entry = EntryPoint(name, value, "zerostall.scenarios")

    (problem,) = load_scenarios(lambda _group: [entry])

    assert words in problem
    assert "an unknown package" in problem


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("zerostall_acme.gone:X", "cannot be loaded: ModuleNotFoundError"),
        ("zerostall_acme.port_shut:TIMEOUT_S", "expected a class, seen float"),
        ("pathlib:Path", "it lacks kind, label, colour, prepare"),
        ("fault_injectors:PathPull", "its kind is 'path_pull', the entry point says 'other'"),
    ],
)
def test_what_is_wrong_with_a_fault_is_said_with_its_package(site, value, words):
    add(site, "zerostall.faults", "other", value)

    with pytest.raises(FaultError, match=r"package broken-thing 0\.3") as caught:
        fault_class("other")

    assert words in str(caught.value)


def test_two_packages_with_one_kind_are_both_named(site):
    add(site, "zerostall.faults", "port_shut", "pathlib:Path")

    with pytest.raises(FaultError, match=r"broken-thing 0\.3, zerostall-acme 1\.0"):
        third_party("port_shut")


def test_ours_are_not_replaced_by_others(site):
    add(site, "zerostall.faults", "path_pull", "pathlib:Path")

    assert fault_class("path_pull").__module__ == "fault_injectors.path"


def test_its_target_is_known_to_the_lab_and_to_the_guest(site):
    assert target_named("acme-single").title == "Acme entry model"
    assert callable(builder_of("acme-single").bring_up)


def test_a_target_that_is_none_is_an_error(site):
    add(site, TARGET_GROUP, "acme-double", "broken_thing.gone")

    with pytest.raises(LabError, match=r"package broken-thing 0\.3"):
        target_named("acme-double")
    assert module_of(TARGET_GROUP, "acme-triple") is None


def test_an_entry_point_must_be_a_module():
    with pytest.raises(LabError, match="without a colon"):
        load_module(EntryPoint("x", "json:loads", TARGET_GROUP))
