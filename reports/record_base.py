"""What all records of a run folder have in common; see reports/record.py."""

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable, keyword-only, strict about unknown fields."""
