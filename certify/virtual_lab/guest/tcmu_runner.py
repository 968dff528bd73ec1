"""Debian's tcmu-runner on files, for the benchmark and as a peer. In a guest of its own.

It sets module-wide netlink reply support, after which creating or removing any TCMU device may wait
for it. Of the handlers in Debian's package (qcow, file_optical, file_zbc, rbd) only qcow makes a
disk of the kind compared here, and it takes a plain file as a raw image.
"""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import lio

COMMANDS = ("tcmu-runner", "dbus-daemon")
"""What must be installed: it takes its configuration from D-Bus, and ends without it."""

SCRIPT = Path(__file__).with_name("tcmu_runner.sh")
_SIZE_BYTES = layout.LOGICAL_UNITS[0].size_bytes
_FOLDER = "user_180"
_ADAPTER = "naa.500140500000bf00"
_OPEN_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerDisk:
    """A disk that tcmu-runner is to serve from a file on tmpfs."""

    name: str
    size_bytes: int
    serial: str = ""

    @property
    def file(self) -> Path:
        """Its file, in memory that is the guest's own."""
        return Path("/dev/shm") / f"zerostall-{self.name}"  # noqa: S108


def disk() -> Path:
    """Start tcmu-runner on one file; return its disk. Raises LioError if it does not run."""
    (backstore,) = serve([RunnerDisk(name="runner", size_bytes=_SIZE_BYTES)])
    return Path("/dev") / lio.wait_for_disk(lio.export(lio.create_adapter(_ADAPTER), 0, backstore))


def serve(
    disks: list[RunnerDisk], *, attributes: dict[str, str] | None = None, restart: str = "no"
) -> list[Path]:
    """Start tcmu-runner on *disks*; return their backstores, ready to be exported.

    *attributes* are those of the kernel's TCMU devices; *restart* "yes" starts a dead one again.
    Raises LioError if it is not installed or does not open a device.
    """
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        raise lio.LioError(f"not installed: {', '.join(missing)}; make peers installs it")
    # Before the runner, which takes what it finds when it starts.
    backstores = [_backstore(one, attributes or {}) for one in disks]
    nodes = {_uio_node(one.name) for one in disks}
    Path("/run/dbus").mkdir(exist_ok=True)
    subprocess.run(["dbus-daemon", "--system", "--fork"], check=True, timeout=30)
    subprocess.run(["sh", str(SCRIPT), "start", restart], check=True, timeout=30)
    _wait_until_open(nodes)
    return backstores


def _backstore(one: RunnerDisk, attributes: dict[str, str]) -> Path:
    with one.file.open("wb") as stream:
        stream.truncate(one.size_bytes)
    folder = lio.TARGET / "core" / _FOLDER / one.name
    folder.mkdir(parents=True)
    control = (
        f"dev_config=qcow/{one.file},dev_size={one.size_bytes},hw_block_size=512,"
        "hw_max_sectors=1024"
    )
    (folder / "control").write_text(control, encoding="ascii")
    if one.serial:
        (folder / "wwn/vpd_unit_serial").write_text(one.serial, encoding="ascii")
    (folder / "enable").write_text("1", encoding="ascii")
    for name, value in attributes.items():
        (folder / "attrib" / name).write_text(value, encoding="ascii")
    return folder


def _uio_node(name: str) -> Path:
    deadline = time.monotonic() + _OPEN_TIMEOUT_S
    while time.monotonic() < deadline:
        for file in Path("/sys/class/uio").glob("uio*/name"):
            node = Path("/dev") / file.parent.name
            if file.read_text(encoding="ascii").split("/")[2:3] == [name] and node.exists():
                return node
        time.sleep(0.02)
    raise lio.LioError(f"no UIO device for tcmu-runner's disk {name}")


def _wait_until_open(nodes: set[Path]) -> None:
    """Wait until the runner serves its devices: an export before that waits for half a minute."""
    deadline = time.monotonic() + _OPEN_TIMEOUT_S
    while time.monotonic() < deadline:
        opened = {link.resolve() for link in Path("/proc").glob(f"{_pid()}/fd/*")}
        if nodes <= opened:
            return
        time.sleep(0.02)
    raise lio.LioError(f"tcmu-runner did not open {nodes}: see {layout.RUN}/tcmu-runner.log")


def _pid() -> str:
    file = layout.RUN / "tcmu-runner.pid"
    return (file.read_text(encoding="ascii").strip() if file.exists() else "") or "none"
