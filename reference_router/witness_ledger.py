"""Whom the witness has given its vote: one engine for each membership of a unit. Pure.

A membership is known by the epoch at which both engines became members, so both name the same one,
whatever barriers came after it. The first of them to claim has the vote for as long as that
membership is the newest: who has lost cannot come back to it. A later membership begins anew, so
nothing needs to be given back, and a witness that was away when engines met again is not behind.
"""

from collections.abc import Iterable

import msgspec

from reference_router.witness_messages import Claim, Ruling, Waive


class LedgerError(Exception):
    """A file is not a witness's; the message says what was expected and seen."""


class Vote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vote for a unit: of which membership, and who has it, 0 for nobody."""

    unit: str
    membership: int
    holder: int


class Ledger:
    """The votes. `rule` tells whether it must be kept before the ruling is told."""

    def __init__(self, votes: Iterable[Vote] = ()) -> None:
        self._votes = {vote.unit: vote for vote in votes}

    def rule(self, engine: int, asked: Claim | Waive) -> tuple[Ruling, bool]:
        """Return the ruling on what an engine asks, and whether anything has changed."""
        return self.claim(engine, asked) if isinstance(asked, Claim) else self.waive(engine, asked)

    def claim(self, engine: int, claim: Claim) -> tuple[Ruling, bool]:
        """Return the ruling, and whether anything has changed."""
        vote = self._votes.get(claim.unit)
        newer = vote is None or claim.membership > vote.membership
        same = vote is not None and claim.membership == vote.membership
        if newer or (same and vote is not None and not vote.holder):
            vote = Vote(unit=claim.unit, membership=claim.membership, holder=engine)
            self._votes[claim.unit] = vote
            return _ruling(claim, vote), True
        return _ruling(claim, vote), False

    def waive(self, engine: int, waive: Waive) -> tuple[Ruling, bool]:
        """Take the vote back from an engine that does not go on by it."""
        vote = self._votes.get(waive.unit)
        if vote is None or (vote.membership, vote.holder) != (waive.membership, engine):
            return _ruling(waive, vote), False
        vote = msgspec.structs.replace(vote, holder=0)
        self._votes[waive.unit] = vote
        return _ruling(waive, vote), True

    def to_file(self) -> bytes:
        """Return the ledger as a file's text; the order is that of names, whatever came first."""
        votes = [self._votes[unit] for unit in sorted(self._votes)]
        return msgspec.json.format(msgspec.json.encode(votes), indent=1) + b"\n"


def from_file(text: bytes) -> Ledger:
    """Return the ledger in a file's text. Raises LedgerError."""
    try:
        votes = msgspec.json.decode(text, type=list[Vote])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LedgerError(f"expected a witness's votes, seen {text[:80]!r}: {error}") from error
    twice = len({vote.unit for vote in votes}) < len(votes)
    if twice:
        raise LedgerError("expected one vote for each unit, seen two for the same")
    return Ledger(votes)


def _ruling(asked: Claim | Waive, vote: Vote | None) -> Ruling:
    holder, membership = (vote.holder, vote.membership) if vote else (0, asked.membership)
    return Ruling(unit=asked.unit, turn=asked.turn, holder=holder, membership=membership)
