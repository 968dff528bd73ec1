"""A saboteur as a target: its name, what its handler is told, and what is wrong around it."""

import pytest

from certify.saboteurs.catalogue import SABOTEURS
from certify.saboteurs.saboteur import Around
from certify.virtual_lab import layout
from certify.virtual_lab.boot import BootError
from certify.virtual_lab.guest.arrays import ArrayDisks
from certify.virtual_lab.guest.lio import LioError
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets import builder_of, saboteur
from certify.virtual_lab.targets import target_named

CHOSEN = Settings(kernel="uml", target="saboteur:control", python="python3", share="/tmp")


@pytest.fixture
def disks(monkeypatch):
    """Both arrays, each disk at an address of its own."""
    monkeypatch.setattr(saboteur.lio, "wait_for_disk", lambda hctl: f"sd-{hctl}")
    arrays = []
    for number, name in enumerate(layout.ARRAYS):
        array = ArrayDisks(name)
        for who, initiator in enumerate((*layout.ENGINES, layout.INSPECTOR)):
            for unit in layout.LOGICAL_UNITS:
                array.hctl[initiator, unit.name] = f"{number}:{who}:1:{unit.lun}"
        arrays.append(array)
    return arrays


@pytest.fixture
def commands(monkeypatch):
    """The commands that were run, none of them really."""
    seen = []
    monkeypatch.setattr(saboteur.subprocess, "run", lambda argv, **_: seen.append(argv))
    return seen


@pytest.mark.parametrize("name", SABOTEURS)
def test_every_saboteur_is_a_target(name):
    assert target_named(f"saboteur:{name}").note == SABOTEURS[name].what
    assert builder_of(f"saboteur:{name}").multipath.vendor == "ZEROSTAL"


def test_an_unknown_saboteur_is_refused_with_the_names_there_are():
    with pytest.raises(BootError, match="ghost-write"):
        target_named("saboteur:nobody")
    with pytest.raises(LioError, match="ghost-write"):
        builder_of("saboteur:nobody")


def test_the_handler_is_told_where_everything_is(disks):
    places = saboteur.places_of(SABOTEURS["stale-leg-read"], CHOSEN, disks)

    assert places.disks == len(places.adapters) * len(layout.LOGICAL_UNITS)
    assert len(set(places.adapters.values())) == len(layout.ENGINES) * len(layout.HOSTS)
    assert str(places.back_path("A")) == "/sys/class/scsi_device/0:0:1:0/device/state"
    assert places.leg("A", "lu0") == "/dev/sd-0:2:1:0"
    assert "detach" in places.detach["A"]


def test_a_leg_is_made_flaky_at_its_whole_size(commands):
    saboteur._arrange(Around(flaky=(("arrayB-lu0", "drop_writes"),)), CHOSEN)

    load, *switch = commands
    unit = layout.LOGICAL_UNITS[0]
    number = len(layout.LOGICAL_UNITS)
    table = f"0 {unit.size_bytes // 512} flakey /dev/ram{number} 0 0 3600 1 drop_writes"
    assert load[-3:] == ["arrayB-lu0", "--table", table]
    assert [words[2] for words in switch] == ["suspend", "resume"]


def test_an_array_is_taken_out_by_the_routers_own_command(commands):
    saboteur._arrange(Around(detached="B"), CHOSEN)

    (argv,) = commands
    assert "detach" in argv
    assert argv[argv.index("--array") + 1] == "B"
