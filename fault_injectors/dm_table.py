"""Tables of device-mapper devices, read and replaced under devices in use.

Several devices are taken by one command where dmsetup can: on a measuring host every process
that is started costs what is being measured.
"""

from collections.abc import Mapping, Sequence

from fault_injectors.shell import FaultError, Shell

TIMEOUT_S = 15.0


def read_tables(shell: Shell, devices: Sequence[str]) -> dict[str, str]:
    """Return the live table of each device, one target per line."""
    if len(devices) == 1:
        return {devices[0]: _dmsetup(shell, "table", *devices).strip()}
    lines: dict[str, list[str]] = {device: [] for device in devices}
    for line in _dmsetup(shell, "table", *devices).splitlines():
        name, _, target = line.partition(": ")
        if name in lines:
            lines[name].append(target.strip())
    return {device: "\n".join(targets) for device, targets in lines.items()}


def suspended(shell: Shell, devices: Sequence[str]) -> set[str]:
    """Return the devices that hold their I/O, as a crash between suspend and resume leaves them."""
    columns = ("-c", "--noheadings", "--separator= ", "-o", "name,suspended")
    lines = _dmsetup(shell, "info", *columns, *devices).splitlines()
    return {line.split()[0] for line in lines if line.split()[1:] == ["Suspended"]}


def replace_tables(shell: Shell, tables: Mapping[str, str]) -> None:
    """Load a table into each device and switch all at once; their I/O waits and none fails.

    `--noflush` keeps queued I/O for the new table, `--nolockfs` freezes no file system. udev is
    not waited for: the nodes stay the same, and a busy udevd would delay the fault.
    """
    for device, table in tables.items():
        _dmsetup(shell, "load", device, "--table", table)
    try:
        _dmsetup(shell, "suspend", "--noflush", "--nolockfs", *tables)
    finally:
        _dmsetup(shell, "resume", *tables)


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


def same(live: str, wanted: str) -> bool:
    """Compare tables by their words, whatever the blanks between them."""
    return live.split() == wanted.split()


def _dmsetup(shell: Shell, verb: str, *arguments: str) -> str:
    return shell.run(("dmsetup", "--noudevsync", verb, *arguments), timeout_s=TIMEOUT_S).stdout
