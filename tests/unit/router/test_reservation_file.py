"""Persistent reservations outlive a loss of power; of a file that is not sound nothing is made."""

from pathlib import Path

import msgspec
import pytest
from test_config import EXAMPLE

from reference_router.config import load_config
from reference_router.reservation_file import ReservationFiles
from reference_router.service import Nexus, ServiceState
from reference_router.service_state import Registration, Reservation, ReservationType

KEPT = ServiceState(
    registrations=(Registration(nexus=Nexus("alpha", 1), key=7),),
    reservation=Reservation(kind=ReservationType.WRITE_EXCLUSIVE, holder=Nexus("alpha", 1)),
    aptpl=True,
)


class Bench:
    """The files of engine 1 in a folder that is not there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        config = load_config(EXAMPLE)
        table = msgspec.structs.replace(config.engine_named("engine1"), state=str(folder))
        self.files = ReservationFiles(config, table, say=self.said.append)

    def keep(self, services: ServiceState, epoch: int = 5) -> None:
        self.files.keep("lu0", ((epoch, services),) if services.persistent else ())

    @property
    def names(self) -> list[str]:
        return sorted(each.name for each in self.folder.iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "state")


def test_what_was_agreed_is_there_again(bench):
    bench.keep(KEPT)

    assert Bench(bench.folder).files.load() == {"lu0": ((5, KEPT),)}
    assert bench.names == ["router-engine1-lu0.reservations"]


def test_newer_agreement_takes_the_place_of_the_older(bench):
    bench.keep(KEPT)
    newer = msgspec.structs.replace(KEPT, reservation=None)
    bench.keep(newer, epoch=6)

    assert bench.files.load() == {"lu0": ((6, newer),)}
    assert len(bench.names) == 1


def test_later_epoch_of_the_same_agreement_is_kept_too(bench):
    """A start compares it with the epoch in the keys."""
    bench.keep(KEPT)
    bench.keep(KEPT, epoch=9)

    assert bench.files.load()["lu0"][0][0] == 9


@pytest.mark.parametrize(
    "services",
    [
        ServiceState(),
        msgspec.structs.replace(KEPT, aptpl=False),
        ServiceState(legacy=Nexus("alpha", 1)),
    ],
)
def test_what_does_not_outlive_a_loss_of_power_leaves_no_file(bench, services):
    """SPC-4 5.13.5: without APTPL all is gone; SPC-2 reservations always are."""
    bench.keep(KEPT)
    bench.keep(services)

    assert (bench.names, bench.files.load()) == ([], {})


def test_no_file_is_no_complaint(bench):
    bench.keep(ServiceState())

    assert bench.files.load() == {}
    assert bench.said == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"epoch": 5, "services": "{}"}',
        b'{"epoch": "5", "services": ""}',
        b'{"epoch": 5, "services": "", "more": 1}',
        b"\xff",
    ],
)
def test_file_that_is_not_sound_is_named_and_not_taken(bench, data):
    bench.keep(KEPT)
    path = bench.folder / bench.names[0]
    path.write_bytes(data)

    assert bench.files.load() == {}
    assert bench.said[0].startswith(f"{path}: not taken: ")


def test_truncated_file_is_not_taken(bench):
    """Any prefix: a rename makes it whole or not at all, but disks lie."""
    bench.keep(KEPT)
    path = bench.folder / bench.names[0]
    data = path.read_bytes()

    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert bench.files.load() == {}


def test_unfinished_file_of_a_crash_does_not_matter(bench):
    bench.keep(KEPT)
    (bench.folder / bench.names[0]).with_suffix(".new").write_bytes(b"half")

    assert bench.files.load() == {"lu0": ((5, KEPT),)}
    bench.keep(KEPT, epoch=6)
    assert bench.files.load() == {"lu0": ((6, KEPT),)}


def test_file_that_cannot_be_written_is_told(bench):
    bench.folder.write_bytes(b"a file where the folder should be")

    bench.keep(KEPT)

    assert "persistent reservations are not kept" in bench.said[0]


def test_proposal_is_kept_beside_what_holds(bench):
    newer = msgspec.structs.replace(KEPT, reservation=None)

    bench.files.keep("lu0", ((5, KEPT), (6, newer)))

    assert bench.files.load() == {"lu0": ((5, KEPT), (6, newer))}
