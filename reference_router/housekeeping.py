"""The keys of one logical unit after a barrier: this engine's own, and those of others. Pure."""

from typing import TYPE_CHECKING

from reference_router.keyring import Errand, Fate
from reference_router.keys import unpack

if TYPE_CHECKING:
    from reference_router.unit import Unit

_RETRY_NS = 500_000_000


class Housekeeping:
    """What nobody waits for: keys that say too little, and keys that should be gone."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit
        self._tidy: Errand | None = None
        self._tidied = True
        self._tidy_at_ns = 0
        self._clearing: Errand | None = None

    @property
    def done(self) -> bool:
        """Tell whether there is nothing to see to."""
        return self._tidied and self._tidy is None and self._clearing is None

    def begin(self) -> None:
        """See to the keys again: a barrier has ended."""
        self._tidied = False

    def give_up(self) -> None:
        """Forget what is under way."""
        self._unit.keyring.drop(self._tidy)
        self._tidy, self._tidied = None, True

    def drive(self, now_ns: int) -> None:
        """Go on as far as possible now. The unit may have lost its place afterwards."""
        self._cleared()
        self._tidy_up(now_ns)

    def _tidy_up(self, now_ns: int) -> None:
        """After a barrier, see to the keys: this engine's own, then those of engines that left."""
        unit = self._unit
        if self._tidy is not None:
            if self._tidy.over:
                tidy, self._tidy = self._tidy, None
                self._ended(tidy, now_ns)
        elif not self._tidied and now_ns >= self._tidy_at_ns:
            legs = self._untidy_legs()
            self._tidied = not legs
            if legs:
                key = unit.key(unit.state.epoch, holds=unit.state.services.persistent)
                self._tidy = unit.keyring.record(legs, key, now_ns)
            elif not unit.shared:
                self._tidy = unit.keyring.fence(unit.mirror.used, now_ns)

    def _ended(self, tidy: Errand, now_ns: int) -> None:
        if tidy.with_fate(Fate.LOST):
            self._unit.lose(now_ns, "its key on a leg is gone")
            return
        for leg in tidy.with_fate(Fate.FAILED):
            self._unit.mirror.suspect(leg, tidy.ends[leg].why)
            self._tidied = False
            self._tidy_at_ns = now_ns + _RETRY_NS

    def clear(self, legs: list[int], now_ns: int) -> None:
        """Give detached legs back to whoever writes to them: no key, no reservation."""
        if legs:
            self._clearing = self._unit.keyring.clear(legs, now_ns)

    def _cleared(self) -> None:
        clearing = self._clearing
        if clearing is None or not clearing.over:
            return
        self._clearing = None
        for leg, end in clearing.ends.items():
            good = end.fate is Fate.DONE
            what = "is free of keys" if good else f"may still have keys: {end.why}"
            self._unit.note(f"detached leg {self._unit.mirror.legs[leg]} {what}")

    def _untidy_legs(self) -> list[int]:
        """Return the legs in sync where this engine's key does not say that it is a member.

        Alone, it must say the newest epoch, for nobody else's key will.
        """
        found = []
        unit = self._unit
        for leg in unit.mirror.in_sync:
            known = unpack(unit.keyring.registered[leg])
            newest = unit.state.epoch if not unit.shared else 1
            if known is None or known.epoch < newest:
                found.append(leg)
        return found
