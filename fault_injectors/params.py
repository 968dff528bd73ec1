"""Fault values to and from the JSON of the journal."""

import dataclasses
from typing import TYPE_CHECKING, Any

from fault_injectors.shell import FaultError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def to_params(fault: "DataclassInstance") -> dict[str, Any]:
    """Return the fields of a fault's dataclass; tuples become lists, as JSON has them."""
    return {field.name: _plain(getattr(fault, field.name)) for field in dataclasses.fields(fault)}


def check_params(cls: type["DataclassInstance"], params: dict[str, Any]) -> dict[str, Any]:
    """Return *params* as keyword arguments of the dataclass *cls*; lists become tuples.

    Raises FaultError naming what is missing or unknown.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    unknown = sorted(set(params) - set(fields))
    missing = sorted(
        name
        for name, field in fields.items()
        if name not in params
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    )
    if unknown or missing:
        raise FaultError(
            f"{cls.__name__}: expected fields {sorted(fields)}; "
            f"unknown: {unknown or 'none'}, missing: {missing or 'none'}"
        )
    return {name: _frozen(value) for name, value in params.items()}


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
