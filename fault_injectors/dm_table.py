"""Tables of device-mapper devices, read and replaced under a device in use."""

from fault_injectors.shell import FaultError, Shell

TIMEOUT_S = 15.0


def read_table(shell: Shell, device: str) -> str:
    """Return the live table of *device*, one target per line."""
    return _dmsetup(shell, "table", device).strip()


def is_suspended(shell: Shell, device: str) -> bool:
    """Tell whether *device* holds its I/O, as a crash between suspend and resume leaves it."""
    word = _dmsetup(shell, "info", "-c", "--noheadings", "-o", "suspended", device).strip()
    return word == "Suspended"


def replace_table(shell: Shell, device: str, table: str) -> None:
    """Load *table* into *device* and switch to it; its I/O waits meanwhile and none fails.

    `--noflush` keeps queued I/O for the new table, `--nolockfs` freezes no file system. udev is
    not waited for: the node stays the same, and a busy udevd would delay the fault.
    """
    _dmsetup(shell, "load", device, "--table", table)
    try:
        _dmsetup(shell, "suspend", "--noflush", "--nolockfs", device)
    finally:
        _dmsetup(shell, "resume", device)


def delayed(table: str, delay_ms: int) -> str:
    """Return *table* with each linear target replaced by one that delays every I/O by *delay_ms*.

    Form: "START LENGTH linear DEVICE OFFSET" becomes "START LENGTH delay DEVICE OFFSET MS"
    (Documentation/admin-guide/device-mapper/delay.rst); without separate write arguments it
    delays reads, writes and flushes alike. Raises FaultError for any other target.
    """
    lines = []
    for line in table.splitlines():
        start, length, target, *arguments = line.split()
        if target != "linear" or len(arguments) != 2:
            raise FaultError(f"expected a linear target to slow down, seen {line!r}")
        lines.append(f"{start} {length} delay {arguments[0]} {arguments[1]} {delay_ms}")
    return "\n".join(lines)


def _dmsetup(shell: Shell, verb: str, *arguments: str) -> str:
    return shell.run(("dmsetup", "--noudevsync", verb, *arguments), timeout_s=TIMEOUT_S).stdout
