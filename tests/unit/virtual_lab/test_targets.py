"""Every target can be named and built, and what is built is a lab file that the suite reads."""

import os
import socket
import subprocess
import threading
from pathlib import Path

import msgspec
import pytest

from certify.lab import Array, Command, Engine, Lab, Leg, Link, LogicalUnit, PathEntry, load_lab
from certify.virtual_lab import targets as named
from certify.virtual_lab.boot import BootError
from certify.virtual_lab.guest import hidden, lab_file, link, lio
from certify.virtual_lab.guest import targets as built
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets.base import LUN_SCRIPT, Built

CHOSEN = Settings(kernel="uml", target="md-raid1", python="python", share="/runs")


def test_every_target_has_a_builder():
    assert set(named.TARGETS) == set(built.BUILDERS)
    assert set(named.FAMILIES) == set(built.FAMILIES)


@pytest.mark.parametrize("name", sorted(named.TARGETS))
def test_a_builder_says_which_disks_multipath_takes(name):
    builder = built.builder_of(name)

    assert f'vendor "{builder.multipath.vendor}"' in builder.multipath.device
    assert named.target_named(name).note


@pytest.mark.parametrize("name", ["toaster", "toaster:warm", ""])
def test_an_unknown_target_is_refused_with_those_there_are(name):
    with pytest.raises(BootError, match="expected one of reference-router, reference-"):
        named.target_named(name)
    with pytest.raises(lio.LioError, match="expected one of reference-router"):
        built.builder_of(name)


def test_a_family_makes_its_targets_by_name(monkeypatch):
    def member(name):
        return named.VirtualTarget(f"odd:{name}", "Odd", "one of many")

    monkeypatch.setitem(named.FAMILIES, "odd", member)

    assert named.target_named("odd:one").name == "odd:one"


def some_target() -> Built:
    """A target with one of everything."""
    command = Command(argv=["sh", "-c", 'echo "a\\b"'], timeout_s=5.0)
    return Built(
        units=(LogicalUnit(name="lu0", wwid="3600a", also_on=["host2"], unmap=None),),
        paths=(
            PathEntry(name="host1-engine1", host="host1", engine="engine1", hctl="1:0:1:*"),
            PathEntry(name="host2-engine1", host="host2", engine="engine1", hctl="2:0:1:*"),
        ),
        engines=(Engine(name="engine1", pid=command),),
        arrays=(Array(name="A", hctl=["3:0:1:0"], leg=[Leg(logical_unit="lu0")]),),
        link=Link(cut=command, mend=command, is_cut=command),
        redundancy=command,
        logs=("/run/zerostall/engine1.log",),
    )


def test_what_is_built_is_a_lab_file(monkeypatch, tmp_path):
    monkeypatch.setattr(lab_file, "PATH", tmp_path / "lab.toml")
    lab_file.write(CHOSEN, some_target(), control="3600c")

    lab = load_lab(tmp_path / "lab.toml")

    assert isinstance(lab, Lab)
    assert lab == lab_file.lab_of(CHOSEN, some_target(), control="3600c")
    assert lab.system_under_test.name == "LIO over MD RAID-1"
    assert [host.name for host in lab.host] == ["host1", "host2"]
    assert msgspec.structs.asdict(lab.link)["cut"].argv[2] == 'echo "a\\b"'


def test_disks_are_hidden_by_their_address(monkeypatch, tmp_path):
    monkeypatch.setattr(hidden, "FOLDER", tmp_path / "hidden")
    monkeypatch.setattr(lio, "address", lambda _group: "7:0:1")

    hidden.hide(tmp_path, [0, 2])
    assert sorted(path.name for path in (tmp_path / "hidden").iterdir()) == ["7:0:1:0", "7:0:1:2"]

    hidden.forget()
    assert not (tmp_path / "hidden").exists()


def run_lun(tmp_path: Path, verb: str, *folders: Path) -> int:
    """Run lun.sh as the lab file does; return its exit status."""
    done = subprocess.run(
        ["sh", str(LUN_SCRIPT), verb, *map(str, folders)],
        env={**os.environ, "ZS_UNMAPPED": str(tmp_path / "kept")},
        capture_output=True,
        timeout=20,
        check=False,
    )
    return done.returncode


def test_a_unit_is_unmapped_and_mapped_again(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    luns = [tmp_path / "port1/lun_0", tmp_path / "port2/lun_0"]
    for lun in luns:
        lun.mkdir(parents=True)
        (lun / "port").symlink_to(store)

    assert run_lun(tmp_path, "is_unmapped", *luns) == 1
    assert run_lun(tmp_path, "unmap", *luns) == 0
    assert run_lun(tmp_path, "unmap", *luns) == 0
    assert run_lun(tmp_path, "is_unmapped", *luns) == 0
    assert not any((lun / "port").exists() for lun in luns)
    assert run_lun(tmp_path, "map", *luns) == 0
    assert run_lun(tmp_path, "is_unmapped", *luns) == 1
    assert all((lun / "port").resolve() == store for lun in luns)
    assert run_lun(tmp_path, "explode", *luns) == 2


@pytest.fixture
def session(monkeypatch, tmp_path):
    """A link like the router's: a listener and a session over it."""
    monkeypatch.setattr(link, "PLACE", tmp_path / "link.sock")
    monkeypatch.setattr(link, "ASIDE", tmp_path / "link.cut")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(str(link.PLACE))
        listener.listen()
        acceptor = threading.Thread(target=lambda: accepted.append(listener.accept()[0]))
        accepted: list[socket.socket] = []
        acceptor.start()
        other.connect(str(link.PLACE))
        acceptor.join(5)
        with accepted[0] as own:
            own.settimeout(5)
            other.settimeout(5)
            yield own, other


def test_the_link_is_cut_for_both_ends_and_stays_cut(session):
    own, other = session
    assert not link.is_cut()

    link.cut()

    assert own.recv(1) == other.recv(1) == b""
    with pytest.raises(OSError, match="No such file"), socket.socket(socket.AF_UNIX) as again:
        again.connect(str(link.PLACE))
    own.close()
    assert link.is_cut()


def test_a_mended_link_takes_connections_again(session):
    link.cut()
    link.cut()
    link.mend()
    link.mend()

    assert not link.is_cut()
    with socket.socket(socket.AF_UNIX) as again:
        again.connect(str(link.PLACE))
