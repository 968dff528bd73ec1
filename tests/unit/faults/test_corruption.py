"""A sector is corrupted beneath an array and given back, unless it was written meanwhile."""

import pytest

from fault_injectors import BlockCorrupt, Completed, FaultError, LocalShell

LBA = 4


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "dm-0"
    path.write_bytes(bytes(range(256)) * 16)
    return path


@pytest.fixture
def shell(disk):
    return _DiskShell(disk)


class _DiskShell:
    """Runs the fault's own commands on a file; tmpfs knows no direct I/O."""

    reach = "local"

    def __init__(self, disk):
        self._disk = disk

    def run(self, argv, *, timeout_s, check=True):
        if argv[0] == "dmsetup":
            return Completed(argv=tuple(argv), exit_status=0, stdout="0\n", stderr="")
        script = argv[2].replace("iflag=direct", "").replace("oflag=direct", "")
        words = [str(self._disk) if word == "/dev/dm-0" else word for word in argv[3:]]
        return LocalShell().run(("sh", "-c", script, *words), timeout_s=timeout_s, check=check)


@pytest.fixture
def fault(shell):
    return BlockCorrupt(subject="A", device="a-lu0", lba=LBA).prepare(shell)


def test_one_sector_changes_and_comes_back(disk, shell, fault):
    before = disk.read_bytes()
    assert not fault.probe(shell).effective

    fault.apply(shell)
    changed = [n for n, (a, b) in enumerate(zip(before, disk.read_bytes(), strict=True)) if a != b]
    assert {n // 512 for n in changed} == {LBA}
    assert fault.probe(shell).effective
    assert not fault.healed(shell).effective

    fault.heal(shell)
    assert disk.read_bytes() == before
    assert fault.healed(shell).effective


def test_what_was_written_meanwhile_is_left_alone(disk, shell, fault):
    fault.apply(shell)
    disk.write_bytes(b"\x07" * 4096)

    fault.heal(shell)

    assert disk.read_bytes() == b"\x07" * 4096
    assert fault.healed(shell).effective


def test_a_sector_beyond_the_end_is_refused(shell):
    with pytest.raises(FaultError, match="LBA 99: expected to read 512 bytes, seen 0"):
        BlockCorrupt(subject="A", device="a-lu0", lba=99).prepare(shell)
