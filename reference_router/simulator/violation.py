"""What the judge finds: an invariant by its name, and what broke it."""

INVARIANTS = (
    "durable", "converged", "linearizable", "no-stale-read", "one-side", "native", "bounded",
)  # fmt: skip


class Violation(Exception):  # noqa: N818 - it is what was found, not an error of the program
    """An invariant does not hold."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant
        self.text = text
