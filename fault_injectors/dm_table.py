"""Tables of device-mapper devices, read and replaced under devices in use.

Several devices are taken by one command where dmsetup can: on a measuring host every process
that is started costs what is being measured.
"""

from collections.abc import Callable, Mapping, Sequence

from fault_injectors.shell import FaultError, Shell

TIMEOUT_S = 15.0
SECTOR_BYTES = 512
BLOCK_SECTORS = 8
SUMMARY_LINES = 4


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


def node(shell: Shell, device: str) -> str:
    """Return the kernel's own node of a device; udev's link may not be there."""
    columns = ("-c", "--noheadings", "-o", "minor")
    return f"/dev/dm-{int(_dmsetup(shell, 'info', *columns, device))}"


def replace_tables(shell: Shell, tables: Mapping[str, str]) -> None:
    """Load a table into each device and switch all at once; their I/O waits and none fails.

    udev is not waited for: the nodes stay the same, and a busy udevd would delay the fault.
    """
    for device, table in tables.items():
        _dmsetup(shell, "load", device, "--table", table)
    try:
        suspend(shell, list(tables))
    finally:
        resume(shell, list(tables))


def suspend(shell: Shell, devices: Sequence[str]) -> None:
    """Hold the I/O of *devices*.

    `--noflush` keeps queued I/O for what comes next, `--nolockfs` freezes no file system.
    """
    _dmsetup(shell, "suspend", "--noflush", "--nolockfs", *devices)


def resume(shell: Shell, devices: Sequence[str]) -> None:
    """Let the I/O of *devices* go on, with the table that was loaded last."""
    _dmsetup(shell, "resume", *devices)


def message(shell: Shell, device: str, sector: int, *words: str) -> None:
    """Tell something to the target at *sector* of a device."""
    _dmsetup(shell, "message", device, str(sector), *words)


def delayed(table: str, delay_ms: int) -> str:
    """Return *table* with each linear target replaced by one that delays every I/O by *delay_ms*.

    Form: "START LENGTH linear DEVICE OFFSET" becomes "START LENGTH delay DEVICE OFFSET MS"
    (Documentation/admin-guide/device-mapper/delay.rst); without separate write arguments it
    delays reads, writes and flushes alike. Raises FaultError for any other target.
    """
    return with_spans(
        table,
        [(0, sectors(table))],
        lambda device, offset: f"delay {device} {offset} {delay_ms}",
    )


def sectors(table: str) -> int:
    """Return how many sectors of 512 bytes a device with *table* has."""
    return sum(int(line.split()[1]) for line in table.splitlines())


def shortened(table: str, length: int) -> str:
    """Return the first *length* sectors of *table*; raise FaultError unless some are left out."""
    if not 0 < length < sectors(table):
        raise FaultError(f"expected 1 to {sectors(table) - 1} sectors to keep, seen {length}")
    lines = []
    for start, size, device, offset in _linear(table):
        if start < length:
            lines.append(f"{start} {min(size, length - start)} linear {device} {offset}")
    return "\n".join(lines)


def with_spans(
    table: str, spans: Sequence[tuple[int, int]], target: Callable[[str, int], str]
) -> str:
    """Return linear *table* with other targets in some spans of it, (start, length) in sectors.

    *spans* ascend and do not overlap. *target* takes a device and an offset on it and returns the
    words after start and length. Raises FaultError for a table that is not linear, and for a span
    beyond its end.
    """
    if spans and spans[-1][0] + spans[-1][1] > sectors(table):
        raise FaultError(f"span {spans[-1]} ends beyond the {sectors(table)} sectors of {table!r}")
    lines = []
    for start, size, device, offset in _linear(table):
        at, end = start, start + size
        for begin, length in spans:
            first, last = max(begin, start), min(begin + length, end)
            if first >= last:
                continue
            if at < first:
                lines.append(f"{at} {first - at} linear {device} {offset + at - start}")
            lines.append(f"{first} {last - first} {target(device, offset + first - start)}")
            at = last
        if at < end:
            lines.append(f"{at} {end - at} linear {device} {offset + at - start}")
    return "\n".join(lines)


def same(live: str, wanted: str) -> bool:
    """Compare tables by their words, whatever the blanks between them."""
    return live.split() == wanted.split()


def summary(table: str) -> str:
    """Return *table* for a human to read: its first lines, and how many more there are."""
    lines = table.splitlines()
    more = len(lines) - SUMMARY_LINES
    return " / ".join(lines[:SUMMARY_LINES]) + (f" / and {more} more" if more > 0 else "")


def _linear(table: str) -> list[tuple[int, int, str, int]]:
    """Return start, length, device and offset of each target of *table*, all in sectors."""
    found = []
    for line in table.splitlines():
        start, size, target, *arguments = line.split()
        if target != "linear" or len(arguments) != 2:
            raise FaultError(f"expected a linear target to break, seen {line!r}")
        found.append((int(start), int(size), arguments[0], int(arguments[1])))
    return found


def _dmsetup(shell: Shell, verb: str, *arguments: str) -> str:
    return shell.run(("dmsetup", "--noudevsync", verb, *arguments), timeout_s=TIMEOUT_S).stdout
