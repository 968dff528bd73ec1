"""Writing results: to stdout, as text or as JSON."""

import sys
from typing import Any

import msgspec


def say(text: str = "") -> None:
    """Write one line of a result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """Write one line of progress."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_json(value: Any) -> None:  # noqa: ANN401 - whatever msgspec can encode
    """Write a result for a machine."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
