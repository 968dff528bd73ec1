"""What a saboteur is told of the lab around it, by whoever starts it."""

from pathlib import Path

import msgspec


class Places(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that the handler's process reads."""

    saboteur: str  # a name of certify.saboteurs.catalogue
    hba_of_engine: dict[str, int]  # numbers of the engines' configfs HBAs "user_N"
    adapters: dict[str, str]  # by "ENGINE HOST": the tcm_loop port to show the units at
    disks: int  # how many disks the engines export in all
    back_paths: dict[str, str] = {}  # by array: the sysfs file "state" of an engine's own path
    legs: dict[str, str] = {}  # by "ARRAY-UNIT": a device to read that leg by, past the engines
    detach: dict[str, list[str]] = {}  # by array: the command that takes it out as an operator does

    def back_path(self, array: str) -> Path:
        """Return the "state" file of an engine's own path to *array*."""
        return Path(self.back_paths[array])

    def leg(self, array: str, unit: str) -> str:
        """Return the device by which a leg may be read."""
        return self.legs[f"{array}-{unit}"]


def load_places(path: Path) -> Places:
    """Read the file. Raises OSError, msgspec.ValidationError."""
    return msgspec.json.decode(path.read_bytes(), type=Places)
