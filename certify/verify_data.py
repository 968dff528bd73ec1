"""After the load: is the data right through every path, and are the arrays equal? Records only."""

from collections.abc import Iterator
from contextlib import contextmanager

from certify.compare import Comparison, comparable_units, compare_legs
from certify.devices import LabDevices
from certify.lab import Lab, LabError
from certify.load import load_unit
from certify.ports import History
from certify.readback import read_back
from certify.tags import run_number
from reports.record import EventKind


def verify_data(
    history: History, lbas: list[int], *, lab: Lab, devices: LabDevices, run_id: str
) -> None:
    """Read the blocks at *lbas* back through every path, then compare the arrays directly.

    What cannot be done is an ERROR event; what the lab cannot express is a NOTE.
    """
    run = run_number(run_id)
    for path in devices.of_unit(load_unit(lab)):
        with _recorded(history, f"read back through {path.path}"):
            sectors = read_back(path, lbas, run=run, emit=history.io)
            detail = f"{path.path}: {sectors:,} sectors"
            history.event(EventKind.READBACK, path.path, detail, {"sectors": sectors})
    units = comparable_units(lab)
    if not units:
        text = "the lab file names no disks to read the arrays directly (inspect_wwid)"
        history.event(EventKind.NOTE, "compare", text)
    for unit, legs in units.items():
        with _recorded(history, f"compare {unit}"):
            _tell(history, compare_legs(unit, legs))


def _tell(history: History, seen: Comparison) -> None:
    data = {
        "equal": seen.equal,
        "sectors": seen.sectors,
        "first_difference_lba": seen.first_difference_lba,
    }
    history.event(EventKind.COMPARE, seen.unit, seen.detail, data)


@contextmanager
def _recorded(history: History, what: str) -> Iterator[None]:
    """Record what goes wrong, and go on with the next step."""
    try:
        yield
    except (LabError, OSError) as error:
        history.event(EventKind.ERROR, "verify", f"{what}: {error}")
