"""What the start of every guest is made of: steps that are told and timed, modules, udev."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from certify.virtual_lab.guest import hidden, host, lio, router

Report = Callable[[str, float], None]
"""Gets the name of each step that is done, and its seconds."""

UDEV_RULES = {
    "50-udev-default.rules",
    "55-dm.rules",
    "56-dm-mpath.rules",
    "60-persistent-storage.rules",
    "60-persistent-storage-dm.rules",
    "95-dm-notify.rules",
}
UDEV_NICENESS = "10"
ARRAY_DISK_RULE = (
    'SUBSYSTEM=="block", ATTRS{vendor}=="ZSARRAY", '
    'ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}="1"\n'
)
"""Disks of the arrays are found by their SCSI address; they need no links."""


class BringUpError(Exception):
    """The lab could not be brought up; the message is a sentence for its user."""


@contextmanager
def step(name: str, report: Report) -> Iterator[None]:
    """Time a step and report it; raise BringUpError naming it for what goes wrong in it."""
    start = time.monotonic()
    try:
        yield
    except (lio.LioError, router.RouterError, host.HostError) as error:
        raise BringUpError(f"{name}: {error}") from error
    except subprocess.CalledProcessError as error:
        words = (error.stderr or "").strip() or f"exit status {error.returncode}"
        raise BringUpError(f"{name}: {' '.join(map(str, error.cmd))}: {words}") from error
    report(name, time.monotonic() - start)


def load_modules(names: tuple[str, ...]) -> None:
    """Load kernel modules; raise BringUpError for one that the kernel lacks."""
    Path("/var/target/pr").mkdir(parents=True, exist_ok=True)  # LIO's reservations look for it
    done = subprocess.run(
        ["modprobe", "-a", *names],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise BringUpError(
            f"module missing: kernel {os.uname().release} lacks what the lab needs: "
            f"{done.stderr.strip()}"
        )


def mount_configfs() -> None:
    """Mount what LIO is built in."""
    run("mount", "-t", "configfs", "configfs", "/sys/kernel/config")


def start_udev() -> None:
    """Start udevd with the few rules that the lab needs."""
    _trim_udev_rules()
    # What it starts when a path comes or goes runs on another processor of a real host; a guest may
    # have one only, and it is busy then.
    run("nice", "-n", UDEV_NICENESS, "/lib/systemd/systemd-udevd", "--daemon")


def _trim_udev_rules() -> None:
    """Switch off rules that run programs for every disk and that nothing here needs.

    In User Mode Linux a started program costs some 20 ms, and the stock rules start a dozen for
    each of the lab's disks: most of the time that the lab would take to come up.
    """
    own = Path("/etc/udev/rules.d")
    own.mkdir(parents=True, exist_ok=True)
    for rules in Path("/lib/udev/rules.d").glob("*.rules"):
        if rules.name not in UDEV_RULES:
            (own / rules.name).unlink(missing_ok=True)
            (own / rules.name).symlink_to("/dev/null")
    words = ARRAY_DISK_RULE + hidden.UDEV_RULE
    (own / "59-lab-disks.rules").write_text(words, encoding="ascii")


def run(*argv: str) -> None:
    """Run a tool of the start; raise CalledProcessError if it fails."""
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
