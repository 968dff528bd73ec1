"""An engine's side of the witness: whether it is in reach, and who has its vote. Pure.

The witness decides between engines that lost each other and cannot meet on all legs: see `fencing`
for what its vote is good for, `witness_ledger` for whom it gives it.
"""

from reference_router.commands import Outbox
from reference_router.witness_messages import (
    WITNESS_VERSION,
    Beat,
    Claim,
    Greeting,
    Refusal,
    Ruling,
    Waive,
    Welcome,
    WitnessMessage,
)

_BEAT_NS = 1_000_000_000
_ASK_AGAIN_NS = 100_000_000


class Witness:
    """The witness, as far as it is the same for all units."""

    def __init__(
        self, outbox: Outbox, *, used: bool, engine_id: int, config: str, patience_ns: int
    ) -> None:
        self.used = used
        """Whether the router has one: both engines say the same."""
        self.linked = False
        """Whether messages flow, and it has said Welcome."""
        self._outbox = outbox
        self._greeting = Greeting(version=WITNESS_VERSION, engine=engine_id, config=config)
        self._patience_ns = patience_ns
        self._votes: dict[str, Vote] = {}
        self._turn = 0
        self._up = False
        self._heard_ns = self._next_beat_ns = 0

    def vote_of(self, unit: str, engine_id: int) -> "Vote":
        """Return what a unit sees of it."""
        vote = self._votes[unit] = Vote(self, unit, engine_id)
        return vote

    def up(self, now_ns: int) -> None:
        """Greet it: a session has come up."""
        self._up, self._heard_ns = True, now_ns
        self._outbox.to_witness.append(self._greeting)

    def down(self) -> None:
        """Take that the session has ended: what was asked may have been heard, or not."""
        if self.linked:
            self._outbox.notes.append("the witness is out of reach")
        self._up = self.linked = False
        for vote in self._votes.values():
            vote.unheard()

    def take(self, message: WitnessMessage, now_ns: int) -> None:
        """Take a message of the witness."""
        self._heard_ns = now_ns
        match message:
            case Welcome():
                self.linked = True
                self._outbox.notes.append("the witness is in reach")
            case Ruling(unit=unit) if unit in self._votes:
                self._votes[unit].take(message, now_ns)
            case Beat():
                pass
            case Refusal(why=why):
                self._outbox.refuse_witness = f"it refuses this engine: {why}"
            case _:
                self._outbox.refuse_witness = f"not a witness's message: {message}"

    def tick(self, now_ns: int) -> None:
        """Look whether it answers."""
        if not self._up:
            return
        silent_ns = now_ns - self._heard_ns
        if silent_ns > self._patience_ns:
            self._outbox.refuse_witness = f"it is silent for {silent_ns // 1_000_000} ms"
        elif self.linked and now_ns >= self._next_beat_ns:
            self._next_beat_ns = now_ns + min(_BEAT_NS, self._patience_ns // 4)
            self._outbox.to_witness.append(Beat(now_ns))

    def ask(self, kind: type[Claim] | type[Waive], unit: str, membership: int) -> int:
        """Send a question; return the turn that its answer will have."""
        self._turn += 1
        self._outbox.to_witness.append(kind(unit=unit, membership=membership, turn=self._turn))
        return self._turn


class Vote:
    """The witness's vote for one unit, in one engine. One question at a time is under way."""

    def __init__(self, witness: Witness, unit: str, engine_id: int) -> None:
        self.membership = 0
        """Epoch at which both engines became members; 0: never yet, so there is no vote."""
        self.held = False
        """Whether this engine has the vote."""
        self.refused_since_ns = 0
        """Since when it is known that the other engine has it; 0: that is not known."""
        self.wanted = False
        """Whether this engine asks for it, or goes by it."""
        self._witness = witness
        self._unit = unit
        self._engine_id = engine_id
        self._may_hold = False  # a claim may have been heard
        self._turn = 0  # of the question under way
        self._ask_at_ns = 0

    @property
    def exists(self) -> bool:
        """Tell whether the engines go by a witness: both say the same."""
        return self._witness.used and self.membership > 0

    @property
    def settled(self) -> bool:
        """Tell whether there is nothing to ask."""
        return not self._turn and (self.held if self.wanted else not self._may_hold)

    def begin(self, membership: int) -> None:
        """Forget the vote: both engines are members anew."""
        self.membership = membership
        self.wanted = self._may_hold = self.held = False
        self._turn = self.refused_since_ns = 0

    def want(self) -> None:
        """Ask for the vote, until it is there or waived."""
        self.wanted = self.exists

    def waive(self) -> None:
        """Do without it: this engine does not go on by it."""
        self.wanted = self.held = False
        self.refused_since_ns = 0

    def unheard(self) -> None:
        """Take that the session has ended: ask again in the next one."""
        self._turn = 0
        self._ask_at_ns = 0

    def drive(self, now_ns: int) -> None:
        """Ask what is to be asked."""
        if not self._witness.linked or self._turn or now_ns < self._ask_at_ns:
            return
        if self.wanted and not self.held:
            self._may_hold = True
            self._turn = self._witness.ask(Claim, self._unit, self.membership)
        elif not self.wanted and self._may_hold:
            self._turn = self._witness.ask(Waive, self._unit, self.membership)

    def take(self, ruling: Ruling, now_ns: int) -> None:
        """Take the witness's answer; one to an older question is passed over."""
        if ruling.turn != self._turn:
            return
        self._turn = 0
        mine = (ruling.holder, ruling.membership) == (self._engine_id, self.membership)
        self._may_hold = mine
        self.held = mine and self.wanted
        refused = self.wanted and (ruling.holder, ruling.membership) != (0, self.membership)
        if mine or not refused:
            self.refused_since_ns = 0
        else:
            self._ask_at_ns = now_ns + _ASK_AGAIN_NS
            self.refused_since_ns = self.refused_since_ns or now_ns
