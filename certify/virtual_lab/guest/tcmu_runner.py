"""Debian's tcmu-runner with one file, for the benchmark. In a guest of its own.

It sets module-wide netlink reply support, after which creating or removing any TCMU device may wait
for it. Of the handlers in Debian's package (qcow, file_optical, file_zbc, rbd) only qcow makes a
disk of the kind compared here, and it takes a plain file as a raw image.
"""

import shutil
import subprocess
import time
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import lio

COMMANDS = ("tcmu-runner", "dbus-daemon")
"""What must be installed: it takes its configuration from D-Bus, and ends without it."""

_SIZE_BYTES = layout.LOGICAL_UNITS[0].size_bytes
_FILE = Path("/dev/shm/zerostall-runner")  # noqa: S108 - the guest's own, and empty
_FOLDER = "user_180"
_NAME = "runner"
_ADAPTER = "naa.500140500000bf00"
_OPEN_TIMEOUT_S = 10.0


def disk() -> Path:
    """Start tcmu-runner on a file on tmpfs; return its disk. Raises LioError if it does not run."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        raise lio.LioError(
            f"not installed: {', '.join(missing)}; packages tcmu-runner, dbus-daemon"
        )
    with _FILE.open("wb") as stream:
        stream.truncate(_SIZE_BYTES)
    backstore = _backstore()
    node = _uio_node()
    Path("/run/dbus").mkdir(exist_ok=True)
    subprocess.run(["dbus-daemon", "--system", "--fork"], check=True, timeout=30)
    with (layout.RUN / "tcmu-runner.out").open("ab") as log:
        runner = subprocess.Popen(
            ["tcmu-runner", "--tcmu-log-dir", str(layout.RUN)], stdout=log, stderr=log
        )
    _wait_until_open(runner, node)
    return Path("/dev") / lio.wait_for_disk(lio.export(lio.create_adapter(_ADAPTER), 0, backstore))


def _backstore() -> Path:
    """Create the TCMU device before the runner, which takes what it finds when it starts."""
    folder = lio.TARGET / "core" / _FOLDER / _NAME
    folder.mkdir(parents=True)
    control = (
        f"dev_config=qcow/{_FILE},dev_size={_SIZE_BYTES},hw_block_size=512,hw_max_sectors=1024"
    )
    (folder / "control").write_text(control, encoding="ascii")
    (folder / "enable").write_text("1", encoding="ascii")
    return folder


def _uio_node() -> Path:
    deadline = time.monotonic() + _OPEN_TIMEOUT_S
    while time.monotonic() < deadline:
        for name in Path("/sys/class/uio").glob("uio*/name"):
            node = Path("/dev") / name.parent.name
            if name.read_text(encoding="ascii").split("/")[2:3] == [_NAME] and node.exists():
                return node
        time.sleep(0.02)
    raise lio.LioError("no UIO device for tcmu-runner")


def _wait_until_open(runner: subprocess.Popen[bytes], node: Path) -> None:
    """Wait until the runner serves the device: an export before that waits for half a minute."""
    deadline = time.monotonic() + _OPEN_TIMEOUT_S
    while time.monotonic() < deadline and runner.poll() is None:
        opened = {link.resolve() for link in Path(f"/proc/{runner.pid}/fd").iterdir()}
        if node in opened:
            return
        time.sleep(0.02)
    raise lio.LioError(f"tcmu-runner did not open {node}: see {layout.RUN}/tcmu-runner.log")
